//! Version 4: the clinical tables, as WatermelonDB created them. Their columns have no type, because WatermelonDB
//! leaves typing to the app. Version 11 gives them types.

use crate::script::Script;

pub(crate) const MIGRATION: Script = Script { name: "m0004_clinical", parts: &[TABLES] };

const TABLES: &str = r#"
CREATE TABLE IF NOT EXISTS "local_storage" ("key" varchar(16) primary key not null, "value" text not null);
CREATE INDEX IF NOT EXISTS "local_storage_key_index" ON "local_storage" ("key");

CREATE TABLE "treatments" ("id" primary key, "_changed", "_status", "server_id", "org_id", "worker_id", "medic_id",
    "reference_number", "status", "injury_type", "body_part", "mechanism_of_injury", "severity", "treatment_types",
    "treatment_notes", "outcome", "is_riddor_reportable", "photo_uris", "signature_uri", "created_at", "updated_at",
    "last_modified_at", "event_vertical", "vertical_extra_fields", "booking_id");
CREATE INDEX "treatments_org_id" ON "treatments" ("org_id");
CREATE INDEX "treatments_worker_id" ON "treatments" ("worker_id");
CREATE INDEX "treatments_reference_number" ON "treatments" ("reference_number");
CREATE INDEX "treatments__status" ON "treatments" ("_status");

CREATE TABLE "workers" ("id" primary key, "_changed", "_status", "server_id", "org_id", "first_name", "last_name", "company",
    "role", "phone", "emergency_contact_name", "emergency_contact_phone", "emergency_contact_relationship", "health_notes",
    "allergies", "current_medications", "pre_existing_conditions", "blood_type", "cscs_card_number", "cscs_expiry_date",
    "certifications", "is_incomplete", "consent_given", "consent_date", "created_at", "updated_at", "last_modified_at");
CREATE INDEX "workers_org_id" ON "workers" ("org_id");
CREATE INDEX "workers__status" ON "workers" ("_status");

CREATE TABLE "near_misses" ("id" primary key, "_changed", "_status", "server_id", "org_id", "reported_by", "category",
    "severity", "description", "location", "photo_uris", "corrective_action", "created_at", "updated_at",
    "last_modified_at", "gps_lat", "gps_lng");
CREATE INDEX "near_misses_org_id" ON "near_misses" ("org_id");
CREATE INDEX "near_misses__status" ON "near_misses" ("_status");

CREATE TABLE "safety_checks" ("id" primary key, "_changed", "_status", "server_id", "org_id", "medic_id", "check_date",
    "items", "overall_status", "photo_uris", "created_at", "updated_at", "last_modified_at");
CREATE INDEX "safety_checks_org_id" ON "safety_checks" ("org_id");
CREATE INDEX "safety_checks__status" ON "safety_checks" ("_status");

CREATE TABLE "sync_queue" ("id" primary key, "_changed", "_status", "operation", "table_name", "record_id",
    "idempotency_key", "payload", "priority", "retry_count", "next_retry_at", "created_at");
CREATE INDEX "sync_queue__status" ON "sync_queue" ("_status");

CREATE TABLE "audit_log" ("id" primary key, "_changed", "_status", "user_id", "table_name", "record_id", "operation",
    "context", "synced", "created_at");
CREATE INDEX "audit_log__status" ON "audit_log" ("_status");
"#;
