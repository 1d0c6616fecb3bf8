//! The pull phase: fetches pages until there is no more.
//!
//! A run of pages tells what was committed before its first page was requested. So after a run that began in an earlier
//! pass, another one follows: whoever asked for the pass expects what was committed until then. That a run is open is
//! saved before its second page is requested.

use super::{RecordEffect, RecordPass};
use crate::machine::{SUPERSEDED_LIMIT, follow::is_oversized, pace::Pace};
use fieldpost_domain::{
    Cursor,
    planted::{PlantedBug, planted},
    records::{RecordPage, TableName},
};
use fieldpost_remote::{RecordPullRequest, RemoteError, RemoteErrorKind, RemoteResult};
use fieldpost_storage::{StorageError, StorageErrorKind, records::RecordApplyReport};
use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

/// How many first loads one pass begins because the server says that its cursor has expired.
const EXPIRY_LIMIT: u32 = 1;

/// How many empty pages may follow each other.
const EMPTY_LIMIT: u32 = 10;

/// The state of the pull phase.
#[derive(Debug, Default)]
pub(super) struct Pull {
    tables: Vec<TableName>,
    /// The cursor that the current page was requested with.
    from: Option<Cursor>,
    /// A page was requested, and its answer is still to come.
    waiting: bool,
    /// Where the next page continues, and whether there is one.
    next: Option<Cursor>,
    more: bool,
    /// The run began in an earlier pass.
    resumed: bool,
    /// The page to apply once it is saved that the run is open.
    to_apply: Option<Box<RecordPage>>,
    /// Hashes of the requested cursors. A server that returns one of them again would do so forever.
    requested: HashSet<u64>,
    empty_pages: u32,
    expiries: u32,
    superseded: u32,
    failed: bool,
}

impl Pull {
    /// The pull failed, and the pass went on.
    pub(super) const fn has_failed(&self) -> bool {
        self.failed
    }
}

impl RecordPass {
    pub(super) fn on_state(&mut self, cursor: Option<Cursor>, tables: Vec<TableName>) -> RecordEffect {
        if tables.is_empty() {
            return self.read_audit();
        }
        self.pull.tables = tables;
        self.pull.resumed = self.memory.run_open;
        if planted(PlantedBug::EveryPassLoadsRecordsAnew) {
            return RecordEffect::BeginLoad;
        }
        self.request(cursor)
    }

    fn request(&mut self, cursor: Option<Cursor>) -> RecordEffect {
        self.report.loads += u64::from(cursor.is_none());
        self.pull.from.clone_from(&cursor);
        self.pull.waiting = true;
        RecordEffect::Pull(RecordPullRequest {
            tables: self.pull.tables.clone(),
            cursor,
            limit: self.page_limit(),
            bytes: self.page_bytes(),
        })
    }

    /// Requests the same page again.
    fn request_again(&mut self) -> RecordEffect {
        let from = self.pull.from.take();
        self.report.loads -= u64::from(from.is_none());
        self.request(from)
    }

    pub(super) fn on_pulled(&mut self, answer: RemoteResult<RecordPage>) -> RecordEffect {
        let repeat = self.repeats(&answer);
        if !std::mem::take(&mut self.pull.waiting) {
            // A response without a request: read the position again.
            return RecordEffect::ReadState;
        }
        if repeat {
            self.page_was_cut_off();
            return self.request_again();
        }
        match answer {
            Ok(page) => self.on_page(page),
            Err(error) => self.on_pull_error(error),
        }
    }

    fn on_page(&mut self, page: RecordPage) -> RecordEffect {
        self.measure_down(page.transfer, page.more);
        let repeated = page.more && (Some(&page.cursor) == self.pull.from.as_ref() || self.was_requested(&page.cursor));
        let empty = page.more && page.rows.is_empty() && page.tombstones.is_empty();
        self.pull.empty_pages = if empty { self.pull.empty_pages + 1 } else { 0 };
        if repeated || self.pull.empty_pages > EMPTY_LIMIT {
            let error = RemoteError::new(RemoteErrorKind::Malformed, "pull_records");
            return self.on_pull_failed(error.with_detail("its pages repeat or stay empty"));
        }
        self.report.unreadable += u64::from(page.unreadable);
        self.report.unknown_tables = page.unknown_tables.len() as u64;
        self.pull.next = Some(page.cursor.clone());
        self.pull.more = page.more;
        if page.more && !self.memory.run_open {
            self.memory.run_open = true;
            self.pull.to_apply = Some(Box::new(page));
            return RecordEffect::Remember { succeeded: false };
        }
        RecordEffect::Apply { from: self.pull.from.clone(), page: Box::new(page) }
    }

    /// It is saved that the run is open.
    pub(super) fn apply_waiting(&mut self) -> Option<RecordEffect> {
        let page = self.pull.to_apply.take()?;
        Some(RecordEffect::Apply { from: self.pull.from.clone(), page })
    }

    pub(super) fn on_applied(&mut self, applied: RecordApplyReport) -> RecordEffect {
        self.report.add_page(applied);
        let next = self.pull.next.take();
        if self.pull.more {
            return self.request(next);
        }
        self.memory.run_open = false;
        if std::mem::take(&mut self.pull.resumed) {
            return self.request(next);
        }
        self.read_audit()
    }

    /// If another process moved the position, the pull continues from the new one. Any other error ends the pass.
    pub(super) fn on_superseded(&mut self, error: &StorageError) -> Option<RecordEffect> {
        if error.kind() != StorageErrorKind::Superseded || self.pull.superseded >= SUPERSEDED_LIMIT {
            return None;
        }
        self.pull.superseded += 1;
        self.report.superseded += 1;
        // Whatever the other has read, it may have been the rest of a run of an earlier time.
        self.memory.run_open = true;
        Some(RecordEffect::ReadState)
    }

    fn on_pull_error(&mut self, error: RemoteError) -> RecordEffect {
        match error.kind() {
            RemoteErrorKind::CursorExpired(_) if self.pull.expiries < EXPIRY_LIMIT => {
                self.pull.expiries += 1;
                self.memory.run_open = false;
                self.pull.resumed = false;
                RecordEffect::BeginLoad
            }
            _ if is_oversized(&error) => {
                if self.halve_page_size() {
                    self.request_again()
                } else {
                    self.on_pull_failed(error)
                }
            }
            RemoteErrorKind::StatementTimeout => {
                let rows = self.requested_rows();
                if self.memory.page_size.refuse(rows) { self.request_again() } else { self.on_pull_failed(error) }
            }
            RemoteErrorKind::TimedOut => {
                self.page_was_cut_off();
                if self.retries_slow_page() { self.request_again() } else { self.fail(error) }
            }
            RemoteErrorKind::Interrupted => {
                self.page_was_cut_off();
                self.fail(error)
            }
            RemoteErrorKind::Unavailable => {
                self.halve_page_size();
                self.on_pull_failed(error)
            }
            RemoteErrorKind::Unreachable
            | RemoteErrorKind::Unauthorized
            | RemoteErrorKind::NewTokenRefused
            | RemoteErrorKind::Intercepted
            | RemoteErrorKind::WrongApiKey
            | RemoteErrorKind::RateLimited
            | RemoteErrorKind::ClientTooOld
            | RemoteErrorKind::NotFieldpost => self.fail(error),
            _ => self.on_pull_failed(error),
        }
    }

    pub(super) fn on_load_begun(&mut self) -> RecordEffect {
        self.request(None)
    }

    /// The pull failed, but the audit log may still be uploaded.
    fn on_pull_failed(&mut self, error: RemoteError) -> RecordEffect {
        self.pull.failed = true;
        self.note(error.into());
        self.read_audit()
    }

    fn was_requested(&mut self, cursor: &Cursor) -> bool {
        let mut hasher = DefaultHasher::new();
        cursor.hash(&mut hasher);
        !self.pull.requested.insert(hasher.finish())
    }
}
