//! Searches while somebody types, and what the index costs.
//!
//! Messages are of words as common as words are: the second most common half as often as the first, and so on.

use crate::{
    Notes, Reading, Size,
    notes::{OURS, percentile},
    scene::{Scene, conversation_id, viewer},
    subject::{FILL, Subject},
    watch::{Watch, mebibytes},
};
use anyhow::{Result, ensure};
use fieldpost_domain::Time;
use fieldpost_storage::{Search, SearchQuery, Store};
use fieldpost_storage_sqlite::SqliteStore;
use std::{fs, time::Duration};

const CONVERSATIONS: u64 = 500;

/// The kinds of words that there are.
const WORDS: u64 = 30_000;

/// What is typed.
const TYPED: [(&str, &str); 12] = [
    ("one letter", "n"),
    ("one rare letter", "x"),
    ("two letters", "no"),
    ("three letters", "not"),
    ("the commonest word", "the"),
    ("the commonest word, whole", "the "),
    ("a word of seven letters", "bandage"),
    ("two words", "bandage not"),
    ("two common words", "not the"),
    ("a phrase", "\"not the\""),
    ("a word that is nowhere", "qqqq"),
    ("a rare word", "waga"),
];

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    let messages = size.pick(2_000, 100_000, 1_000_000);
    let mut scene = Scene::new(CONVERSATIONS);
    let ours = Subject::new(&scene)?;
    let mut words = Words::new();
    let mut applying = Reading::default();
    let before = fs::metadata(ours.file())?.len();
    while scene.sent() < messages {
        let mut step = scene.step(FILL.min(messages - scene.sent()))?;
        for message in &mut step.page.changes.messages {
            message.content = Some(words.message());
            message.created_at = time(message.created_at);
        }
        let watch = Watch::start();
        ours.apply(step)?;
        let took = watch.stop();
        applying = Reading { seconds: applying.seconds + took.seconds, cpu: applying.cpu + took.cpu };
    }
    let plain = settled(&ours)? - before;
    let store = ours.runtime.block_on(SqliteStore::open(ours.file()))?;
    let watch = Watch::start();
    while ours.runtime.block_on(store.index())? > 0 {}
    let indexing = watch.stop();
    ours.runtime.block_on(store.close())?;
    let indexed = fs::metadata(ours.file())?.len() - before;
    let facts = [
        ("index_bytes_per_message", (indexed.saturating_sub(plain)) as f64 / messages as f64),
        ("file_MiB", mebibytes(indexed)),
        ("apply_and_index_by_apply", (applying.seconds + indexing.seconds) / applying.seconds),
    ];
    notes.write(&format!("{messages} messages indexed, behind their pages"), OURS, 0, indexing, messages, facts)?;
    notes.write(&format!("{messages} messages applied"), OURS, 0, applying, messages, [])?;
    let store = ours.runtime.block_on(SqliteStore::open(ours.file()))?;
    type_all(&ours, &store, size, messages, notes)?;
    Ok(ours.runtime.block_on(store.close())?)
}

/// Closes the file of a bench, and answers its size.
fn settled(ours: &Subject) -> Result<u64> {
    ours.close()?;
    Ok(fs::metadata(ours.file())?.len())
}

fn type_all(ours: &Subject, store: &SqliteStore, size: Size, messages: u64, notes: &mut Notes) -> Result<()> {
    let times = size.pick(2, 20, 40);
    let in_one = ("in a conversation, one letter", "n");
    for (what, text) in TYPED.into_iter().chain([in_one, ("own, three letters", "not")]) {
        for best in [false, true] {
            let mut query = SearchQuery::typed(text)?.limit(50);
            if best {
                query = query.best_first();
            }
            if what.starts_with("in a") {
                query = query.in_conversation(conversation_id(7));
            }
            if what.starts_with("own") {
                query = query.from_sender(viewer().id);
            }
            let (mut taken, mut hits) = (Vec::new(), 0);
            let watch = Watch::start();
            for _ in 0..times {
                let one = Watch::start();
                let page = ours.runtime.block_on(store.search(&query))?;
                taken.push(one.stop().seconds * 1_000.0);
                hits = page.hits.len();
                ensure!(page.unindexed == 0, "{} messages are not indexed", page.unindexed);
            }
            let reading = watch.stop();
            taken.sort_by(f64::total_cmp);
            let facts = [("p50", percentile(&taken, 0.5)), ("p95", percentile(&taken, 0.95)), ("hits", hits as f64)];
            let order = if best { "best" } else { "newest" };
            notes.write(&format!("{what}, {order} of {messages}"), OURS, 0, reading, times, facts)?;
        }
    }
    Ok(())
}

/// Half a minute between two messages, which the scene sends within a second.
fn time(at: Time) -> Time {
    let start = crate::scene::at(0);
    let number = (at - start).num_microseconds().unwrap_or(0).unsigned_abs();
    start + Duration::from_secs(30 * number)
}

/// Makes messages; always the same.
struct Words {
    random: u64,
    /// Up to which of all numbers each word goes.
    until: Vec<f64>,
}

impl Words {
    fn new() -> Self {
        let mut sum = 0.0;
        let until = (0..WORDS).map(|word| {
            sum += 1.0 / (word as f64 + 2.7);
            sum
        });
        Self { random: 0x9e37_79b9_7f4a_7c15, until: until.collect() }
    }

    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn message(&mut self) -> String {
        let words = 3 + self.next() % 14;
        (0..words).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }

    fn word(&mut self) -> String {
        const COMMONEST: [&str; 6] = ["the", "not", "to", "bandage", "Stra\u{df}e", "at"];
        let all = self.until.last().copied().unwrap_or(1.0);
        let wanted = (self.next() >> 11) as f64 / (1_u64 << 53) as f64 * all;
        let word = self.until.partition_point(|until| *until < wanted);
        COMMONEST.get(word).map_or_else(|| spelled(word as u64), |word| (*word).to_owned())
    }
}

/// A word of two to six syllables, for each number another one.
fn spelled(number: u64) -> String {
    const CONSONANTS: &[u8] = b"bdfghklmnprstvwz";
    const VOWELS: &[u8] = b"aeiou";
    let mut rest = number;
    let mut word = String::new();
    loop {
        for letters in [CONSONANTS, VOWELS] {
            let at = rest % letters.len() as u64;
            rest /= letters.len() as u64;
            word.push(char::from(letters.get(at as usize).copied().unwrap_or(b'a')));
        }
        if rest == 0 {
            return word;
        }
    }
}
