//! How far this device has followed the server's records: one row.

use super::value::Micros;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "record_sync")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) only: i64,
    pub(crate) cursor: Option<String>,
    pub(crate) loading: bool,
    pub(crate) generation: i64,
    pub(crate) server_epoch: Option<String>,
    pub(crate) last_success_at: Option<Micros>,
    pub(crate) memory: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
