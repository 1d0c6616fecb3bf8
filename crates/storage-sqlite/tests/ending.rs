//! Processes that end while they write to an encrypted file.
//!
//! SQLCipher cleans up when the process ends, whatever the other threads do. So a process that has not closed its store may crash at the
//! very end. It loses nothing by that, as if it had been killed; one that closes first ends well.
#![cfg(feature = "encryption")]
#![expect(clippy::unwrap_used, reason = "a step of a test that fails has to fail the test")]

use fieldpost_domain::{AccessToken, Key, PersonId, RefreshToken, Session, Time};
use fieldpost_storage::{Sessions, Store};
use fieldpost_storage_sqlite::{SqliteOptions, SqliteStore};
use std::{
    env,
    ffi::OsStr,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

/// Which file the other half of a test writes to, for how many µs, and whether it closes it then.
const WRITE_TO: &str = "FIELDPOST_TEST_ENDING";
const FOR: &str = "FIELDPOST_TEST_ENDING_FOR";
const CLOSES: &str = "FIELDPOST_TEST_ENDING_CLOSES";

const ROUNDS: u64 = 20;

fn options(path: PathBuf) -> SqliteOptions {
    SqliteOptions::new(path).key(Key::new(std::array::from_fn(|n| u8::try_from(n).unwrap())).unwrap())
}

/// Large enough that a commit is on its way most of the time.
fn session(number: u64) -> Session {
    Session {
        person_id: PersonId::from_uuid(uuid::Uuid::from_u128(1)),
        email: None,
        access_token: AccessToken::new(format!("{number} {}", "x".repeat(100_000))),
        refresh_token: RefreshToken::new("r"),
        expires_at: Time::UNIX_EPOCH,
    }
}

fn number(session: &Session) -> u64 {
    session.access_token.reveal().split(' ').next().unwrap().parse().unwrap()
}

/// The other half of the tests below: writes until the process ends, and tells what was written.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_written_again_and_again() {
    let Some(path) = env::var_os(WRITE_TO) else { return };
    let store = SqliteStore::open(options(path.into())).await.unwrap();
    let first = number(&store.session().await.unwrap().unwrap());
    let closes = env::var_os(CLOSES).is_some();
    write(&store, first + 1).await;
    let until = Instant::now() + microseconds();
    if !closes {
        std::thread::spawn(move || {
            std::thread::sleep(until.saturating_duration_since(Instant::now()));
            std::process::exit(0);
        });
    }
    for next in first + 2.. {
        write(&store, next).await;
        if closes && Instant::now() >= until {
            store.close().await.unwrap();
            std::process::exit(0);
        }
    }
}

async fn write(store: &SqliteStore, number: u64) {
    store.save_session(&session(number)).await.unwrap();
    // The runner of the tests may not have ended its line.
    std::io::stdout().write_all(format!("\nwrote {number}\n").as_bytes()).unwrap();
}

fn microseconds() -> Duration {
    Duration::from_micros(env::var(FOR).unwrap().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_while_it_writes_loses_nothing() {
    for (_, missing) in rounds("").await {
        assert_eq!(missing, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_closes_its_file_first_ends_well() {
    for (status, missing) in rounds("1").await {
        assert!(status.success(), "{status}");
        assert_eq!(missing, None);
    }
}

/// How the writers ended, and what is missing of what they have told.
async fn rounds(closes: &str) -> Vec<(ExitStatus, Option<String>)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fieldpost.db");
    let store = SqliteStore::open(options(path.clone())).await.unwrap();
    store.save_session(&session(0)).await.unwrap();
    store.close().await.unwrap();

    let mut ended = Vec::new();
    for round in 0..ROUNDS {
        let (status, wrote) = write_in_a_process(&path, 5_000 + round * 1_013, closes.as_ref());
        assert!(wrote > 0, "it ended before it wrote: {status}");
        let store = SqliteStore::open(options(path.clone())).await.unwrap();
        let there = number(&store.session().await.unwrap().unwrap());
        store.close().await.unwrap();
        ended.push((status, (there < wrote).then(|| format!("{there} is there of {wrote}"))));
    }
    ended
}

fn write_in_a_process(path: &Path, microseconds: u64, closes: &OsStr) -> (ExitStatus, u64) {
    let mut writer = Command::new(env::current_exe().unwrap());
    writer.args(["--exact", "a_session_is_written_again_and_again", "--nocapture"]);
    writer.env(WRITE_TO, path).env(FOR, microseconds.to_string());
    if !closes.is_empty() {
        writer.env(CLOSES, closes);
    }
    let output = writer.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let wrote = told.lines().filter_map(|line| line.strip_prefix("wrote ")?.parse().ok()).next_back();
    (output.status, wrote.unwrap_or_default())
}
