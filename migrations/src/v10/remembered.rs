//! The sync state, made explicit, and what passes have learned.
//!
//! * `phase` has a value for the time after the page of a first screen. Version 9 wrote a continuation that no server
//!   sends.
//! * `run_open`: the last pulled page said that more pages follow. Version 9 derived it from `done`, which counted
//!   pages in that phase; now `done` counts the conversations of a bootstrap and nothing else.
//! * `memory` is what passes have learned about network and server, as JSON. Null: nothing yet.
//!
//! SQLite cannot change a column's check, so the table is recreated.

pub(super) const REMEMBERED: &str = "
CREATE TABLE sync_state_10 (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    phase TEXT NOT NULL DEFAULT 'fresh' CHECK (phase IN ('fresh', 'bootstrapping', 'first_screen', 'following')),
    after TEXT,
    done INTEGER NOT NULL DEFAULT 0,
    total INTEGER,
    cursor TEXT,
    run_open INTEGER NOT NULL DEFAULT 0,
    generation INTEGER NOT NULL DEFAULT 0,
    epoch INTEGER NOT NULL DEFAULT 0,
    epoch_pending INTEGER NOT NULL DEFAULT 0,
    server_epoch TEXT,
    me_id BLOB,
    last_success_at INTEGER,
    sql_version INTEGER,
    capabilities TEXT,
    known_count INTEGER,
    known_set BLOB,
    memory TEXT
) STRICT;
INSERT INTO sync_state_10 (only, phase, after, done, total, cursor, run_open, generation, epoch, epoch_pending, server_epoch,
    me_id, last_success_at, sql_version, capabilities, known_count, known_set)
SELECT only,
    CASE WHEN phase = 'bootstrapping' AND after = 'glimpse' THEN 'first_screen' ELSE phase END,
    CASE WHEN after <> 'glimpse' THEN after END,
    CASE WHEN phase = 'following' OR after = 'glimpse' THEN 0 ELSE done END,
    CASE WHEN after = 'glimpse' THEN NULL ELSE total END,
    cursor, phase = 'following' AND done > 0, generation, epoch, epoch_pending, server_epoch,
    me_id, last_success_at, sql_version, capabilities, known_count, known_set
FROM sync_state;
DROP TABLE sync_state;
ALTER TABLE sync_state_10 RENAME TO sync_state;";
