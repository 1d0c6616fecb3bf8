//! A device with the command line, behind the proxy.

use anyhow::{Context, Result, bail};
use fieldpost_devserver::{DevServer, FaultProxy};
use fieldpost_domain::{ConversationId, OrgId, PersonId};
use fieldpost_remote::reference::{Profile, ReferenceServer};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
};

/// The people of the site, and their password.
pub(super) const MEDIC: &str = "medic@lines.test";
pub(super) const ADMIN: &str = "admin@lines.test";
pub(super) const PASSWORD: &str = "correct horse";

/// A server with one admin and one medic, a bad network, and a device.
pub(super) struct Terminal {
    pub(super) reference: ReferenceServer,
    pub(super) server: DevServer,
    pub(super) network: FaultProxy,
    pub(super) org: OrgId,
    pub(super) admin: PersonId,
    /// The thread of the two.
    pub(super) thread: ConversationId,
    folder: TempDir,
    program: PathBuf,
}

impl Terminal {
    /// A new device on which nobody has signed in.
    pub(super) async fn new(program: &Path) -> Result<Self> {
        let reference = ReferenceServer::builder().build();
        let org = reference.add_org("Site");
        let profile = |first_name, email| Profile { first_name, last_name: "Lines", email, password: PASSWORD };
        let admin = reference.add_admin(org, profile("Robin", ADMIN));
        let medic = reference.add_medic(org, profile("Ada", MEDIC));
        let thread = reference.open_direct(org, medic.medic_id, admin);
        reference.insert_message(thread, admin, "Morning Ada.");
        let server = DevServer::builder().reference(reference.clone()).start().await?;
        let network = FaultProxy::before(&server).await?;
        let folder = tempfile::Builder::new().prefix("fieldpost-lines-").tempdir()?;
        Ok(Self { reference, server, network, org, admin, thread, folder, program: program.to_owned() })
    }

    /// The same after the medic has signed in and synced.
    pub(super) async fn of_medic(program: &Path) -> Result<Self> {
        let terminal = Self::new(program).await?;
        terminal.login(MEDIC).await?;
        terminal.must(&["sync"]).await?;
        Ok(terminal)
    }

    /// Writes into the thread of the two, without syncing.
    pub(super) async fn write(&self, text: &str) -> Result<()> {
        self.must(&["--offline", "send", &self.thread.to_string(), text]).await.map(drop)
    }

    /// How many messages of the thread the device has.
    pub(super) async fn shown(&self) -> Result<Vec<Value>> {
        self.values(&["messages", &self.thread.to_string(), "--limit", "5000"]).await
    }

    /// Whether the server has this message.
    pub(super) fn arrived(&self, text: &str) -> bool {
        self.reference.messages_of(self.thread).iter().any(|message| message.content.as_deref() == Some(text))
    }

    pub(super) async fn login(&self, email: &str) -> Result<()> {
        let mut child = self.command(&["login", "--email", email, "--password-stdin"]).stdin(Stdio::piped()).spawn()?;
        let mut stdin = child.stdin.take().context("no standard input")?;
        stdin.write_all(PASSWORD.as_bytes()).await?;
        drop(stdin);
        let output = child.wait_with_output().await?;
        if output.status.success() { Ok(()) } else { bail!("nobody could sign in: {output:?}") }
    }

    /// Runs the command line to its end.
    pub(super) async fn run(&self, arguments: &[&str]) -> Result<Output> {
        Ok(self.command(arguments).output().await?)
    }

    /// Runs what has to succeed.
    pub(super) async fn must(&self, arguments: &[&str]) -> Result<Output> {
        let output = self.run(arguments).await?;
        if output.status.success() { Ok(output) } else { bail!("{arguments:?} failed: {output:?}") }
    }

    /// The values that a command prints.
    pub(super) async fn values(&self, arguments: &[&str]) -> Result<Vec<Value>> {
        let output = self.run(&[&["--json", "--offline"], arguments].concat()).await?;
        if !output.status.success() {
            return Ok(Vec::new());
        }
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Starts a process that goes on until it is dropped.
    pub(super) fn start(&self, arguments: &[&str]) -> Result<Child> {
        Ok(self.command(arguments).spawn()?)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--db").arg(self.folder.path().join("device.db")).args(arguments);
        command.env("SUPABASE_URL", self.network.url()).env("SUPABASE_ANON_KEY", self.server.anon_key());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }
}

/// Waits until this holds, at most so long; how long it took.
pub(super) async fn until<F: Future<Output = Result<bool>>>(
    most: Duration,
    holds: impl Fn() -> F,
) -> Result<Option<Duration>> {
    let begun = tokio::time::Instant::now();
    while begun.elapsed() < most {
        if holds().await? {
            return Ok(Some(begun.elapsed()));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(None)
}

/// A time for the table.
pub(super) fn seconds(time: Option<Duration>, most: Duration) -> String {
    match time {
        Some(time) if time < Duration::from_secs(10) => format!("{:.2} s", time.as_secs_f64()),
        Some(time) => format!("{:.0} s", time.as_secs_f64()),
        None => format!("not within {} s", most.as_secs()),
    }
}
