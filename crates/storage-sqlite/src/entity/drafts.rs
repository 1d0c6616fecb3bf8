//! What the person has begun to write.

use super::value::{Id, Micros};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "drafts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) conversation_id: Id,
    pub(crate) content: String,
    pub(crate) reply_to: Option<Id>,
    pub(crate) mentions: Option<String>,
    pub(crate) metadata: Option<String>,
    pub(crate) updated_at: Micros,
}

impl ActiveModelBehavior for ActiveModel {}
