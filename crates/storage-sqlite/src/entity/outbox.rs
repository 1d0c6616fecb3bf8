//! What was done here and the server has not answered.

use super::value::{AnyText, Id, Micros};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub(crate) struct Model {
    #[sea_orm(primary_key, indexed)]
    pub(crate) position: i64,
    #[sea_orm(unique)]
    pub(crate) id: Id,
    pub(crate) kind: AnyText,
    #[sea_orm(indexed)]
    pub(crate) conversation_id: Id,
    #[sea_orm(unique)]
    pub(crate) message_id: Option<Id>,
    pub(crate) payload: AnyText,
    pub(crate) wire_size: i64,
    pub(crate) retries: i64,
    pub(crate) last_retry: Option<String>,
    pub(crate) failed_code: Option<String>,
    pub(crate) failed_detail: Option<String>,
    pub(crate) recorded_at: Micros,
    pub(crate) in_flight: i64,
    #[sea_orm(indexed)]
    pub(crate) target_id: Option<Id>,
    pub(crate) opens: bool,
    pub(crate) expires: bool,
    pub(crate) keeps: bool,
    pub(crate) slot: Option<String>,
    pub(crate) needs: Option<String>,
    pub(crate) counts: bool,
}

impl ActiveModelBehavior for ActiveModel {}
