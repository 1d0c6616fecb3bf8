//! Near misses.

use super::value::{Id, Micros};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "near_misses")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Id,
    pub(crate) server_id: Option<Id>,
    pub(crate) org_id: Id,
    #[sea_orm(indexed)]
    pub(crate) created_at: Micros,
    pub(crate) modified_at: Micros,
    pub(crate) reported_by: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) severity: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) photo_uris: Option<String>,
    pub(crate) corrective_action: Option<String>,
    pub(crate) gps_lat: Option<f64>,
    pub(crate) gps_lng: Option<f64>,
    pub(crate) version: i64,
    pub(crate) base: Option<String>,
    pub(crate) deleted: bool,
    pub(crate) confirmed: i64,
    pub(crate) extra: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
