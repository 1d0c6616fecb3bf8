//! The numbers of queued and of failed mutations: one row. Triggers keep them up to date.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox_counts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) only: i64,
    pub(crate) pending: i64,
    pub(crate) failed: i64,
}

impl ActiveModelBehavior for ActiveModel {}
