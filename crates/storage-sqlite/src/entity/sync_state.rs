//! How far this device has followed the server, and what the server said of itself: one row.

use super::value::{Id, Micros};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_state")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) only: i64,
    pub(crate) phase: String,
    pub(crate) after: Option<String>,
    pub(crate) done: i64,
    pub(crate) total: Option<i64>,
    pub(crate) cursor: Option<String>,
    pub(crate) run_open: bool,
    pub(crate) generation: i64,
    pub(crate) epoch: i64,
    pub(crate) epoch_pending: bool,
    pub(crate) me_id: Option<Id>,
    pub(crate) last_success_at: Option<Micros>,
    pub(crate) server_epoch: Option<String>,
    pub(crate) sql_version: Option<i64>,
    pub(crate) capabilities: Option<String>,
    pub(crate) known_count: Option<i64>,
    pub(crate) known_set: Option<Vec<u8>>,
    pub(crate) memory: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
