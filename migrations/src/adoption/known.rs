//! The tables of versions 4 and 5, and their columns.

/// A table of the app: its name and its columns beside WatermelonDB's own.
pub(super) type Known = (&'static str, &'static [&'static str]);

/// What WatermelonDB adds to every table.
pub(super) const STANDARD: [&str; 3] = ["id", "_changed", "_status"];

pub(super) const CLINICAL: [Known; 6] = [
    (
        "treatments",
        &[
            "server_id",
            "org_id",
            "worker_id",
            "medic_id",
            "reference_number",
            "status",
            "injury_type",
            "body_part",
            "mechanism_of_injury",
            "severity",
            "treatment_types",
            "treatment_notes",
            "outcome",
            "is_riddor_reportable",
            "photo_uris",
            "signature_uri",
            "created_at",
            "updated_at",
            "last_modified_at",
            "event_vertical",
            "vertical_extra_fields",
            "booking_id",
        ],
    ),
    (
        "workers",
        &[
            "server_id",
            "org_id",
            "first_name",
            "last_name",
            "company",
            "role",
            "phone",
            "emergency_contact_name",
            "emergency_contact_phone",
            "emergency_contact_relationship",
            "health_notes",
            "allergies",
            "current_medications",
            "pre_existing_conditions",
            "blood_type",
            "cscs_card_number",
            "cscs_expiry_date",
            "certifications",
            "is_incomplete",
            "consent_given",
            "consent_date",
            "created_at",
            "updated_at",
            "last_modified_at",
        ],
    ),
    (
        "near_misses",
        &[
            "server_id",
            "org_id",
            "reported_by",
            "category",
            "severity",
            "description",
            "location",
            "photo_uris",
            "corrective_action",
            "created_at",
            "updated_at",
            "last_modified_at",
            "gps_lat",
            "gps_lng",
        ],
    ),
    (
        "safety_checks",
        &[
            "server_id",
            "org_id",
            "medic_id",
            "check_date",
            "items",
            "overall_status",
            "photo_uris",
            "created_at",
            "updated_at",
            "last_modified_at",
        ],
    ),
    (
        "sync_queue",
        &[
            "operation",
            "table_name",
            "record_id",
            "idempotency_key",
            "payload",
            "priority",
            "retry_count",
            "next_retry_at",
            "created_at",
        ],
    ),
    ("audit_log", &["user_id", "table_name", "record_id", "operation", "context", "synced", "created_at"]),
];

pub(super) const MESSAGING: [Known; 2] = [
    (
        "conversations",
        &[
            "server_id",
            "org_id",
            "type",
            "subject",
            "medic_id",
            "created_by",
            "last_message_at",
            "last_message_preview",
            "participant_name",
            "unread_count",
            "last_read_at",
            "created_at",
            "updated_at",
        ],
    ),
    (
        "messages",
        &[
            "server_id",
            "conversation_id",
            "org_id",
            "sender_id",
            "sender_name",
            "message_type",
            "content",
            "status",
            "idempotency_key",
            "created_at",
            "updated_at",
        ],
    ),
];

/// The table of this name.
pub(super) fn find(name: &str) -> Option<&'static Known> {
    CLINICAL.iter().chain(&MESSAGING).find(|(table, _)| *table == name)
}
