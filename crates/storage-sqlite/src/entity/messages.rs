//! Messages: the server's, and those that wait to be sent.

use super::value::{Id, Micros};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "messages")]
pub(crate) struct Model {
    #[sea_orm(primary_key, indexed)]
    pub(crate) pk: i64,
    #[sea_orm(unique)]
    pub(crate) id: Id,
    pub(crate) server_id: Option<Id>,
    #[sea_orm(indexed)]
    pub(crate) conversation_id: Id,
    pub(crate) seq: Option<i64>,
    pub(crate) position: Option<i64>,
    pub(crate) sender_id: Id,
    pub(crate) sender_name: Option<String>,
    pub(crate) message_type: String,
    pub(crate) content: Option<String>,
    pub(crate) metadata: Option<String>,
    pub(crate) reply_to: Option<Id>,
    pub(crate) status: String,
    pub(crate) composed_at: Option<Micros>,
    pub(crate) created_at: Micros,
    pub(crate) updated_at: Micros,
    pub(crate) deleted_at: Option<Micros>,
    pub(crate) version: i64,
    pub(crate) extra: Option<String>,
    pub(crate) omitted: Option<String>,
    pub(crate) mentions: Option<String>,
    pub(crate) edited_at: Option<Micros>,
    pub(crate) base: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
