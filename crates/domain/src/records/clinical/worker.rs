//! Workers: the people who may need treatment.

use super::{ColumnKind, FieldError, Model, Need, RecordTable, declare, not_blank};
use crate::Time;
use serde::{Deserialize, Serialize};

/// A worker on the site, with what a medic must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// The company.
    pub company: String,
    /// The trade.
    pub role: String,
    /// Phone number.
    pub phone: Option<String>,
    /// Whom to call in an emergency.
    pub emergency_contact_name: Option<String>,
    /// Their phone number.
    pub emergency_contact_phone: Option<String>,
    /// Who they are to the worker.
    pub emergency_contact_relationship: Option<String>,
    /// Notes on health.
    pub health_notes: Option<String>,
    /// Allergies.
    pub allergies: Option<String>,
    /// Medication.
    pub current_medications: Option<String>,
    /// Conditions.
    pub pre_existing_conditions: Option<String>,
    /// Blood type.
    pub blood_type: Option<String>,
    /// Number of the CSCS card.
    pub cscs_card_number: Option<String>,
    /// When it expires, as the app wrote it.
    pub cscs_expiry_date: Option<String>,
    /// Certificates.
    #[serde(default, deserialize_with = "super::treatment::list")]
    pub certifications: Vec<String>,
    /// Whether the form is not filled in yet.
    #[serde(default)]
    pub is_incomplete: bool,
    /// Whether the worker agreed that this is kept.
    #[serde(default)]
    pub consent_given: bool,
    /// When.
    pub consent_date: Option<Time>,
}

impl Worker {
    /// A worker with what every worker needs.
    #[must_use]
    pub fn new(
        first_name: impl Into<String>,
        last_name: impl Into<String>,
        company: impl Into<String>,
        role: impl Into<String>,
    ) -> Self {
        Self {
            first_name: first_name.into(),
            last_name: last_name.into(),
            company: company.into(),
            role: role.into(),
            phone: None,
            emergency_contact_name: None,
            emergency_contact_phone: None,
            emergency_contact_relationship: None,
            health_notes: None,
            allergies: None,
            current_medications: None,
            pre_existing_conditions: None,
            blood_type: None,
            cscs_card_number: None,
            cscs_expiry_date: None,
            certifications: Vec::new(),
            is_incomplete: false,
            consent_given: false,
            consent_date: None,
        }
    }
}

impl Model for Worker {
    const TABLE: &'static str = "workers";

    fn table() -> RecordTable {
        use ColumnKind::{Bool, Json, Text, Time};
        use Need::{Optional, Required};
        declare(
            Self::TABLE,
            &[
                ("first_name", Text, Required),
                ("last_name", Text, Required),
                ("company", Text, Required),
                ("role", Text, Required),
                ("phone", Text, Optional),
                ("emergency_contact_name", Text, Optional),
                ("emergency_contact_phone", Text, Optional),
                ("emergency_contact_relationship", Text, Optional),
                ("health_notes", Text, Optional),
                ("allergies", Text, Optional),
                ("current_medications", Text, Optional),
                ("pre_existing_conditions", Text, Optional),
                ("blood_type", Text, Optional),
                ("cscs_card_number", Text, Optional),
                ("cscs_expiry_date", Text, Optional),
                ("certifications", Json, Optional),
                ("is_incomplete", Bool, Optional),
                ("consent_given", Bool, Optional),
                ("consent_date", Time, Optional),
            ],
        )
    }

    fn check(&self) -> Result<(), FieldError> {
        not_blank("last_name", &self.last_name)
    }
}
