//! What a run did, and what it found.

use super::ledger::Counts;
use fieldpost_testkit::proxy::{Fault, Tally};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

/// One way in which a promise was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Harm {
    /// A message that was accepted is nowhere.
    Lost,
    /// A message is on the server twice.
    Duplicated,
    /// Messages of one process and conversation are on the server in another order.
    Disordered,
    /// The file is not whole, or cannot be opened.
    Corrupt,
    /// A device shows something else than the server has.
    Diverged,
    /// A message says something else than was last accepted.
    Altered,
    /// What was taken back is there all the same.
    Returned,
    /// A message is in another conversation than it was written in.
    Misplaced,
    /// Something waits that never goes out.
    Stuck,
    /// The server refused what it has to take.
    Refused,
    /// The process ended, or the file could not be worked with.
    Failed,
}

impl Harm {
    pub(super) const ALL: [Self; 11] = [
        Self::Lost,
        Self::Duplicated,
        Self::Disordered,
        Self::Corrupt,
        Self::Diverged,
        Self::Altered,
        Self::Returned,
        Self::Misplaced,
        Self::Stuck,
        Self::Refused,
        Self::Failed,
    ];

    pub(super) const fn found(self, detail: String) -> Finding {
        Finding { harm: self, detail }
    }
}

/// A broken promise, with what shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// Which kind.
    pub harm: Harm,
    /// What was seen.
    pub detail: String,
}

/// What a run did, and what it found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The seed it followed from.
    pub seed: u64,
    /// The file that was worked on.
    pub file: PathBuf,
    /// How many processes were killed.
    pub kills: u32,
    /// How often two of them were on the file at once.
    pub pairs: u32,
    /// How many messages were accepted.
    pub messages: usize,
    /// How many of them were changed while they waited.
    pub edited: usize,
    /// How many messages were taken back.
    pub cancelled: usize,
    /// How many conversations were opened.
    pub opened: usize,
    /// How often the person found something refused in the end, and had it sent again.
    pub retried: u64,
    /// How many requests went through the proxy.
    pub requests: u64,
    /// How many of them went wrong on purpose, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Syncs that found the server out of reach.
    pub offline: u64,
    /// Syncs that failed for another reason, by what they said.
    pub troubles: BTreeMap<String, u64>,
    /// How often everything came to rest and was compared.
    pub comparisons: u32,
    /// Everything that must not be.
    pub findings: Vec<Finding>,
    /// How long it took.
    pub seconds: f64,
}

impl Report {
    pub(super) fn new(seed: u64, file: &Path) -> Self {
        let faults = Fault::ALL.iter().map(|fault| (fault.as_str(), 0)).collect();
        Self {
            seed,
            file: file.to_owned(),
            kills: 0,
            pairs: 0,
            messages: 0,
            edited: 0,
            cancelled: 0,
            opened: 0,
            retried: 0,
            requests: 0,
            faults,
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
    }

    pub(super) fn note(&mut self, tally: &Tally, elapsed: Duration) {
        self.requests = tally.requests;
        for (fault, times) in &tally.faults {
            self.faults.insert(fault.as_str(), *times);
        }
        self.seconds = (elapsed.as_secs_f64() * 10.0).round() / 10.0;
    }

    /// How often a promise was broken in this way.
    #[must_use]
    pub fn count(&self, harm: Harm) -> usize {
        self.findings.iter().filter(|finding| finding.harm == harm).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} kills (two processes on the file {} times), seed {}", self.kills, self.pairs, self.seed)?;
        writeln!(f, "{} messages accepted, {} requests in {} s", self.messages, self.requests, self.seconds)?;
        let Self { edited, cancelled, opened, retried, .. } = self;
        writeln!(
            f,
            "{edited} changed, {cancelled} taken back, {opened} conversations opened, {retried} refused and sent again"
        )?;
        let faults: Vec<_> = self.faults.iter().map(|(name, times)| format!("{times} {name}")).collect();
        writeln!(f, "faults: {}; {} syncs out of reach", faults.join(", "), self.offline)?;
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
