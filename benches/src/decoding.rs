//! Decodes and applies pages of a real server; their bytes were recorded on the way to a device.

use crate::{
    Notes, Size,
    line::Line,
    project::Project,
    pulling::runtime,
    raw::{Raw, Way},
    subject::Subject,
    watch::Watch,
    wire,
};
use anyhow::{Context as _, Result, ensure};
use fieldpost::Fieldpost;
use fieldpost_domain::{BootstrapPage, PullPage};
use fieldpost_remote_supabase::fuzzing;
use hyper::body::Bytes;

const CONVERSATIONS: u64 = 200;
const OURS: &str = "fieldpost";

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    let messages = size.pick(6, 8_000, 8_000);
    let recorded = runtime()?.block_on(record(size.pick(3, CONVERSATIONS, CONVERSATIONS), messages))?;
    let case = format!("{messages} messages");
    for round in notes.rounds(size.pick(1, 5, 9)) {
        let work = Work { recorded: &recorded, case: &case, round, messages };
        let ours = Subject::following(&recorded.first)?;
        let mut raw = Raw::in_every_way(&recorded.first)?;
        if round.is_multiple_of(2) {
            work.ours(notes, &ours)?;
        }
        raw.iter_mut().try_for_each(|(way, raw)| work.raw(notes, *way, raw))?;
        if !round.is_multiple_of(2) {
            work.ours(notes, &ours)?;
        }
        work.serde_alone(notes)?;
        Raw::check(&raw, &ours.file())?;
    }
    Ok(())
}

/// The recorded responses of a server to a device.
struct Recorded {
    /// The first load: conversations without messages.
    first: BootstrapPage,
    /// The responses with the messages.
    pulls: Vec<Bytes>,
}

/// A device loads empty conversations, then messages are written, then the device pulls.
async fn record(conversations: u64, messages: u64) -> Result<Recorded> {
    let project = Project::required()?;
    let org = Project::tenant(conversations, 0)?;
    let line = Line::to(&project.url).await?;
    let folder = tempfile::tempdir()?;
    let builder = Fieldpost::builder().url(&line.url).anon_key(&project.anon_key);
    let client = builder.database(folder.path().join("phone.db")).open().await?;
    client.sign_in(&org.admin.email, &org.admin.password).await?;
    client.trigger_message_sync().await?;
    let mut first = line.answers("/fieldpost_bootstrap");
    ensure!(first.len() <= 2, "beside a first screen the first load came in {} pages", first.len() - 1);
    let first = first.pop().context("a first load")?;
    Project::write(&org, messages)?;
    client.trigger_message_sync().await?;
    client.close().await?;
    let first = fuzzing::bootstrap(&first)?;
    let (mut pulls, mut here) = (Vec::new(), 0);
    for body in line.answers("/fieldpost_pull") {
        match wire::serde_alone(&body)? as u64 {
            // The server reported nothing new.
            0 => {}
            some => {
                here += some;
                pulls.push(body);
            }
        }
    }
    ensure!(here == messages, "{here} of {messages} messages were recorded");
    Ok(Recorded { first, pulls })
}

struct Work<'a> {
    recorded: &'a Recorded,
    case: &'a str,
    round: u32,
    messages: u64,
}

impl Work<'_> {
    fn ours(&self, notes: &mut Notes, subject: &Subject) -> Result<()> {
        let mut from = self.recorded.first.cursor.clone();
        let watch = Watch::start();
        for body in &self.recorded.pulls {
            let page = fuzzing::pull(body)?;
            let next = page.cursor.clone();
            subject.apply(crate::scene::Step { from: std::mem::replace(&mut from, next), page })?;
        }
        let pages = self.recorded.pulls.len() as f64;
        notes.write(self.case, OURS, self.round, watch.stop(), self.messages, [("pages", pages)])
    }

    /// Decodes every page with serde alone, and writes the rows that are known in advance to be in it.
    fn raw(&self, notes: &mut Notes, way: Way, raw: &mut Raw) -> Result<()> {
        let pages = self.recorded.pulls.iter().map(|body| Ok(fuzzing::pull(body)?));
        let pages = pages.collect::<Result<Vec<PullPage>>>()?;
        let watch = Watch::start();
        for (body, page) in self.recorded.pulls.iter().zip(&pages) {
            wire::serde_alone(body)?;
            raw.apply(page, way)?;
        }
        let name = format!("serde alone, then {}", way.name());
        notes.write(self.case, &name, self.round, watch.stop(), self.messages, [])
    }

    /// The share of decoding alone.
    fn serde_alone(&self, notes: &mut Notes) -> Result<()> {
        let case = "reading alone";
        let watch = Watch::start();
        for body in &self.recorded.pulls {
            std::hint::black_box(fuzzing::pull(body)?);
        }
        notes.write(case, OURS, self.round, watch.stop(), self.messages, [])?;
        let watch = Watch::start();
        for body in &self.recorded.pulls {
            wire::serde_alone(body)?;
        }
        notes.write(case, "serde alone", self.round, watch.stop(), self.messages, [])
    }
}
