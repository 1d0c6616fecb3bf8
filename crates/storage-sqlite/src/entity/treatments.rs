//! Treatments.

use super::value::{Id, Micros};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "treatments")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Id,
    pub(crate) server_id: Option<Id>,
    pub(crate) org_id: Id,
    #[sea_orm(indexed)]
    pub(crate) created_at: Micros,
    pub(crate) modified_at: Micros,
    #[sea_orm(indexed)]
    pub(crate) worker_id: Option<Id>,
    pub(crate) medic_id: Option<String>,
    #[sea_orm(indexed)]
    pub(crate) reference_number: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) injury_type: Option<String>,
    pub(crate) body_part: Option<String>,
    pub(crate) mechanism_of_injury: Option<String>,
    pub(crate) severity: Option<String>,
    pub(crate) treatment_types: Option<String>,
    pub(crate) treatment_notes: Option<String>,
    pub(crate) outcome: Option<String>,
    pub(crate) is_riddor_reportable: Option<bool>,
    pub(crate) photo_uris: Option<String>,
    pub(crate) signature_uri: Option<String>,
    pub(crate) event_vertical: Option<String>,
    pub(crate) vertical_extra_fields: Option<String>,
    pub(crate) booking_id: Option<String>,
    pub(crate) version: i64,
    pub(crate) base: Option<String>,
    pub(crate) deleted: bool,
    pub(crate) confirmed: i64,
    pub(crate) extra: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
