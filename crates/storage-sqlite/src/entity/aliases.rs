//! What conversations were called before the server gave their canonical id.

use super::value::Id;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "aliases")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Id,
    #[sea_orm(indexed)]
    pub(crate) canonical_id: Id,
}

impl ActiveModelBehavior for ActiveModel {}
