//! Safety checks.

use super::value::{Id, Micros};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "safety_checks")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Id,
    pub(crate) server_id: Option<Id>,
    pub(crate) org_id: Id,
    #[sea_orm(indexed)]
    pub(crate) created_at: Micros,
    pub(crate) modified_at: Micros,
    pub(crate) medic_id: Option<String>,
    pub(crate) check_date: Option<String>,
    pub(crate) items: Option<String>,
    pub(crate) overall_status: Option<String>,
    pub(crate) photo_uris: Option<String>,
    pub(crate) version: i64,
    pub(crate) base: Option<String>,
    pub(crate) deleted: bool,
    pub(crate) confirmed: i64,
    pub(crate) extra: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
