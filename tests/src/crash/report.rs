//! The results of a run.

use super::ledger::Counts;
use fieldpost_devserver::{Fault, Tally};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

/// A kind of broken promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Harm {
    /// An accepted message is nowhere.
    Lost,
    /// A message is on the server twice.
    Duplicated,
    /// Messages of one process and conversation are on the server in another order.
    Disordered,
    /// The file is damaged, or cannot be opened.
    Corrupt,
    /// A device shows something other than the server has.
    Diverged,
    /// A message has another text than the last accepted one.
    Altered,
    /// Something that was cancelled still exists.
    Returned,
    /// A message is in another conversation than it was written in.
    Misplaced,
    /// Something of an encrypted file can be read.
    Readable,
    /// Something queued is never sent.
    Stuck,
    /// The server refused what it must accept.
    Refused,
    /// The process ended on its own, or the file could not be used.
    Failed,
}

impl Harm {
    pub(super) const ALL: [Self; 12] = [
        Self::Lost,
        Self::Duplicated,
        Self::Disordered,
        Self::Corrupt,
        Self::Diverged,
        Self::Altered,
        Self::Returned,
        Self::Misplaced,
        Self::Readable,
        Self::Stuck,
        Self::Refused,
        Self::Failed,
    ];

    pub(super) const fn found(self, detail: String) -> Finding {
        Finding { harm: self, detail }
    }
}

/// A broken promise, with its evidence.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The kind.
    pub harm: Harm,
    /// The evidence.
    pub detail: String,
}

/// The results of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// The file under test.
    pub file: PathBuf,
    /// How many processes were killed.
    pub kills: u32,
    /// How often two processes used the file at once.
    pub pairs: u32,
    /// How many messages were accepted.
    pub messages: usize,
    /// How many of them were edited while queued.
    pub edited: usize,
    /// How many messages were cancelled.
    pub cancelled: usize,
    /// How many conversations were opened.
    pub opened: usize,
    /// How many records were created.
    pub records: usize,
    /// How often the person found something refused at the end, and retried it.
    pub retried: u64,
    /// How many requests went through the proxy.
    pub requests: u64,
    /// How many of them were given a fault, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// How many live topics the killed processes had joined.
    pub live_joins: usize,
    /// Syncs that found the server out of reach.
    pub offline: u64,
    /// Syncs that failed for another reason, by error text.
    pub troubles: BTreeMap<String, u64>,
    /// How often everything came to rest and was compared.
    pub comparisons: u32,
    /// All broken promises.
    pub findings: Vec<Finding>,
    /// The duration in seconds.
    pub seconds: f64,
}

impl Report {
    pub(super) fn new(seed: u64, file: &Path) -> Self {
        let faults = Fault::OF_CONNECTIONS.iter().map(|fault| (fault.as_str(), 0)).collect();
        Self {
            seed,
            file: file.to_owned(),
            kills: 0,
            pairs: 0,
            messages: 0,
            edited: 0,
            cancelled: 0,
            opened: 0,
            records: 0,
            retried: 0,
            requests: 0,
            faults,
            live_joins: 0,
            offline: 0,
            troubles: BTreeMap::new(),
            comparisons: 0,
            findings: Vec::new(),
            seconds: 0.0,
        }
    }

    pub(super) fn count_words(&mut self, counts: Counts) {
        (self.messages, self.edited) = (counts.messages, counts.edited);
        (self.cancelled, self.opened) = (counts.cancelled, counts.opened);
        self.records = counts.records;
    }

    pub(super) fn note(&mut self, tally: &Tally, elapsed: Duration) {
        self.requests = tally.requests;
        for (fault, times) in &tally.faults {
            self.faults.insert(fault.as_str(), *times);
        }
        self.seconds = (elapsed.as_secs_f64() * 10.0).round() / 10.0;
    }

    /// The number of findings of this kind.
    #[must_use]
    pub fn count(&self, harm: Harm) -> usize {
        self.findings.iter().filter(|finding| finding.harm == harm).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} kills (two processes on the file {} times), seed {}", self.kills, self.pairs, self.seed)?;
        let Self { messages, records, requests, seconds, .. } = self;
        writeln!(f, "{messages} messages and {records} records accepted, {requests} requests in {seconds} s")?;
        let Self { edited, cancelled, opened, retried, .. } = self;
        writeln!(
            f,
            "{edited} changed, {cancelled} taken back, {opened} conversations opened, {retried} refused and sent again"
        )?;
        let faults: Vec<_> = self.faults.iter().map(|(name, times)| format!("{times} {name}")).collect();
        writeln!(
            f,
            "faults: {}; {} syncs out of reach; {} live topics joined",
            faults.join(", "),
            self.offline,
            self.live_joins
        )?;
        for (trouble, times) in &self.troubles {
            writeln!(f, "{times} syncs failed: {trouble}")?;
        }
        let harms: Vec<_> = Harm::ALL
            .iter()
            .map(|harm| format!("{} {}", self.count(*harm), format!("{harm:?}").to_lowercase()))
            .collect();
        write!(f, "after each kill and {} comparisons: {}", self.comparisons, harms.join(", "))?;
        for finding in self.findings.iter().take(20) {
            write!(f, "\n  {:?}: {}", finding.harm, finding.detail)?;
        }
        if !self.findings.is_empty() {
            write!(f, "\nthe file is kept: {}", self.file.display())?;
        }
        Ok(())
    }
}
