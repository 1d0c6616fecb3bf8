//! The four clinical tables of the app that Fieldpost replaces: treatments, workers, near misses and safety checks.
//!
//! They are declared like any app's tables and have typed models beside that. A model reads what any version wrote:
//! words that it does not know are kept ([`Severity::Unknown`] and so on), and a missing optional field is none.

mod near_miss;
mod safety_check;
mod treatment;
mod worker;

pub use near_miss::NearMiss;
pub use safety_check::{CheckStatus, SafetyCheck};
pub use treatment::{Treatment, TreatmentStatus};
pub use worker::Worker;

use super::{Column, ColumnKind, ColumnName, FieldError, Fields, RecordTable, TableName};
use crate::open_enum::open_enum;
use serde::{Serialize, de::DeserializeOwned};

open_enum!(
    /// How bad an injury is, or could have been.
    Severity {
        /// Minor.
        Minor => "minor",
        /// Moderate.
        Moderate => "moderate",
        /// Major.
        Major => "major",
        /// Critical.
        Critical => "critical",
    }
);

/// The fields of a record that a typed model cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a record of `{table}` cannot be read as its model: {detail}")]
pub struct ModelError {
    table: &'static str,
    detail: String,
}

/// A typed model of a table's records.
pub trait Model: Serialize + DeserializeOwned {
    /// The table's name, on both sides.
    const TABLE: &'static str;

    /// The declaration of the table.
    fn table() -> RecordTable;

    /// Checks what the columns alone do not say. That a number is finite is such a thing: as JSON it is null if it is not, and
    /// would clear its field.
    ///
    /// # Errors
    /// [`FieldError`] for the first fault.
    fn check(&self) -> Result<(), FieldError> {
        Ok(())
    }

    /// The fields as a record has them. A field without a value is null, so that an update can clear it.
    #[must_use]
    fn to_fields(&self) -> Fields {
        // A model is a struct of plain values, which always serializes to an object.
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(fields)) => fields.into_iter().collect(),
            _ => Fields::new(),
        }
    }

    /// Reads the fields of a record.
    ///
    /// # Errors
    /// [`ModelError`] when a required field is missing, or a value does not fit.
    fn from_fields(fields: &Fields) -> Result<Self, ModelError> {
        let object = fields.iter().map(|(column, value)| (column.to_owned(), value.clone())).collect();
        serde_json::from_value(serde_json::Value::Object(object))
            .map_err(|error| ModelError { table: Self::TABLE, detail: error.to_string() })
    }
}

/// The declarations of the four tables.
#[must_use]
pub fn tables() -> Vec<RecordTable> {
    vec![Worker::table(), Treatment::table(), NearMiss::table(), SafetyCheck::table()]
}

/// The names of the tables.
pub const TABLES: [&str; 4] = [Worker::TABLE, Treatment::TABLE, NearMiss::TABLE, SafetyCheck::TABLE];

/// A declaration from columns that are written as text: the names are constants, and a test reads them all.
fn declare(name: &str, columns: &[(&str, ColumnKind, Need)]) -> RecordTable {
    let Ok(name) = TableName::new(name) else { unreachable!("a constant") };
    columns.iter().fold(RecordTable::new(name), |table, (column, kind, need)| {
        let Ok(name) = ColumnName::new(*column) else { unreachable!("a constant") };
        let column = Column::new(name, kind.clone());
        table.column(match need {
            Need::Optional => column,
            Need::Required => column.required(),
            Need::Indexed => column.required().indexed(),
        })
    })
}

/// What a clinical column needs.
#[derive(Debug, Clone, Copy)]
enum Need {
    Optional,
    Required,
    Indexed,
}

/// Checks that a text says something.
fn not_blank(column: &str, text: &str) -> Result<(), FieldError> {
    match ColumnName::new(column) {
        Ok(column) if crate::content::is_blank(text) => {
            Err(FieldError::NotAllowed { column, rule: "it must not be empty" })
        }
        _ => Ok(()),
    }
}

/// Checks that a number is one.
fn finite(column: &str, number: Option<f64>) -> Result<(), FieldError> {
    match ColumnName::new(column) {
        Ok(column) if !number.is_none_or(f64::is_finite) => {
            Err(FieldError::NotAllowed { column, rule: "it must be a finite number" })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RecordId, records::Priority};
    use uuid::Uuid;

    fn treatment() -> Treatment {
        Treatment::new(
            RecordId::from_uuid(Uuid::from_u128(7)),
            Uuid::from_u128(8),
            "SITE-20260131-001",
            "laceration",
            Severity::Minor,
        )
    }

    #[test]
    fn the_declarations_are_sound() {
        let tables = tables();
        assert_eq!(RecordTable::check_all(&tables), Ok(()));
        assert_eq!(tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), TABLES);
    }

    #[test]
    fn a_model_has_exactly_the_columns_of_its_table() {
        fn columns<M: Model>(model: &M) -> (Vec<String>, Vec<String>) {
            let mut declared: Vec<_> = M::table().columns.iter().map(|it| it.name.as_str().to_owned()).collect();
            declared.sort();
            (model.to_fields().iter().map(|(name, _)| name.to_owned()).collect(), declared)
        }
        let worker = Worker::new("Ada", "Moss", "Crane Ltd", "rigger");
        let near_miss = NearMiss::new(Uuid::nil(), "fall", Severity::Minor, "a loose plank");
        let check = SafetyCheck::new(Uuid::nil(), chrono::NaiveDate::default(), CheckStatus::Pass);
        for (of_model, declared) in [columns(&treatment()), columns(&worker), columns(&near_miss), columns(&check)] {
            assert_eq!(of_model, declared);
        }
    }

    #[test]
    fn a_model_survives_its_fields_and_passes_its_declaration() {
        let mut treatment = treatment();
        treatment.treatment_types = vec!["cleaned".into()];
        treatment.status = TreatmentStatus::from("reviewed");
        let fields = treatment.to_fields();
        assert_eq!(Treatment::table().check_new(&fields), Ok(()));
        assert_eq!(Treatment::from_fields(&fields), Ok(treatment));
    }

    #[test]
    fn a_reportable_treatment_is_immediate() {
        let mut treatment = treatment();
        let priority = Treatment::table().priority;
        assert_eq!(priority.of(&treatment.to_fields()), Priority::Normal);
        treatment.is_riddor_reportable = true;
        assert_eq!(priority.of(&treatment.to_fields()), Priority::Immediate);
    }

    #[test]
    fn an_empty_reference_number_is_not_allowed() {
        let mut treatment = treatment();
        assert_eq!(treatment.check(), Ok(()));
        treatment.reference_number = " ".into();
        assert!(matches!(treatment.check(), Err(FieldError::NotAllowed { .. })));
    }

    #[test]
    fn a_place_that_is_no_number_is_not_allowed() {
        let mut near_miss = NearMiss::new(Uuid::nil(), "fall", Severity::Minor, "a loose plank");
        (near_miss.gps_lat, near_miss.gps_lng) = (Some(51.5), Some(-0.1));
        assert_eq!(near_miss.check(), Ok(()));
        near_miss.gps_lng = Some(f64::NAN);
        assert!(matches!(near_miss.check(), Err(FieldError::NotAllowed { .. })));
        (near_miss.gps_lat, near_miss.gps_lng) = (Some(f64::INFINITY), None);
        assert!(matches!(near_miss.check(), Err(FieldError::NotAllowed { .. })));
    }

    #[test]
    fn what_does_not_fit_a_model_says_which_table() {
        let error = Worker::from_fields(&Fields::new().with("first_name", 7)).unwrap_err();
        assert!(error.to_string().contains("workers"), "{error}");
    }
}
