//! Workers.

use super::value::{Id, Micros};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workers")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Id,
    pub(crate) server_id: Option<Id>,
    pub(crate) org_id: Id,
    #[sea_orm(indexed)]
    pub(crate) created_at: Micros,
    pub(crate) modified_at: Micros,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) company: Option<String>,
    pub(crate) role: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) emergency_contact_name: Option<String>,
    pub(crate) emergency_contact_phone: Option<String>,
    pub(crate) emergency_contact_relationship: Option<String>,
    pub(crate) health_notes: Option<String>,
    pub(crate) allergies: Option<String>,
    pub(crate) current_medications: Option<String>,
    pub(crate) pre_existing_conditions: Option<String>,
    pub(crate) blood_type: Option<String>,
    pub(crate) cscs_card_number: Option<String>,
    pub(crate) cscs_expiry_date: Option<String>,
    pub(crate) certifications: Option<String>,
    pub(crate) is_incomplete: Option<bool>,
    pub(crate) consent_given: Option<bool>,
    pub(crate) consent_date: Option<Micros>,
    pub(crate) version: i64,
    pub(crate) base: Option<String>,
    pub(crate) deleted: bool,
    pub(crate) confirmed: i64,
    pub(crate) extra: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
