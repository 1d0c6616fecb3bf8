//! The newest word on whether the person may see a conversation.

use super::value::Id;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) conversation_id: Id,
    pub(crate) revoked: bool,
    pub(crate) version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
