//! Treatments.

use super::{ColumnKind, FieldError, Model, Need, RecordTable, Severity, Worker, declare, not_blank};
use crate::{
    RecordId,
    open_enum::open_enum,
    records::{ColumnName, TableName},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

open_enum!(
    /// How far a treatment's form is filled in.
    TreatmentStatus {
        /// Still being written.
        Draft => "draft",
        /// Finished.
        Complete => "complete",
    }
);

/// A treatment of a worker's injury.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Treatment {
    /// The treated worker.
    pub worker_id: RecordId,
    /// The medic: `medics.id`.
    pub medic_id: Uuid,
    /// `SITE-YYYYMMDD-NNN`.
    pub reference_number: String,
    /// How far the form is filled in.
    pub status: TreatmentStatus,
    /// The kind of injury.
    pub injury_type: String,
    /// Where on the body.
    pub body_part: Option<String>,
    /// How it happened.
    pub mechanism_of_injury: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// What was done, as words of the app.
    #[serde(default, deserialize_with = "super::treatment::list")]
    pub treatment_types: Vec<String>,
    /// Notes.
    pub treatment_notes: Option<String>,
    /// What became of it.
    pub outcome: Option<String>,
    /// Whether the law requires a report (RIDDOR). Such a treatment is sent with priority 0.
    #[serde(default)]
    pub is_riddor_reportable: bool,
    /// Where the photos lie.
    #[serde(default, deserialize_with = "super::treatment::list")]
    pub photo_uris: Vec<String>,
    /// Where the signature lies.
    pub signature_uri: Option<String>,
    /// The kind of event, for apps that serve several.
    pub event_vertical: Option<String>,
    /// Fields of that kind of event.
    pub vertical_extra_fields: Option<Value>,
    /// The booking that it belongs to.
    pub booking_id: Option<Uuid>,
}

impl Treatment {
    /// A draft with what every treatment needs.
    #[must_use]
    pub fn new(
        worker_id: RecordId,
        medic_id: Uuid,
        reference_number: impl Into<String>,
        injury_type: impl Into<String>,
        severity: Severity,
    ) -> Self {
        Self {
            worker_id,
            medic_id,
            reference_number: reference_number.into(),
            status: TreatmentStatus::Draft,
            injury_type: injury_type.into(),
            body_part: None,
            mechanism_of_injury: None,
            severity,
            treatment_types: Vec::new(),
            treatment_notes: None,
            outcome: None,
            is_riddor_reportable: false,
            photo_uris: Vec::new(),
            signature_uri: None,
            event_vertical: None,
            vertical_extra_fields: None,
            booking_id: None,
        }
    }
}

impl Model for Treatment {
    const TABLE: &'static str = "treatments";

    fn table() -> RecordTable {
        use ColumnKind::{Bool, Json, Reference, Text, Uuid};
        use Need::{Indexed, Optional, Required};
        let Ok(workers) = TableName::new(Worker::TABLE) else { unreachable!("a constant") };
        let Ok(reportable) = ColumnName::new("is_riddor_reportable") else { unreachable!("a constant") };
        declare(
            Self::TABLE,
            &[
                ("worker_id", Reference(workers), Indexed),
                ("medic_id", Uuid, Required),
                ("reference_number", Text, Indexed),
                ("status", Text, Required),
                ("injury_type", Text, Required),
                ("body_part", Text, Optional),
                ("mechanism_of_injury", Text, Optional),
                ("severity", Text, Required),
                ("treatment_types", Json, Optional),
                ("treatment_notes", Text, Optional),
                ("outcome", Text, Optional),
                ("is_riddor_reportable", Bool, Optional),
                ("photo_uris", Json, Optional),
                ("signature_uri", Text, Optional),
                ("event_vertical", Text, Optional),
                ("vertical_extra_fields", Json, Optional),
                ("booking_id", Uuid, Optional),
            ],
        )
        .immediate_if(reportable)
    }

    fn check(&self) -> Result<(), FieldError> {
        not_blank("reference_number", &self.reference_number)?;
        not_blank("injury_type", &self.injury_type)
    }
}

/// A list that may be null.
pub(super) fn list<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
