//! What a record was called before the server gave its primary key.

use super::value::Id;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "record_aliases")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false, indexed)]
    pub(crate) table_name: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Id,
    pub(crate) canonical_id: Id,
}

impl ActiveModelBehavior for ActiveModel {}
