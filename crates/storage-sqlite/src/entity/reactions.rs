//! Reactions to messages. Rows of everybody together have the id of nobody.

use super::value::{Id, Micros};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reactions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) message_id: Id,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) emoji: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) person_id: Id,
    #[sea_orm(indexed)]
    pub(crate) conversation_id: Id,
    pub(crate) count: i64,
    pub(crate) created_at: Micros,
    pub(crate) version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
