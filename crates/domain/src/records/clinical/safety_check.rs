//! Safety checks.

use super::{ColumnKind, Model, Need, RecordTable, declare};
use crate::open_enum::open_enum;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

open_enum!(
    /// The result of a safety check.
    CheckStatus {
        /// Everything was right.
        Pass => "pass",
        /// It failed.
        Fail => "fail",
        /// Some of it was right.
        Partial => "partial",
    }
);

/// A safety check of a site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SafetyCheck {
    /// The medic: `medics.id`.
    pub medic_id: Uuid,
    /// The day.
    pub check_date: NaiveDate,
    /// What was checked, as the app writes it.
    pub items: Value,
    /// The result.
    pub overall_status: CheckStatus,
    /// Where the photos lie.
    #[serde(default, deserialize_with = "super::treatment::list")]
    pub photo_uris: Vec<String>,
}

impl SafetyCheck {
    /// A check without items.
    #[must_use]
    pub const fn new(medic_id: Uuid, check_date: NaiveDate, overall_status: CheckStatus) -> Self {
        Self { medic_id, check_date, items: Value::Array(Vec::new()), overall_status, photo_uris: Vec::new() }
    }
}

impl Model for SafetyCheck {
    const TABLE: &'static str = "safety_checks";

    fn table() -> RecordTable {
        use ColumnKind::{Date, Json, Text, Uuid};
        use Need::{Optional, Required};
        declare(
            Self::TABLE,
            &[
                ("medic_id", Uuid, Required),
                ("check_date", Date, Required),
                ("items", Json, Required),
                ("overall_status", Text, Required),
                ("photo_uris", Json, Optional),
            ],
        )
    }
}
