//! What a key costs: the same work on a file that is encrypted and on one that is not, in one process, in turn.
//!
//! SQLCipher does both, so what differs is the encryption of pages alone. After its lines the bench says what the key costs, each
//! figure a median of ratios within a round.

mod summary;

use crate::{
    Notes, Size,
    scene::{Scene, Step, conversation_id},
    sending::{TEXT, Times},
    subject::Subject,
    watch::{Watch, mebibytes},
};
use anyhow::{Result, ensure};
use fieldpost::{Client, Fieldpost};
use fieldpost_domain::Key;
use fieldpost_storage::{Conversations, Messages, Store, Window};
use fieldpost_storage_sqlite::{SqliteOptions, SqliteStore};
use std::path::PathBuf;

/// A phone whose file has a key.
const LOCKED: &str = "fieldpost";
/// One whose file has none.
const PLAIN: &str = "fieldpost, without a key";

const THREADS: u64 = 200;
const PAGE: u64 = 2_000;
const SHOWN: u32 = 50;

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    let rounds = size.pick(1, 5, 15);
    let mut pair = Pair::new()?;
    for round in notes.rounds(rounds) {
        Pair::new()?.apply(notes, "apply, into an empty file", round, size.pick(1, 4, 4))?;
    }
    pair.fill(size.pick(2_000, 20_000, 100_000))?;
    for round in notes.rounds(rounds) {
        pair.apply(notes, "apply, beside others", round, size.pick(1, 4, 4))?;
    }
    for round in notes.rounds(rounds) {
        let calls = size.pick(2, 100, 300);
        pair.read(notes, "list", round, calls, |subject, _| {
            Ok(subject.runtime.block_on(subject.store.conversations(SHOWN))?.len())
        })?;
        pair.read(notes, "window, the same again", round, calls, |subject, number| window(subject, number / AGAIN))?;
        pair.read(notes, "window, of another thread", round, calls, window)?;
    }
    pair.close()?;
    for round in notes.rounds(rounds) {
        pair.open(notes, round, size.pick(1, 5, 10))?;
    }
    pair.send(notes, rounds, size.pick(2, 50, 100))?;
    summary::say(notes);
    Ok(())
}

/// How often a person's screen reads a thread before she opens another one.
const AGAIN: u32 = 20;

fn window(subject: &Subject, number: u32) -> Result<usize> {
    let conversation = conversation_id(u64::from(number) * 37 % THREADS);
    let window = subject.store.messages(conversation, Window::newest(SHOWN));
    Ok(subject.runtime.block_on(window)?.messages.len())
}

/// A key that is as good as a random one here: it is used as it is.
fn key() -> Result<Key> {
    Ok("0123456789abcdeffedcba98765432100f1e2d3c4b5a69788796a5b4c3d2e1f0".parse()?)
}

fn options(path: PathBuf, is_locked: bool) -> Result<SqliteOptions> {
    let options = SqliteOptions::new(path);
    Ok(if is_locked { options.key(key()?) } else { options })
}

/// Two phones that get the same pages.
struct Pair {
    scene: Scene,
    locked: Subject,
    plain: Subject,
}

impl Pair {
    fn new() -> Result<Self> {
        let scene = Scene::new(THREADS);
        let first = scene.bootstrap()?;
        let key = key()?;
        let locked = Subject::on(&first, |path| SqliteOptions::new(path).key(key.clone()))?;
        Ok(Self { scene, locked, plain: Subject::following(&first)? })
    }

    /// Both, in another order from round to round.
    fn in_turn(&self, round: u32) -> [(&'static str, &Subject); 2] {
        let both = [(LOCKED, &self.locked), (PLAIN, &self.plain)];
        if round.is_multiple_of(2) { both } else { [both[1], both[0]] }
    }

    fn steps(&mut self, pages: u32) -> Result<Vec<Step>> {
        Ok((0..pages).map(|_| self.scene.step(PAGE)).collect::<Result<_, _>>()?)
    }

    fn fill(&mut self, messages: u64) -> Result<()> {
        while self.scene.sent() < messages {
            let step = self.scene.step(PAGE)?;
            self.locked.apply(step.clone())?;
            self.plain.apply(step)?;
        }
        Ok(())
    }

    fn apply(&mut self, notes: &mut Notes, case: &str, round: u32, pages: u32) -> Result<()> {
        let steps = self.steps(pages)?;
        for (name, subject) in self.in_turn(round) {
            let steps = steps.clone();
            let watch = Watch::start();
            for step in steps {
                subject.apply(step)?;
            }
            notes.write(case, name, round, watch.stop(), u64::from(pages) * PAGE, [])?;
        }
        Ok(())
    }

    fn read(
        &self,
        notes: &mut Notes,
        case: &str,
        round: u32,
        calls: u32,
        read: impl Fn(&Subject, u32) -> Result<usize>,
    ) -> Result<()> {
        let mut times = [Times::default(), Times::default()];
        let both = self.in_turn(round);
        for number in 0..calls {
            for ((_, subject), times) in both.iter().zip(&mut times) {
                times.add(|| {
                    let rows = read(subject, number)?;
                    ensure!(rows > 0, "nothing was read");
                    Ok(())
                })?;
            }
        }
        for ((name, _), times) in both.iter().zip(times) {
            times.write(notes, case, name, round)?;
        }
        Ok(())
    }

    fn close(&self) -> Result<()> {
        self.locked.close()?;
        self.plain.close()
    }

    /// Opens files that were closed, and closes them again. The lines have their sizes.
    fn open(&self, notes: &mut Notes, round: u32, times: u32) -> Result<()> {
        for (name, subject) in self.in_turn(round) {
            let mut opened = Times::default();
            for _ in 0..times {
                let options = options(subject.file(), name == LOCKED)?;
                let watch = Watch::start();
                let store = subject.runtime.block_on(SqliteStore::open(options))?;
                opened.note(watch.stop());
                subject.runtime.block_on(store.close())?;
            }
            let size = mebibytes(std::fs::metadata(subject.file())?.len());
            opened.write_with(notes, "open", name, round, [("file_MiB", size)])?;
        }
        Ok(())
    }

    /// Writes messages, as a person does.
    fn send(&self, notes: &mut Notes, rounds: u32, sends: u32) -> Result<()> {
        let open = |subject: &Subject, is_locked: bool| -> Result<Client> {
            let builder = Fieldpost::builder().database(subject.file()).local_only();
            let builder = if is_locked { builder.key(key()?) } else { builder };
            Ok(subject.runtime.block_on(builder.open())?)
        };
        let (locked, plain) = (open(&self.locked, true)?, open(&self.plain, false)?);
        for round in notes.rounds(rounds) {
            let both = self.in_turn(round);
            let mut times = [Times::default(), Times::default()];
            for number in 0..sends {
                for ((name, subject), times) in both.iter().zip(&mut times) {
                    let client = if *name == LOCKED { &locked } else { &plain };
                    let conversation = client.conversation(conversation_id(u64::from(number) % THREADS));
                    times.add(|| Ok(subject.runtime.block_on(conversation.send(TEXT)).map(drop)?))?;
                }
            }
            for ((name, _), times) in both.iter().zip(times) {
                times.write(notes, "send", name, round)?;
            }
        }
        self.locked.runtime.block_on(locked.close())?;
        self.plain.runtime.block_on(plain.close())?;
        Ok(())
    }
}
