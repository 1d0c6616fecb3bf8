//! What the person has set for conversations, as the server has it.

use super::value::{Id, Micros};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "conversation_settings")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) conversation_id: Id,
    pub(crate) muted_until: Option<Micros>,
    pub(crate) pinned_at: Option<Micros>,
    pub(crate) archived_at: Option<Micros>,
    pub(crate) archived_seq: Option<i64>,
    pub(crate) unread_from: Option<i64>,
    pub(crate) version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
