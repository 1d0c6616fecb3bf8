//! Items of an older app's queue that are not touched.

use super::value::Micros;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "carried_items")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) pk: i64,
    #[sea_orm(unique)]
    pub(crate) id: String,
    pub(crate) table_name: String,
    pub(crate) record_id: String,
    pub(crate) operation: String,
    pub(crate) idempotency_key: String,
    pub(crate) payload: String,
    pub(crate) priority: i64,
    pub(crate) retry_count: i64,
    pub(crate) created_at: Option<Micros>,
}

impl ActiveModelBehavior for ActiveModel {}
