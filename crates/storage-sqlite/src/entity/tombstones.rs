//! Hard deletes, kept so that a late answer cannot bring a row back.

use super::value::Id;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tombstones")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Id,
    #[sea_orm(indexed)]
    pub(crate) conversation_id: Id,
    pub(crate) seq: Option<i64>,
    pub(crate) version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
