//! The four clinical tables, with types.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Real,
    Bool,
    Time,
    Date,
    Json,
    Uuid,
    /// The id of a worker.
    Worker,
}

/// A table: its name, its columns, and those with an index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [(&'static str, Kind)],
    indexed: &'static [&'static str],
}

pub(super) const WORKERS: &str = "workers";
pub(super) const TREATMENTS: &str = "treatments";
/// Makes a treatment immediate.
pub(super) const REPORTABLE: &str = "is_riddor_reportable";

/// What others refer to comes first.
pub(super) const TABLES: [Table; 4] = [
    Table {
        name: WORKERS,
        columns: &[
            ("first_name", Kind::Text),
            ("last_name", Kind::Text),
            ("company", Kind::Text),
            ("role", Kind::Text),
            ("phone", Kind::Text),
            ("emergency_contact_name", Kind::Text),
            ("emergency_contact_phone", Kind::Text),
            ("emergency_contact_relationship", Kind::Text),
            ("health_notes", Kind::Text),
            ("allergies", Kind::Text),
            ("current_medications", Kind::Text),
            ("pre_existing_conditions", Kind::Text),
            ("blood_type", Kind::Text),
            ("cscs_card_number", Kind::Text),
            ("cscs_expiry_date", Kind::Text),
            ("certifications", Kind::Json),
            ("is_incomplete", Kind::Bool),
            ("consent_given", Kind::Bool),
            ("consent_date", Kind::Time),
        ],
        indexed: &[],
    },
    Table {
        name: TREATMENTS,
        columns: &[
            ("worker_id", Kind::Worker),
            ("medic_id", Kind::Uuid),
            ("reference_number", Kind::Text),
            ("status", Kind::Text),
            ("injury_type", Kind::Text),
            ("body_part", Kind::Text),
            ("mechanism_of_injury", Kind::Text),
            ("severity", Kind::Text),
            ("treatment_types", Kind::Json),
            ("treatment_notes", Kind::Text),
            ("outcome", Kind::Text),
            (REPORTABLE, Kind::Bool),
            ("photo_uris", Kind::Json),
            ("signature_uri", Kind::Text),
            ("event_vertical", Kind::Text),
            ("vertical_extra_fields", Kind::Json),
            ("booking_id", Kind::Uuid),
        ],
        indexed: &["worker_id", "reference_number"],
    },
    Table {
        name: "near_misses",
        columns: &[
            ("reported_by", Kind::Uuid),
            ("category", Kind::Text),
            ("severity", Kind::Text),
            ("description", Kind::Text),
            ("location", Kind::Text),
            ("photo_uris", Kind::Json),
            ("corrective_action", Kind::Text),
            ("gps_lat", Kind::Real),
            ("gps_lng", Kind::Real),
        ],
        indexed: &[],
    },
    Table {
        name: "safety_checks",
        columns: &[
            ("medic_id", Kind::Uuid),
            ("check_date", Kind::Date),
            ("items", Kind::Json),
            ("overall_status", Kind::Text),
            ("photo_uris", Kind::Json),
        ],
        indexed: &[],
    },
];

/// The table of this name.
pub(super) fn find(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

/// The statements that create them.
pub(super) fn create() -> String {
    TABLES.iter().map(Table::create).collect()
}

impl Table {
    /// Every record table has the same columns around its own. No name of a table has a dot, so none is an index's.
    fn create(&self) -> String {
        let name = self.name;
        let columns: String =
            self.columns.iter().map(|(column, kind)| format!("    {column} {},\n", kind.stored())).collect();
        let mut sql = format!(
            "CREATE TABLE {name} (
    id BLOB PRIMARY KEY NOT NULL,
    server_id BLOB,
    org_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
{columns}    version INTEGER NOT NULL,
    base TEXT,
    deleted INTEGER NOT NULL DEFAULT 0,
    confirmed INTEGER NOT NULL DEFAULT 0,
    extra TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX \"{name}.created_at\" ON {name} (created_at DESC, id) WHERE deleted = 0;
"
        );
        for column in self.indexed {
            sql += &format!("CREATE INDEX \"{name}.{column}\" ON {name} ({column});\n");
        }
        for (column, kind) in self.columns {
            let kind = kind.declared();
            sql += &format!(
                "INSERT INTO record_columns (table_name, name, kind) VALUES ('{name}', '{column}', '{kind}');\n"
            );
        }
        sql
    }
}

impl Kind {
    const fn stored(self) -> &'static str {
        match self {
            Self::Text | Self::Date | Self::Json | Self::Uuid => "TEXT",
            Self::Real => "REAL",
            Self::Bool | Self::Time => "INTEGER",
            Self::Worker => "BLOB",
        }
    }

    /// As a declaration writes it.
    const fn declared(self) -> &'static str {
        match self {
            Self::Text => r#""text""#,
            Self::Real => r#""real""#,
            Self::Bool => r#""bool""#,
            Self::Time => r#""time""#,
            Self::Date => r#""date""#,
            Self::Json => r#""json""#,
            Self::Uuid => r#""uuid""#,
            Self::Worker => r#"{"reference":"workers"}"#,
        }
    }
}
