//! Conversations, with what a list shows of them and what is known of their threads.

use super::value::{Id, Micros};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "conversations")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Id,
    pub(crate) server_id: Option<Id>,
    #[sea_orm(indexed)]
    pub(crate) org_id: Id,
    #[sea_orm(column_name = "type")]
    pub(crate) kind: String,
    pub(crate) subject: Option<String>,
    #[sea_orm(indexed)]
    pub(crate) medic_id: Option<Id>,
    pub(crate) medic_name: Option<String>,
    pub(crate) created_by: Id,
    pub(crate) created_at: Micros,
    pub(crate) updated_at: Micros,
    pub(crate) participant_name: Option<String>,
    pub(crate) last_read_at: Option<Micros>,
    pub(crate) last_seq: i64,
    pub(crate) server_seq: i64,
    pub(crate) server_at: Option<Micros>,
    pub(crate) server_preview: Option<String>,
    pub(crate) server_unread: i64,
    pub(crate) range_from: i64,
    pub(crate) range_to: i64,
    #[sea_orm(indexed)]
    pub(crate) missing_before: Option<i64>,
    pub(crate) last_message_at: Option<Micros>,
    pub(crate) last_message_preview: Option<String>,
    #[sea_orm(indexed)]
    pub(crate) unread_count: i64,
    pub(crate) unread_here: i64,
    pub(crate) unread_above: Option<i64>,
    pub(crate) confirmed: i64,
    pub(crate) version: i64,
    pub(crate) extra: Option<String>,
    pub(crate) omitted: Option<String>,
    pub(crate) server_mentions: i64,
    pub(crate) mentions_here: i64,
    pub(crate) unread_mentions: i64,
    #[sea_orm(indexed)]
    pub(crate) muted_until: Option<Micros>,
    pub(crate) pinned_at: Option<Micros>,
    pub(crate) archived_at: Option<Micros>,
    pub(crate) archived_seq: Option<i64>,
    pub(crate) unread_from: Option<i64>,
    pub(crate) revived: bool,
}

impl ActiveModelBehavior for ActiveModel {}
