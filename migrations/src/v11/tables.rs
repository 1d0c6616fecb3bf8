//! The tables of version 11 that are the same for all records.
//!
//! Ids are 16 bytes, times microseconds since 1970 in UTC. `version` is the server's version of a row, and −1 for what the
//! server has not sent.

pub(super) const CREATE: &str = r"
-- The declarations of the app. What is no longer declared stays.
CREATE TABLE record_tables (
    name TEXT PRIMARY KEY NOT NULL,
    declared INTEGER NOT NULL,
    declaration TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Every column that was ever declared, with its kind as JSON: it never changes.
CREATE TABLE record_columns (
    table_name TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (table_name, name)
) STRICT, WITHOUT ROWID;

-- What was done here and the server has not answered. `in_flight` counts the attempts whose outcome is unknown. `taken_by`
-- is the store that has it under way; one that has died takes nothing along.
CREATE TABLE record_queue (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    table_name TEXT NOT NULL,
    record_id BLOB NOT NULL,
    operation TEXT NOT NULL,
    org_id BLOB,
    fields TEXT NOT NULL,
    priority INTEGER NOT NULL,
    wire_size INTEGER NOT NULL,
    clock BLOB NOT NULL,
    modified_at INTEGER NOT NULL,
    in_flight INTEGER NOT NULL DEFAULT 0,
    taken_by BLOB,
    failures INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER,
    last_retry TEXT,
    failed_code TEXT,
    failed_detail TEXT,
    recorded_at INTEGER NOT NULL
) STRICT;
CREATE INDEX record_queue_by_priority ON record_queue (priority, position);
CREATE INDEX record_queue_by_record ON record_queue (table_name, record_id, position);
CREATE INDEX record_queue_waiting ON record_queue (next_at, position) WHERE failed_code IS NULL;
CREATE INDEX record_queue_by_change ON record_queue (modified_at);

-- By how much a clock of this device was ahead of the server's.
CREATE TABLE record_clocks (
    clock BLOB PRIMARY KEY NOT NULL,
    ahead_micros INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Changes that lost, until the person has decided.
CREATE TABLE record_conflicts (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    table_name TEXT NOT NULL,
    record_id BLOB NOT NULL,
    lost TEXT NOT NULL,
    lost_modified_at INTEGER NOT NULL,
    won TEXT NOT NULL,
    won_modified_at INTEGER NOT NULL,
    noticed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX record_conflicts_by_record ON record_conflicts (table_name, record_id);

-- Deletions, kept so that a late page cannot bring a record back.
CREATE TABLE record_tombstones (
    table_name TEXT NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (table_name, id)
) STRICT, WITHOUT ROWID;

-- What a record was called before the server gave its primary key.
CREATE TABLE record_aliases (
    table_name TEXT NOT NULL,
    id BLOB NOT NULL,
    canonical_id BLOB NOT NULL,
    PRIMARY KEY (table_name, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_aliases_by_canonical ON record_aliases (table_name, canonical_id);

-- How far this device has followed the server's records. `generation` counts first loads.
CREATE TABLE record_sync (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    cursor TEXT,
    loading INTEGER NOT NULL DEFAULT 0,
    generation INTEGER NOT NULL DEFAULT 0,
    server_epoch TEXT,
    last_success_at INTEGER,
    memory TEXT
) STRICT;
INSERT INTO record_sync (only) VALUES (1);

-- Items of an older app's queue that Fieldpost does not touch.
CREATE TABLE carried_items (
    pk INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    table_name TEXT NOT NULL,
    record_id TEXT NOT NULL,
    operation TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    payload TEXT NOT NULL,
    priority INTEGER NOT NULL,
    retry_count INTEGER NOT NULL,
    created_at INTEGER
) STRICT;

-- Who has read which record, until it is uploaded.
CREATE TABLE audit_log (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    person_id BLOB NOT NULL,
    table_name TEXT NOT NULL,
    record_id BLOB NOT NULL,
    operation TEXT NOT NULL,
    context TEXT,
    clock BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- What an upgrade could not take over, and why.
CREATE TABLE import_report (
    pk INTEGER PRIMARY KEY,
    table_name TEXT NOT NULL,
    row_id TEXT NOT NULL,
    column_name TEXT,
    reason TEXT NOT NULL,
    content TEXT
) STRICT;

-- The account of what came over from the older app, as JSON.
CREATE TABLE import_account (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    account TEXT NOT NULL
) STRICT;
";

/// The sizes, kept by triggers: they are read after every commit, and counting takes longer the more rows there are.
pub(super) const COUNT: &str = "
CREATE TABLE record_counts (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    pending INTEGER NOT NULL,
    immediate INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    conflicts INTEGER NOT NULL,
    carried INTEGER NOT NULL,
    audit INTEGER NOT NULL,
    audit_dropped INTEGER NOT NULL
) STRICT;
INSERT INTO record_counts (only, pending, immediate, failed, conflicts, carried, audit, audit_dropped)
VALUES (1, 0, 0, 0, 0, 0, 0, 0);
CREATE TRIGGER record_counts_insert AFTER INSERT ON record_queue BEGIN
    UPDATE record_counts SET pending = pending + (new.failed_code IS NULL), failed = failed + (new.failed_code IS NOT NULL),
        immediate = immediate + (new.failed_code IS NULL AND new.priority = 0);
END;
CREATE TRIGGER record_counts_delete AFTER DELETE ON record_queue BEGIN
    UPDATE record_counts SET pending = pending - (old.failed_code IS NULL), failed = failed - (old.failed_code IS NOT NULL),
        immediate = immediate - (old.failed_code IS NULL AND old.priority = 0);
END;
CREATE TRIGGER record_counts_update AFTER UPDATE OF failed_code, priority ON record_queue
WHEN (old.failed_code IS NULL) <> (new.failed_code IS NULL) OR old.priority <> new.priority BEGIN
    UPDATE record_counts SET pending = pending + (new.failed_code IS NULL) - (old.failed_code IS NULL),
        failed = failed + (new.failed_code IS NOT NULL) - (old.failed_code IS NOT NULL),
        immediate = immediate + (new.failed_code IS NULL AND new.priority = 0) - (old.failed_code IS NULL AND old.priority = 0);
END;
CREATE TRIGGER record_counts_conflict AFTER INSERT ON record_conflicts BEGIN
    UPDATE record_counts SET conflicts = conflicts + 1;
END;
CREATE TRIGGER record_counts_dismiss AFTER DELETE ON record_conflicts BEGIN
    UPDATE record_counts SET conflicts = conflicts - 1;
END;
CREATE TRIGGER record_counts_carry AFTER INSERT ON carried_items BEGIN
    UPDATE record_counts SET carried = carried + 1;
END;
CREATE TRIGGER record_counts_hand_over AFTER DELETE ON carried_items BEGIN
    UPDATE record_counts SET carried = carried - 1;
END;
CREATE TRIGGER record_counts_audit AFTER INSERT ON audit_log BEGIN
    UPDATE record_counts SET audit = audit + 1;
END;
CREATE TRIGGER record_counts_audited AFTER DELETE ON audit_log BEGIN
    UPDATE record_counts SET audit = audit - 1;
END;";
