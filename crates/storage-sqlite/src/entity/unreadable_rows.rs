//! Rows of the server that this version cannot read.

use super::value::Id;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "unreadable_rows")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) pk: i64,
    #[sea_orm(unique)]
    pub(crate) digest: Vec<u8>,
    #[sea_orm(indexed)]
    pub(crate) conversation_id: Option<Id>,
    pub(crate) list: String,
    pub(crate) payload: String,
    pub(crate) reason: String,
}

impl ActiveModelBehavior for ActiveModel {}
