//! Changes of records that were made here and that the server has not answered.

use super::value::{AnyText, Id, Micros};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "record_queue")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) position: i64,
    #[sea_orm(unique)]
    pub(crate) id: Id,
    #[sea_orm(indexed)]
    pub(crate) table_name: String,
    pub(crate) record_id: Id,
    pub(crate) operation: AnyText,
    pub(crate) org_id: Option<Id>,
    pub(crate) fields: AnyText,
    #[sea_orm(indexed)]
    pub(crate) priority: i64,
    pub(crate) wire_size: i64,
    pub(crate) clock: Id,
    #[sea_orm(indexed)]
    pub(crate) modified_at: Micros,
    pub(crate) in_flight: i64,
    pub(crate) taken_by: Option<Id>,
    pub(crate) failures: i64,
    #[sea_orm(indexed)]
    pub(crate) next_at: Option<Micros>,
    pub(crate) last_retry: Option<String>,
    pub(crate) failed_code: Option<String>,
    pub(crate) failed_detail: Option<String>,
    pub(crate) recorded_at: Micros,
}

impl ActiveModelBehavior for ActiveModel {}
