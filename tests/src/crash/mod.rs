//! kill -9: what happens to messages when the process that sends them is killed, again and again, behind a bad network.
//!
//! Everything here is real. A separate process ([`writer`]) opens a real SQLite file with the SDK. It sends in several
//! conversations and opens new ones; it edits, cancels and retries queued messages, marks threads as read and syncs
//! without a pause, or lets the client sync by itself with live hints, or both; beside that it creates, changes and deletes records of workers and treatments, some of them
//! immediate, which sync with a queue of their own; all of it through a [`FaultProxy`] that breaks every third exchange. It reports what the SDK has returned
//! (`said`). It is killed with SIGKILL at a moment drawn from the seed; sometimes two processes share one file. After
//! every kill, before anybody else opens the file:
//!
//! - SQLite finds the file intact ([`file`]),
//! - every accepted message is in it, queued, sent or refused, and none counts as sent that the server does not have,
//! - no message is on the server twice, and those of one process are there in the order in which it sent them
//!   (`ledger`),
//! - nothing cancelled is in the file or on the server, and an edited message has the last accepted text,
//! - every accepted record is in it, unless it was deleted, and none is on the server twice,
//! - no medic has two conversations, and no message is in another conversation than it was written in.
//!
//! Some conversations are opened with medics who are not on the roster yet (`newcomers`), so the server refuses them
//! with everything queued in them. Others are opened by somebody else meanwhile, so that they get another id.
//!
//! With a key the file is encrypted, and after every kill no file in its folder has a word of what was written.
//!
//! From time to time, and at the end, the network heals, the newcomers have joined, the person retries refused
//! messages, and the file is synced until nothing is queued. Then the server must have every accepted message and
//! conversation once and every record as it was last changed, the devices must show what the server has (`views`), and a
//! client on the file must hear live hints.
//!
//! The seed decides what is done and when; the operating system decides where exactly a kill lands. So a seed does not
//! repeat a run exactly, and a finding keeps its file.

mod file;
mod ledger;
mod newcomers;
mod report;
mod round;
mod said;
mod site;
mod victim;
mod views;
pub mod writer;

pub use report::{Finding, Harm, Report};
pub use site::{Contents, DevSite, Site, Stored, StoredRecord, SupabaseSite};

use anyhow::{Context, Result};
use fieldpost::{Key, OrgId};
use fieldpost_devserver::{FaultMix, FaultProxy};
use fieldpost_testkit::SeededRandom;
use ledger::Ledger;
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use victim::Program;

/// The options of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many processes to kill.
    pub kills: u32,
    /// Seed of all actions and their times.
    pub seed: u64,
    /// The program whose `main` is [`writer::main`].
    pub writer: PathBuf,
    /// After how many kills the run comes to rest.
    pub heal_every: u32,
    /// A process is killed within this time after it starts to work.
    pub within: Duration,
    /// The key of the file, if it is encrypted.
    pub key: Option<Key>,
}

/// The state of one run.
struct Run<'a> {
    options: &'a Options,
    site: &'a dyn Site,
    org: OrgId,
    proxy: FaultProxy,
    program: Program,
    companion: fieldpost::Client,
    ledger: Ledger,
    random: SeededRandom,
    report: Report,
}

/// Kills `kills` times, or until something is found. `watch` gets the report after every kill.
///
/// # Errors
/// If this program itself fails: a program cannot be started, or there is no server.
pub async fn run(options: &Options, site: &dyn Site, folder: &Path, mut watch: impl FnMut(&Report)) -> Result<Report> {
    let began = Instant::now();
    let mut run = Run::begin(options, site, folder).await?;
    run.proxy.set(FaultMix::rough());
    while run.report.kills < options.kills && run.report.findings.is_empty() {
        let healed = run.report.kills / options.heal_every;
        run.kill_once().await?;
        if run.report.kills / options.heal_every > healed && run.report.findings.is_empty() {
            run.come_to_rest().await?;
            run.proxy.set(FaultMix::rough());
        }
        run.report.note(&run.proxy.tally(), began.elapsed());
        watch(&run.report);
    }
    if run.report.findings.is_empty() {
        run.come_to_rest().await?;
    }
    run.report.note(&run.proxy.tally(), began.elapsed());
    run.companion.close().await?;
    Ok(run.report)
}

impl<'a> Run<'a> {
    async fn begin(options: &'a Options, site: &'a dyn Site, folder: &Path) -> Result<Self> {
        let proxy = FaultProxy::start(site.address()?, options.seed).await.context("no port for the proxy")?;
        let file = folder.join("victim.db");
        let program = Program {
            path: options.writer.clone(),
            file,
            url: proxy.url().to_owned(),
            anon_key: site.anon_key().to_owned(),
            key: options.key.clone(),
        };
        let client = program.open().await?;
        site.victim().sign_in(&client).await?;
        client.trigger_sync().await?.records?;
        let org = client.me().await?.context("the victim is in no org")?.org_id;
        let known = newcomers::known(org);
        site.enlist(&known).await?;
        client.close().await?;
        let direct = fieldpost::Fieldpost::builder().database(folder.join("companion.db"));
        let companion = direct.url(site.url()).anon_key(site.anon_key()).open().await?;
        site.companion().sign_in(&companion).await?;
        let random = SeededRandom::new(options.seed);
        let report = Report::new(options.seed, &program.file);
        Ok(Self { options, site, org, proxy, program, companion, ledger: Ledger::new(known), random, report })
    }
}
