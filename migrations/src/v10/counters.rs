//! Counts of queued and failed mutations.
//!
//! The counts are read after every send, and counting rows takes longer the fuller the outbox is. Triggers keep the
//! counts, so no statement can forget to update them.

pub(super) const COUNTERS: &str = "
CREATE TABLE outbox_counts (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    pending INTEGER NOT NULL,
    failed INTEGER NOT NULL
) STRICT;
INSERT INTO outbox_counts (only, pending, failed) SELECT 1, count(*) - count(failed_code), count(failed_code) FROM outbox;
CREATE TRIGGER outbox_counts_insert AFTER INSERT ON outbox BEGIN
    UPDATE outbox_counts SET pending = pending + (new.failed_code IS NULL), failed = failed + (new.failed_code IS NOT NULL);
END;
CREATE TRIGGER outbox_counts_delete AFTER DELETE ON outbox BEGIN
    UPDATE outbox_counts SET pending = pending - (old.failed_code IS NULL), failed = failed - (old.failed_code IS NOT NULL);
END;
CREATE TRIGGER outbox_counts_update AFTER UPDATE OF failed_code ON outbox
WHEN (old.failed_code IS NULL) <> (new.failed_code IS NULL) BEGIN
    UPDATE outbox_counts SET pending = pending + (new.failed_code IS NULL) - (old.failed_code IS NULL),
        failed = failed + (new.failed_code IS NOT NULL) - (old.failed_code IS NOT NULL);
END;";
