//! Near misses: what could have injured somebody.

use super::{ColumnKind, FieldError, Model, Need, RecordTable, Severity, declare, finite, not_blank};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A near miss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NearMiss {
    /// Who reported it: the user.
    pub reported_by: Uuid,
    /// The kind.
    pub category: String,
    /// How bad it could have been.
    pub severity: Severity,
    /// What happened.
    pub description: String,
    /// Where.
    pub location: Option<String>,
    /// Where the photos lie.
    #[serde(default, deserialize_with = "super::treatment::list")]
    pub photo_uris: Vec<String>,
    /// What was done about it.
    pub corrective_action: Option<String>,
    /// Latitude, in degrees.
    pub gps_lat: Option<f64>,
    /// Longitude, in degrees.
    pub gps_lng: Option<f64>,
}

impl NearMiss {
    /// A near miss with what every one needs.
    #[must_use]
    pub fn new(
        reported_by: Uuid,
        category: impl Into<String>,
        severity: Severity,
        description: impl Into<String>,
    ) -> Self {
        Self {
            reported_by,
            category: category.into(),
            severity,
            description: description.into(),
            location: None,
            photo_uris: Vec::new(),
            corrective_action: None,
            gps_lat: None,
            gps_lng: None,
        }
    }
}

impl Model for NearMiss {
    const TABLE: &'static str = "near_misses";

    fn table() -> RecordTable {
        use ColumnKind::{Json, Real, Text, Uuid};
        use Need::{Optional, Required};
        declare(
            Self::TABLE,
            &[
                ("reported_by", Uuid, Required),
                ("category", Text, Required),
                ("severity", Text, Required),
                ("description", Text, Required),
                ("location", Text, Optional),
                ("photo_uris", Json, Optional),
                ("corrective_action", Text, Optional),
                ("gps_lat", Real, Optional),
                ("gps_lng", Real, Optional),
            ],
        )
    }

    fn check(&self) -> Result<(), FieldError> {
        not_blank("description", &self.description)?;
        finite("gps_lat", self.gps_lat)?;
        finite("gps_lng", self.gps_lng)
    }
}
