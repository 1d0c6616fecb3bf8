//! Receipts: when a marker moved, and what waits without being counted.

pub(super) const MARKERS: &str = "
ALTER TABLE read_markers ADD COLUMN delivered_at INTEGER;
ALTER TABLE read_markers ADD COLUMN read_at INTEGER;
CREATE INDEX people_by_org ON people (org_id);";

/// `counts`: a person waits for it. What the store records by itself is not counted.
pub(super) const OUTBOX: &str = "
ALTER TABLE outbox ADD COLUMN counts INTEGER NOT NULL DEFAULT 1;
DROP TRIGGER outbox_counts_insert;
DROP TRIGGER outbox_counts_delete;
DROP TRIGGER outbox_counts_update;
CREATE TRIGGER outbox_counts_insert AFTER INSERT ON outbox WHEN new.counts BEGIN
    UPDATE outbox_counts SET pending = pending + (new.failed_code IS NULL), failed = failed + (new.failed_code IS NOT NULL);
END;
CREATE TRIGGER outbox_counts_delete AFTER DELETE ON outbox WHEN old.counts BEGIN
    UPDATE outbox_counts SET pending = pending - (old.failed_code IS NULL), failed = failed - (old.failed_code IS NOT NULL);
END;
CREATE TRIGGER outbox_counts_update AFTER UPDATE OF failed_code ON outbox
WHEN new.counts AND (old.failed_code IS NULL) <> (new.failed_code IS NULL) BEGIN
    UPDATE outbox_counts SET pending = pending + (new.failed_code IS NULL) - (old.failed_code IS NULL),
        failed = failed + (new.failed_code IS NOT NULL) - (old.failed_code IS NOT NULL);
END;";
