//! The numbers of unread messages, and of unread mentions, over all conversations: one row. Triggers keep it up to date.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "unread_total")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) only: i64,
    pub(crate) messages: i64,
    pub(crate) mentions: i64,
}

impl ActiveModelBehavior for ActiveModel {}
