//! A crowd of devices in one organization on one devserver: what each costs, and whom each kind of write wakes.
//!
//! The devices are real clients, one of each member, in a process of their own ([`devices`]), so that their memory and files are not those
//! of the server. All are in the foreground and live, and their timer is off: whatever they pull, a hint has told them to. The server
//! counts the hints as it gives them to its connections, by the kind of their topic.

mod devices;
mod process;
mod usage;

pub use devices::answer as answer_as_devices;

use crate::{Notes, Size, notes::OURS, peer_client::Done};
use anyhow::{Context as _, Result};
use devices::{Order, Spec};
use fieldpost_devserver::{DevServer, Endpoint, HintsByTopic};
use fieldpost_remote::reference::{Profile, ReferenceServer};
use process::Devices;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use usage::Usage;

/// How many devices there are, one of each member.
#[derive(Debug, Clone, Copy)]
struct Crowd {
    admins: usize,
    medics: usize,
    /// Whether each has a file, or its rows in memory.
    in_files: bool,
    rhythm: Rhythm,
}

/// When devices tell what has arrived, after how long a silence all is over, and how long they talk.
#[derive(Debug, Clone, Copy)]
struct Rhythm {
    deliver: Duration,
    silence: Duration,
    talk: Duration,
}

impl Crowd {
    fn all(size: Size) -> Vec<Self> {
        let milliseconds = |all: [u64; 3]| {
            let [deliver, silence, talk] = all.map(Duration::from_millis);
            Rhythm { deliver, silence, talk }
        };
        let rhythm = milliseconds(size.pick([300, 100, 100], [5_000, 1_000, 20_000], [5_000, 1_000, 20_000]));
        let of = |devices, admins, in_files| Self { admins, medics: devices - admins, in_files, rhythm };
        size.pick(
            vec![of(4, 2, true), of(2, 1, false)],
            vec![of(50, 5, true), of(50, 5, false)],
            vec![
                of(1_000, 100, true),
                of(1_000, 10, true),
                of(500, 50, true),
                of(200, 20, true),
                of(100, 10, true),
                of(200, 20, false),
            ],
        )
    }

    const fn devices(self) -> usize {
        self.admins + self.medics
    }

    fn name(self) -> String {
        format!("{} devices, {} of admins", self.devices(), self.admins)
    }
}

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    for (number, crowd) in Crowd::all(size).into_iter().enumerate() {
        usage::ensure_enough_files(crowd.devices(), crowd.in_files)?;
        runtime.block_on(async {
            let mut place = Place::open(crowd).await?;
            place.gather(notes, number == 0).await?;
            // Where the rows are makes no difference to who hears what.
            if crowd.in_files { place.act(notes).await } else { Ok(()) }
        })?;
    }
    Ok(())
}

const PASSWORD: &str = "one of a crowd";

/// An organization, its server, and the devices.
struct Place {
    crowd: Crowd,
    server: DevServer,
    devices: Devices,
    /// The conversation of the first medic.
    direct: String,
    broadcast: String,
}

/// What the server has counted.
#[derive(Debug, Clone, Copy)]
struct Counts {
    told: u64,
    hints: HintsByTopic,
    pulls: usize,
    pushes: usize,
}

impl Place {
    async fn open(crowd: Crowd) -> Result<Self> {
        let reference = ReferenceServer::new();
        let org = reference.add_org("Crowd");
        let emails: Vec<_> = (0..crowd.devices()).map(|number| format!("{number}@crowd.test")).collect();
        let profile = |email| Profile { first_name: "One", last_name: "Of Many", email, password: PASSWORD };
        let (of_admins, of_medics) = emails.split_at(crowd.admins);
        let admins: Vec<_> = of_admins.iter().map(|email| reference.add_admin(org, profile(email))).collect();
        let admin = *admins.first().context("there is an admin")?;
        let medics = of_medics.iter().map(|email| reference.add_medic(org, profile(email)));
        let directs: Vec<_> = medics.map(|medic| reference.open_direct(org, medic.medic_id, admin)).collect();
        let directs: Vec<_> = directs.iter().map(ToString::to_string).collect();
        let direct = directs.first().context("there is a medic")?.clone();
        let broadcast = reference.open_broadcast(org, Some("Site notices"), admin).to_string();
        let server = DevServer::builder().reference(reference).start().await?;
        let spec = Spec {
            url: server.url().to_owned(),
            key: server.anon_key().to_owned(),
            password: PASSWORD.to_owned(),
            emails,
            directs,
            in_files: crowd.in_files,
            deliver: crowd.rhythm.deliver,
        };
        let devices = Devices::start(&spec).await?;
        Ok(Self { crowd, server, devices, direct, broadcast })
    }

    /// Lets all devices sign in, load and listen, and writes what one costs. Only the first crowd shows what it takes at the server: the
    /// memory that it gives back stays with the process for the next one, and its last connections may still be closing.
    async fn gather(&mut self, notes: &mut Notes, is_first: bool) -> Result<()> {
        let before = Usage::of_this_process();
        let done = self.devices.obey(&Order::Gather).await?;
        self.silence(self.crowd.rhythm.silence).await;
        let here = Usage::of_this_process().beyond(before).each(self.crowd.devices());
        let there = self.devices.obey(&Order::Usage).await?;
        let there = |name| there.fact(name) / self.crowd.devices() as f64;
        let of_server = [("KiB_of_memory_at_the_server", here.kibibytes), ("open_files_at_the_server", here.files)];
        let of_server = of_server.into_iter().filter(|_| is_first);
        let facts = [
            ("KiB_of_memory_of_a_device", there(usage::MEMORY)),
            ("open_files_of_a_device", there(usage::FILES)),
            ("threads_of_a_device", there(usage::THREADS)),
            ("connections", self.server.live().connections() as f64),
        ];
        let place = if self.crowd.in_files { "in files" } else { "in memory" };
        let case = format!("{}, {place}: a device comes", self.crowd.name());
        notes.write(&case, OURS, 0, done.reading, self.crowd.devices() as u64, facts.into_iter().chain(of_server))
    }

    async fn act(&mut self, notes: &mut Notes) -> Result<()> {
        let (admin, medic) = (0, self.crowd.admins);
        let (direct, broadcast) = (self.direct.clone(), self.broadcast.clone());
        let in_direct: Vec<_> = (0..=self.crowd.admins).collect();
        let everybody: Vec<_> = (0..self.crowd.devices()).collect();
        self.send(notes, "a direct message to a medic", admin, &direct, &in_direct).await?;
        self.send(notes, "a direct message of a medic", medic, &direct, &in_direct).await?;
        let read = |by, conversation: &str| Order::Read { by, conversation: conversation.to_owned() };
        let react = |by, conversation: &str| Order::React { by, conversation: conversation.to_owned() };
        self.single(notes, "a medic reads a direct message", &read(medic, &direct)).await?;
        self.single(notes, "an admin reads a direct message", &read(admin, &direct)).await?;
        self.single(notes, "a reaction to a direct message", &react(medic, &direct)).await?;
        self.send(notes, "a broadcast", admin, &broadcast, &everybody).await?;
        self.single(notes, "a medic reads a broadcast", &read(medic, &broadcast)).await?;
        self.single(notes, "a reaction to a broadcast", &react(medic, &broadcast)).await?;
        self.send(notes, "a broadcast to readers of one", admin, &broadcast, &everybody).await?;
        self.talk(notes).await
    }

    /// Ten direct messages an hour on each device, for a while.
    async fn talk(&mut self, notes: &mut Notes) -> Result<()> {
        let before = self.counts();
        let every = Duration::from_secs(360) / u32::try_from(self.crowd.devices())?;
        let messages = (self.crowd.rhythm.talk.as_secs_f64() / every.as_secs_f64()).ceil() as usize;
        let messages = messages.max(2);
        let every = every.min(self.crowd.rhythm.talk);
        let done = self.devices.obey(&Order::Talk { messages, every }).await?;
        self.silence(self.crowd.rhythm.deliver + self.crowd.rhythm.silence).await;
        let what = "ten direct messages an hour on each, delivered and read";
        self.write_many(notes, what, &done, before, messages)
    }

    /// A message until the last of `seen_by` has it, and then what its deliveries cost.
    async fn send(
        &mut self,
        notes: &mut Notes,
        what: &str,
        by: usize,
        conversation: &str,
        seen_by: &[usize],
    ) -> Result<()> {
        let seen_by = seen_by.iter().copied().filter(|device| *device != by).collect();
        let order = Order::Send { by, conversation: conversation.to_owned(), text: what.to_owned(), seen_by };
        self.single(notes, what, &order).await?;
        let (before, started) = (self.counts(), Instant::now());
        self.silence(self.crowd.rhythm.deliver + self.crowd.rhythm.silence).await;
        let nothing = Done::new(crate::Reading { seconds: started.elapsed().as_secs_f64(), cpu: 0.0 }, []);
        self.write(notes, &format!("{what}: its deliveries"), &nothing, before)
    }

    async fn single(&mut self, notes: &mut Notes, what: &str, order: &Order) -> Result<()> {
        let before = self.counts();
        let done = self.devices.obey(order).await?;
        self.silence(self.crowd.rhythm.silence).await;
        self.write(notes, what, &done, before)
    }

    fn write(&self, notes: &mut Notes, what: &str, done: &Done, before: Counts) -> Result<()> {
        self.write_many(notes, what, done, before, 1)
    }

    /// The counts of each of so many writes.
    fn write_many(&self, notes: &mut Notes, what: &str, done: &Done, before: Counts, writes: usize) -> Result<()> {
        let now = self.counts();
        let each = |difference: usize| difference as f64 / writes as f64;
        let topics = (now.told - before.told) as f64 / writes as f64;
        let facts = [
            ("hints_to_persons", each(now.hints.person - before.hints.person)),
            ("hints_to_admins", each(now.hints.admins - before.hints.admins)),
            ("hints_to_the_org", each(now.hints.org - before.hints.org)),
            ("topics", topics),
            // As Realtime counts.
            ("messages", topics + each(now.hints.all() - before.hints.all())),
            ("pulls", each(now.pulls - before.pulls)),
            ("pushes", each(now.pushes - before.pushes)),
        ];
        notes.write(&format!("{}: {what}", self.crowd.name()), OURS, 0, done.reading, writes as u64, facts)
    }

    fn counts(&self) -> Counts {
        Counts {
            told: self.server.reference().hints_told(),
            hints: self.server.live().hints_by_topic(),
            pulls: self.server.requests().count(Endpoint::Pull),
            pushes: self.server.requests().count(Endpoint::Push),
        }
    }

    /// Waits until nothing has been asked or told for so long.
    async fn silence(&self, long: Duration) {
        const LOOK: Duration = Duration::from_millis(50);
        let busy = |counts: Counts| (counts.told, counts.hints, counts.pulls, counts.pushes);
        let (mut last, mut since) = (busy(self.counts()), Instant::now());
        while since.elapsed() < long {
            sleep(LOOK).await;
            let now = busy(self.counts());
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
    }
}
