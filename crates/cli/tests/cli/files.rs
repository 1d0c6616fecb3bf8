//! Files that are not Fieldpost's, files that do not belong together, and disks that are full.

use crate::terminal::{Terminal, server};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

/// Every command that only reads.
const READING: [&[&str]; 6] =
    [&["conversations"], &["messages", "Admin"], &["people"], &["outbox"], &["status"], &["doctor"]];

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Runs the command on a copy of a terminal's project with another file.
fn on(path: &Path, terminal: &Terminal) -> Terminal {
    let mut other = terminal.here(Vec::new());
    other.database = path.to_owned();
    other
}

/// Writes three messages and is killed before the log is moved into the file.
fn write_and_be_killed(terminal: &Terminal) {
    let list = terminal.run(&["--json", "--offline", "conversations"]).json();
    let id = list.iter().find(|one| one["name"] == "Admin").unwrap()["id"].as_str().unwrap().to_owned();
    let mut child = terminal.start(&["--json", "demo-writer", &id, "3"]);
    let accepted = BufReader::new(child.stdout.take().unwrap()).lines().take(3).count();
    assert_eq!(accepted, 3);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(fs::metadata(beside(&terminal.database, "-wal")).unwrap().len() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_database_of_ours_is_never_written_to() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    let whole = fs::read(&ada.database).unwrap();
    let contents: [(&str, &[u8]); 7] = [
        ("one byte", b"x"),
        ("a byte of zero", b"\0"),
        ("the first letter of SQLite's header", b"S"),
        ("SQLite's header alone", b"SQLite format 3\0"),
        ("half a header", &whole[..100]),
        ("a page", &whole[..4096]),
        ("half a file", &whole[..whole.len() / 2]),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (what, bytes) in contents {
        let path = folder.path().join("it");
        fs::write(&path, bytes).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions();
        for command in READING.into_iter().chain([&["send", "Admin", "hello"] as &[&str], &["sync"]]) {
            let ended = on(&path, &ada).run(command);
            assert_eq!(ended.code, 1, "{what}: {command:?}: {ended:?}");
            assert!(
                ["not a Fieldpost database", "is damaged"].iter().any(|said| ended.err.contains(said)),
                "{what}: {ended:?}"
            );
            assert_eq!(fs::read(&path).unwrap(), bytes, "{what}: {command:?} has written to it");
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions(), mode, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_file_beside_a_newer_log_is_said_to_be_damaged_everywhere_and_can_be_put_right() {
    let server = server().await;
    let fresh = Terminal::new();
    assert_eq!(fresh.run(&["status"]).code, 0);
    let ada = Terminal::of_ada(&server);
    write_and_be_killed(&ada);
    let (right, log) = (fs::read(&ada.database).unwrap(), fs::read(beside(&ada.database, "-wal")).unwrap());

    for (what, older) in
        [("a file before the first login", fs::read(&fresh.database).unwrap()), ("an empty file", Vec::new())]
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mixed.db");
        fs::write(&path, &older).unwrap();
        fs::write(beside(&path, "-wal"), &log).unwrap();
        for command in READING.into_iter().chain([&["--offline", "send", "Admin", "hello"] as &[&str], &["sync"]]) {
            let ended = on(&path, &ada).run(command);
            assert!(
                ended.code == 1 && ended.err.contains("damaged") && ended.err.contains("-wal"),
                "{what}: {command:?}: {ended:?}"
            );
            assert_eq!(fs::read(&path).unwrap(), older, "{what}: {command:?} has written to it");
            assert_eq!(fs::read(beside(&path, "-wal")).unwrap(), log, "{what}: {command:?} has written to it");
        }

        fs::write(&path, &right).unwrap();
        let put_right = on(&path, &ada);
        assert_eq!(put_right.run(&["--json", "--offline", "outbox"]).json().len(), 3, "{what}");
        assert_eq!(put_right.run(&["--offline", "doctor"]).code, 0, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_here_can_be_read_on_a_full_disk() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    assert_eq!(ada.run(&["--offline", "send", "Admin", "before"]).code, 0);
    for command in READING {
        let command = [&["--json", "--offline"], command].concat();
        let (before, full) = (ada.run(&command), ada.run_on_a_full_disk(&command, 0));
        assert_eq!((full.code, &full.out), (before.code, &before.out), "{command:?}: {full:?}");
    }
    for command in [&["--offline", "send", "Admin", "no room"] as &[&str], &["read", "Admin"]] {
        let refused = ada.run_on_a_full_disk(command, 0);
        assert!(refused.code == 1 && refused.err.contains("the disk is full"), "{command:?}: {refused:?}");
    }

    write_and_be_killed(&ada);
    for command in READING {
        let named = ada.run_on_a_full_disk(&[&["--offline"], command].concat(), 0);
        assert!(named.code == 0 || named.err.contains("the disk is full"), "{command:?}: {named:?}");
    }
    assert_eq!(ada.run(&["--json", "--offline", "outbox"]).json().len(), 4, "and nothing is lost");
}
