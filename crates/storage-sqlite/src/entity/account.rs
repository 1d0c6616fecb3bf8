//! Whose file this is; set once.

use super::value::Id;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) only: i64,
    pub(crate) person_id: Id,
}

impl ActiveModelBehavior for ActiveModel {}
