//! The sizes of the queue of records and of what stands beside it, which triggers keep: one row.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, Default, DeriveEntityModel)]
#[sea_orm(table_name = "record_counts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) only: i64,
    pub(crate) pending: i64,
    pub(crate) immediate: i64,
    pub(crate) failed: i64,
    pub(crate) conflicts: i64,
    pub(crate) carried: i64,
    pub(crate) audit: i64,
    pub(crate) audit_dropped: i64,
}

impl ActiveModelBehavior for ActiveModel {}
