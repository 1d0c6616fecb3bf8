//! Compares whole clients, each in its own process, over the same line to the same server.

use crate::{
    Notes, Size,
    line::{Line, NetworkConditions, Passed},
    notes::say,
    peer_client::{Done, Task},
    process::{Ended, Process},
    project::{Org, Project, root},
};
use anyhow::{Context as _, Result, bail};
use std::{path::PathBuf, time::Duration};
use tokio::process::Command;

/// A client that takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    Fieldpost,
    /// The algorithm of the app that Fieldpost replaces.
    Seed,
    /// RxDB's Supabase replication, with batches of this size.
    Rxdb(u32),
}

impl Client {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fieldpost => "fieldpost",
            Self::Seed => "seed algorithm",
            Self::Rxdb(100) => "RxDB, batches of 100",
            Self::Rxdb(_) => "RxDB, batches of 1000",
        }
    }

    pub(crate) fn command(self) -> Result<Command> {
        let peers = root().join("benches/peers");
        Ok(match self {
            Self::Fieldpost => {
                let mut command = Command::new(program()?);
                command.arg("--phone");
                command
            }
            Self::Seed => node(peers.join("seed.mjs"), 0),
            Self::Rxdb(batch) => node(peers.join("rxdb.mjs"), batch),
        })
    }
}

/// The program of this package. A test runs in its own binary, which is in the same folder.
pub(crate) fn program() -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let folder = here.ancestors().find(|folder| folder.join(NAME).is_file());
    Ok(folder.context("fieldpost-bench is not built")?.join(NAME))
}

const NAME: &str = "fieldpost-bench";

fn node(script: PathBuf, batch: u32) -> Command {
    let mut command = Command::new("node");
    command.arg(script).arg(batch.to_string());
    command
}

/// The line, the tenant behind it, and the clients.
pub(crate) struct Peers {
    pub(crate) line: Line,
    pub(crate) org: Org,
    project: Project,
}

/// One turn.
#[derive(Debug, Clone)]
pub(crate) struct Turn<'a> {
    pub(crate) case: &'a str,
    pub(crate) round: u32,
    pub(crate) task: &'static str,
    pub(crate) expected: u64,
    pub(crate) queued: u64,
    pub(crate) conditions: NetworkConditions,
    /// The most time for the measured task.
    pub(crate) limit: Duration,
}

impl Turn<'_> {
    /// The default limit.
    pub(crate) const LIMIT: Duration = Duration::from_secs(60);
}

/// The most time for a client's preparation.
const PREPARATION: Duration = Duration::from_secs(300);

impl Peers {
    pub(crate) async fn new(org: Org) -> Result<Self> {
        Self::with(Project::required()?, org).await
    }

    /// The same with a server that is not the real one.
    pub(crate) async fn with(project: Project, org: Org) -> Result<Self> {
        Ok(Self { line: Line::to(&project.url).await?, org, project })
    }

    /// Lets one client do its task, and writes a line with its and the line's figures. Returns whether it finished in
    /// time.
    ///
    /// A peer that fails is recorded as having done nothing: its failure must not discard the figures of the others.
    pub(crate) async fn turn(&self, notes: &mut Notes, client: Client, turn: &Turn<'_>) -> Result<bool> {
        let mark = format!("{} {} {}", client.name(), turn.case, turn.round);
        let result = self.have_done(client, turn, &mark).await;
        let passed = self.line.passed();
        self.line.turn(NetworkConditions::default());
        let ended = match result {
            Err(error) if client != Client::Fieldpost => {
                say(&format!("{mark}: {error:#}"));
                Ended::failed(turn.limit)
            }
            other => other.context(mark.clone())?,
        };
        let mut facts = facts(&ended.done, passed);
        if turn.task == "meanwhile" && passed.writes > 0 {
            facts.push(("server_ms", passed.writing.as_secs_f64() * 1e3 / passed.writes as f64));
        }
        let all = turn.expected.max(turn.queued).max(1);
        let mut units = all;
        if turn.queued > 0 {
            let counts = self.arrived(turn.task, &mark, turn.queued)?;
            facts.extend(counts);
            units = turn.queued - counts[0].1 as u64;
        } else if !ended.finished {
            units = ended.done.facts.get("arrived").map_or(0, |arrived| *arrived as u64);
        }
        if !ended.finished {
            // Unfinished work does not count as done.
            facts.extend([("unfinished_s", turn.limit.as_secs_f64()), ("arrived", units as f64), ("of", all as f64)]);
        }
        notes.write(turn.case, client.name(), turn.round, ended.done.reading, units, facts)?;
        Ok(ended.finished)
    }

    async fn have_done(&self, client: Client, turn: &Turn<'_>, mark: &str) -> Result<Ended> {
        // If nobody writes, the recorded responses are still valid for the next client.
        let from_memory = turn.conditions.from_memory || turn.task == "again";
        self.line.turn(NetworkConditions {
            round_trip: Duration::ZERO,
            lose_every: None,
            from_memory,
            ..turn.conditions
        });
        let mut process = Process::start(client)?;
        process.prepare(&self.task(turn, mark), PREPARATION).await?;
        self.line.turn(turn.conditions);
        process.go(turn.limit).await
    }

    fn task(&self, turn: &Turn<'_>, mark: &str) -> Task {
        Task {
            url: self.line.url.clone(),
            key: self.project.anon_key.clone(),
            email: self.org.admin.email.clone(),
            password: self.org.admin.password.clone(),
            user_id: self.org.admin.user_id.clone(),
            org_id: self.org.org_id.clone(),
            task: turn.task.to_owned(),
            expected: turn.expected,
            queued: turn.queued,
            conversations: self.org.conversations.iter().map(|conversation| conversation.id.clone()).collect(),
            mark: mark.to_owned(),
        }
    }

    /// The number of queued messages or records that the server has.
    fn arrived(&self, task: &str, mark: &str, queued: u64) -> Result<[(&'static str, f64); 2]> {
        let what = if task == "records" { "count_records" } else { "count" };
        let found = Project::sql(&serde_json::json!({what: format!("{mark} "), "org_id": self.org.org_id}))?;
        let number = |name: &str| found[name].as_f64().context("server.mjs counts");
        let (rows, texts) = (number("rows")?, number("texts")?);
        Ok([("lost", queued as f64 - texts), ("doubled", rows - texts)])
    }
}

fn facts(done: &Done, passed: Passed) -> Vec<(&'static str, f64)> {
    let mut facts = vec![("requests", passed.requests as f64), ("KiB_on_the_wire", passed.bytes as f64 / 1024.0)];
    if passed.lost > 0 {
        facts.push(("answers_lost", passed.lost as f64));
    }
    for known in ["usable_ms", "usable_pages", "peak_MiB", "lost", "doubled", "failed", "p50", "p99", "recorded_ms"] {
        if let Some(value) = done.facts.get(known) {
            facts.push((known, *value));
        }
    }
    facts
}

/// The clients.
pub(crate) fn clients(size: Size) -> Result<Vec<Client>> {
    let all = vec![Client::Fieldpost, Client::Seed, Client::Rxdb(100), Client::Rxdb(1_000)];
    Ok(if is_installed("", size)? { all } else { vec![Client::Fieldpost] })
}

/// Whether a package of the peers is installed. A smoke test runs without.
pub(crate) fn is_installed(package: &str, size: Size) -> Result<bool> {
    let is_there = root().join("benches/peers/node_modules").join(package).is_dir();
    if !is_there && size != Size::Smoke {
        bail!("the peers are not installed: run `cargo xtask peers`");
    }
    Ok(is_there)
}
