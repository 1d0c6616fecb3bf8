//! Importing a file of the app that Fieldpost replaces, in a separate process: messages per second and memory.

use crate::{
    Notes, Size,
    notes::OURS,
    peer_client::Done,
    peers::program,
    watch::{Watch, mebibytes, memory},
};
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    let messages = size.pick(1_000, 10_000, 100_000);
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("watermelon.db");
    write_source(&source, messages)?;
    for round in notes.rounds(size.pick(1, 2, 5)) {
        let done = Done::of(Command::new(program()?).arg("--import").arg(&source))?;
        let facts = ["over_idle_MiB", "idle_MiB", "source_MiB", "room_sources"].map(|name| (name, done.fact(name)));
        notes.write(&format!("{messages} messages"), OURS, round, done.reading, messages, facts)?;
    }
    Ok(())
}

/// A file that WatermelonDB wrote, with so many messages more.
fn write_source(path: &Path, messages: u64) -> Result<()> {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/fixtures/v5-0.27.db");
    fs::copy(fixture, path)?;
    let db = rusqlite::Connection::open(path)?;
    db.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
        INSERT INTO messages (id, _changed, _status, server_id, conversation_id, org_id, sender_id, sender_name,
            message_type, content, status, idempotency_key, created_at, updated_at)
        SELECT printf('m%015d', i), '', 'synced', printf('0198c0de-0001-7000-8000-%012x', i), 'convDirect000001', org_id,
            sender_id, 'Ada Moss', 'text', 'Message ' || i || ': gate ' || (i % 7) || ' is closed until noon', 'read', NULL,
            created_at + i, created_at + i
        FROM n CROSS JOIN (SELECT org_id, sender_id, created_at FROM messages WHERE id = 'msgSent000000001')",
        [i64::try_from(messages)?],
    )?;
    Ok(())
}

/// Imports a file, and reports the time and the memory that took, and how much room on the disk.
///
/// # Errors
/// If it cannot be imported.
pub fn import(source: &Path) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let folder = tempfile::tempdir()?;
    let target = folder.path().join("fieldpost.db");
    let (most, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let room = watch_room(folder.path().join("fieldpost.db.importing"), &most, &stop);
    let idle = memory("VmRSS").unwrap_or(0);
    let watch = Watch::start();
    let report = runtime.block_on(fieldpost::import_watermelon(source, &target, |_| {}))?;
    let reading = watch.stop();
    let over = memory("VmHWM").unwrap_or(0).saturating_sub(idle);
    stop.store(true, Ordering::Relaxed);
    room.join().ok().context("watching the folder")?;
    let (rows, came) = report.rows();
    anyhow::ensure!(came > rows / 2, "{came} of {rows} rows came over");
    let size = fs::metadata(source)?.len();
    let sources = most.load(Ordering::Relaxed) as f64 / size as f64;
    let facts = [
        ("over_idle_MiB", mebibytes(over)),
        ("idle_MiB", mebibytes(idle)),
        ("source_MiB", mebibytes(size)),
        ("room_sources", sources),
    ];
    Done::new(reading, facts).say()
}

/// Keeps the most bytes that a folder had.
fn watch_room(folder: PathBuf, most: &Arc<AtomicU64>, stop: &Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
    let (most, stop) = (Arc::clone(most), Arc::clone(stop));
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            let files = fs::read_dir(&folder).into_iter().flatten().flatten();
            let bytes: u64 = files.filter_map(|file| Some(file.metadata().ok()?.len())).sum();
            most.fetch_max(bytes, Ordering::Relaxed);
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    })
}
