//! How far people have read.

use super::value::{Id, Micros};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "read_markers")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) conversation_id: Id,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) person_id: Id,
    pub(crate) delivered_seq: i64,
    pub(crate) read_seq: i64,
    pub(crate) version: i64,
    pub(crate) delivered_at: Option<Micros>,
    pub(crate) read_at: Option<Micros>,
}

impl ActiveModelBehavior for ActiveModel {}
