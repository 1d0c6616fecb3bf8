//! Counts that are kept up to date: queued and failed mutations, and unread messages.
//!
//! They are read after every commit, and counting takes longer the more rows there are. Triggers keep the counts, so no
//! statement can forget to update them.

pub(super) const OUTBOX: &str = "
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

/// The sum of all unread counts. The index over them served that sum alone.
pub(super) const UNREAD: &str = "
CREATE TABLE unread_total (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    messages INTEGER NOT NULL
) STRICT;
INSERT INTO unread_total (only, messages) SELECT 1, coalesce(sum(unread_count), 0) FROM conversations;
CREATE TRIGGER unread_total_insert AFTER INSERT ON conversations WHEN new.unread_count <> 0 BEGIN
    UPDATE unread_total SET messages = messages + new.unread_count;
END;
CREATE TRIGGER unread_total_delete AFTER DELETE ON conversations WHEN old.unread_count <> 0 BEGIN
    UPDATE unread_total SET messages = messages - old.unread_count;
END;
CREATE TRIGGER unread_total_update AFTER UPDATE OF unread_count ON conversations WHEN old.unread_count <> new.unread_count BEGIN
    UPDATE unread_total SET messages = messages + new.unread_count - old.unread_count;
END;
DROP INDEX conversations_unread;";
