//! Whole clients against each other, each a process of its own, through the same line to the same server.

use crate::{
    Notes, Reading, Size,
    line::{Line, Passed, Weather},
    phone::{Done, Task},
    project::{Org, Project, root},
};
use anyhow::{Context as _, Result, bail};
use std::{path::PathBuf, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// Somebody who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    Fieldpost,
    /// The algorithm of the app that Fieldpost replaces.
    Seed,
    /// RxDB's Supabase replication, with batches of so many.
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

    fn command(self) -> Result<Command> {
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

/// The program of this package. A test runs in a binary of its own, which lies beside it.
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

/// The line, the tenant at its end, and who takes part.
pub(crate) struct Contest {
    pub(crate) line: Line,
    pub(crate) org: Org,
    project: Project,
}

/// What one turn is about.
#[derive(Debug, Clone)]
pub(crate) struct Turn<'a> {
    pub(crate) case: &'a str,
    pub(crate) round: u32,
    pub(crate) task: &'static str,
    pub(crate) expected: u64,
    pub(crate) queued: u64,
    pub(crate) weather: Weather,
}

impl Contest {
    pub(crate) async fn new(conversations: u64, messages: u64) -> Result<Self> {
        let project = Project::running()?.context(
            "no local Supabase stack is running: start it with `cargo xtask supabase up`, or run `cargo xtask bench-report`",
        )?;
        let org = Project::tenant(conversations, messages)?;
        Ok(Self { line: Line::to(&project.url).await?, org, project })
    }

    /// One client does its work; what it and the line say becomes a line of the notes.
    pub(crate) async fn turn(&self, notes: &mut Notes, client: Client, turn: &Turn<'_>) -> Result<()> {
        let mark = format!("{} {} {}", client.name(), turn.case, turn.round);
        let task = self.task(turn, &mark);
        self.line.turn(Weather { from_memory: turn.weather.from_memory, ..Weather::default() });
        let mut process = Process::start(client)?;
        process.prepare(&task).await.with_context(|| format!("{}: {}", client.name(), turn.case))?;
        self.line.turn(turn.weather);
        let done = process.go().await.with_context(|| format!("{}: {}", client.name(), turn.case))?;
        let passed = self.line.passed();
        self.line.turn(Weather::default());
        let mut facts = facts(&done, passed);
        if turn.queued > 0 {
            facts.extend(self.arrived(&mark, turn.queued)?);
        }
        let reading = Reading { seconds: done.seconds, cpu: done.cpu };
        notes.write(turn.case, client.name(), turn.round, reading, turn.expected.max(turn.queued).max(1), facts)
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

    /// What the server has of what was queued.
    fn arrived(&self, mark: &str, queued: u64) -> Result<[(&'static str, f64); 2]> {
        let found = Project::sql(&serde_json::json!({"count": format!("{mark} "), "org_id": self.org.org_id}))?;
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
    for known in ["usable_ms", "peak_MiB", "lost", "doubled", "gave_up"] {
        if let Some(value) = done.facts.get(known) {
            facts.push((known, *value));
        }
    }
    facts
}

/// A client's process: it gets its task, says that it is ready, and does it when it is told to.
struct Process {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(client: Client) -> Result<Self> {
        let mut command = client.command()?;
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let input = child.stdin.take().context("no standard input")?;
        let output = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        Ok(Self { child, input, output })
    }

    async fn prepare(&mut self, task: &Task) -> Result<()> {
        self.input.write_all(format!("{}\n", serde_json::to_string(task)?).as_bytes()).await?;
        match self.output.next_line().await? {
            Some(line) if line == "ready" => Ok(()),
            other => bail!("not ready: {other:?}"),
        }
    }

    async fn go(mut self) -> Result<Done> {
        self.input.write_all(b"\n").await?;
        let line = self.output.next_line().await?.context("it ended without a word")?;
        self.child.wait().await?;
        serde_json::from_str(&line).with_context(|| format!("it said {line}"))
    }
}

/// Who takes part. Where the peers are not installed, a smoke test goes without them.
pub(crate) fn clients(size: Size) -> Result<Vec<Client>> {
    let all = vec![Client::Fieldpost, Client::Seed, Client::Rxdb(100), Client::Rxdb(1_000)];
    if root().join("benches/peers/node_modules").is_dir() {
        return Ok(all);
    }
    if size == Size::Smoke {
        return Ok(vec![Client::Fieldpost]);
    }
    bail!("the peers are not installed: run `cargo xtask peers`")
}
