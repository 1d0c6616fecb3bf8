//! Who has read which record, until it is uploaded.

use super::value::{Id, Micros};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_log")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) position: i64,
    #[sea_orm(unique)]
    pub(crate) id: Id,
    pub(crate) person_id: Id,
    pub(crate) table_name: String,
    pub(crate) record_id: Id,
    pub(crate) operation: String,
    pub(crate) context: Option<String>,
    pub(crate) clock: Id,
    pub(crate) at: Micros,
}

impl ActiveModelBehavior for ActiveModel {}
