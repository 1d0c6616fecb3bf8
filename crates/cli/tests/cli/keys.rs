//! `fieldpost key` and `--key-file`: what they say, and that a kill at any moment leaves the old file or the new one.

use crate::terminal::{Ended, Terminal};
use fieldpost_testkit::SeededRandom;
use fieldpost_tests::OldApp;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Child,
    time::{Duration, Instant},
};

/// What a message in the older app's file says.
const WORD: &[u8] = b"on my way";

/// How often the test kills; `FIELDPOST_KILLS` has it do so more often.
const KILLS: u64 = 24;

/// A terminal with a file of the older app imported.
struct Desk {
    terminal: Terminal,
}

impl Desk {
    async fn new(messages: u32) -> Self {
        let (terminal, app) = (Terminal::new(), OldApp::new());
        app.receive(messages).await;
        assert_eq!(terminal.run(&["import-watermelon", &app.file().display().to_string()]).code, 0);
        Self { terminal }
    }

    /// The path of a key that is made when it is first named.
    fn key(&self, name: &str) -> String {
        let path = self.terminal.folder().join(name).display().to_string();
        if !Path::new(&path).exists() {
            assert_eq!(self.terminal.run(&["key", "new", &path]).code, 0);
        }
        path
    }

    fn status(&self, key: Option<&str>) -> Ended {
        match key {
            Some(key) => self.terminal.run(&["--key-file", &self.key(key), "--offline", "--json", "doctor"]),
            None => self.terminal.run(&["--offline", "--json", "doctor"]),
        }
    }

    /// Whether the file can be read so, and is sound and whole then.
    fn is_read_with(&self, key: Option<&str>) -> bool {
        let ended = self.status(key);
        let Some(doctor) = ended.json().into_iter().find(|line| line.get("database").is_some()) else { return false };
        assert_eq!(doctor["database"]["faults"], serde_json::json!([]), "{ended:?}");
        assert!(doctor["imported"]["queued"]["messages"].as_u64() > Some(0), "{ended:?}");
        true
    }

    /// The files beside the database in which the word can be read.
    fn tells(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.terminal.folder()).unwrap().map(|entry| entry.unwrap().path());
        let tells =
            |file: &PathBuf| fs::read(file).is_ok_and(|bytes| bytes.windows(WORD.len()).any(|part| part == WORD));
        files.filter(tells).collect()
    }
}

#[tokio::test]
async fn a_database_is_encrypted_gets_another_key_and_is_made_plain() {
    let desk = Desk::new(10).await;
    let (first, second) = (desk.key("first"), desk.key("second"));
    assert_eq!(desk.tells(), std::slice::from_ref(&desk.terminal.database));

    let ended = desk.terminal.run(&["--key-file", &first, "key", "set"]);
    assert!(ended.code == 0 && ended.out.contains("phone.db is encrypted."), "{ended:?}");
    assert!(desk.is_read_with(Some("first")) && desk.tells().is_empty());
    let ended = desk.terminal.run(&["status"]);
    assert!(ended.code == 1 && ended.err.contains("the file is encrypted; open it with its key"), "{ended:?}");
    let ended = desk.terminal.run(&["--key-file", &second, "status"]);
    assert!(ended.code == 1 && ended.err.contains("it has another one"), "{ended:?}");
    let ended = desk.terminal.run(&["--key-file", &first, "key", "set"]);
    assert!(ended.code == 1 && ended.err.contains("encrypted"), "{ended:?}");

    let ended = desk.terminal.run(&["--json", "--key-file", &first, "key", "change", "--new-key-file", &second]);
    assert_eq!(ended.json()[0]["changed"], true, "{ended:?}");
    assert!(desk.is_read_with(Some("second")) && !desk.is_read_with(Some("first")));

    assert_eq!(desk.terminal.run(&["--key-file", &second, "key", "remove"]).code, 0);
    assert!(desk.is_read_with(None));
    let ended = desk.terminal.run(&["--key-file", &second, "status"]);
    assert!(ended.code == 1 && ended.err.contains("the file is not encrypted, and a key was given"), "{ended:?}");
}

#[tokio::test]
async fn a_file_of_the_older_app_is_imported_into_an_encrypted_database() {
    let (terminal, app) = (Terminal::new(), OldApp::new());
    let key = terminal.folder().join("key").display().to_string();
    terminal.run(&["key", "new", &key]);
    let source = app.file().display().to_string();
    let ended = terminal.run(&["--key-file", &key, "import-watermelon", &source]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let desk = Desk { terminal };
    assert!(desk.is_read_with(Some("key")) && desk.tells().is_empty());
}

#[tokio::test]
async fn a_disk_that_runs_full_during_a_change_of_key_leaves_the_old_file() {
    let desk = Desk::new(10).await;
    let key = desk.key("first");
    let before = fs::read(&desk.terminal.database).unwrap();

    let ended = desk.terminal.run_on_a_full_disk(&["--key-file", &key, "key", "set"], 200);

    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(fs::read(&desk.terminal.database).unwrap() == before);
    assert!(!desk.terminal.folder().join("phone.db-converting").exists());
    assert_eq!(desk.terminal.run(&["--key-file", &key, "key", "set"]).code, 0);
    assert!(desk.is_read_with(Some("first")));
}

/// Whether the word can be read in some file of a folder, or of one in it.
fn is_told_in(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.into_iter().any(|path| match path.is_dir() {
        true => is_told_in(&path),
        false => fs::read(path).is_ok_and(|bytes| bytes.windows(WORD.len()).any(|part| part == WORD)),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_opens_a_database_removes_the_plain_copy_that_a_killed_import_left() {
    let app = OldApp::new();
    app.receive(5_000).await;
    let source = app.file().display().to_string();
    for written in ["source.db", "source.db-journal", "new.db"] {
        // Given
        let terminal = Terminal::new();
        let key = terminal.folder().join("key").display().to_string();
        terminal.run(&["key", "new", &key]);
        let folder = terminal.folder().join("phone.db.importing");
        let mut child = terminal.start(&["--key-file", &key, "import-watermelon", &source]);
        let file = folder.join(written);
        while !fs::metadata(&file).is_ok_and(|file| file.len() > 0) && child.try_wait().unwrap().is_none() {}
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().code(), None, "{written}: it was killed before its end");
        assert!(is_told_in(terminal.folder()), "{written}: it has left a copy");

        // When
        let ended = terminal.run(&["--key-file", &key, "--offline", "--json", "doctor"]);

        // Then
        assert_eq!(ended.json()[0]["database"]["faults"], serde_json::json!([]), "{ended:?}");
        assert!(!folder.exists() && !is_told_in(terminal.folder()), "{written}: nothing is left");
        let again = terminal.run(&["--key-file", &key, "import-watermelon", &source]);
        assert!(again.code == 2 && again.err.contains("already"), "{written}: {again:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_runs_is_not_disturbed_by_whoever_opens_a_database_at_its_target() {
    // Given
    let (terminal, app) = (Terminal::new(), OldApp::new());
    app.receive(5_000).await;
    let key = terminal.folder().join("key").display().to_string();
    terminal.run(&["key", "new", &key]);
    let folder = terminal.folder().join("phone.db.importing");
    let source = app.file().display().to_string();
    let mut child = terminal.start(&["--key-file", &key, "import-watermelon", &source]);
    while !folder.join("source.db-journal").exists() && child.try_wait().unwrap().is_none() {}

    // When
    let opened = terminal.run(&["--key-file", &key, "--offline", "status"]);

    // Then: the import says that somebody was faster, and not that its files are gone
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
    assert!(opened.code == 0 && ended.status.code() == Some(2), "{opened:?} {said}");
    assert!(said.contains("already") && !folder.exists(), "{said}");
}

#[test]
fn what_is_no_key_is_refused_and_no_key_is_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let terminal = Terminal::new();
    let file = terminal.folder().join("key");
    let name = file.display().to_string();
    let ended = terminal.run(&["--key-file", &name, "status"]);
    assert!(ended.code == 2 && ended.err.contains("the key file "), "{ended:?}");
    for (content, said) in
        [("", "64 hexadecimal digits"), ("secret\n", "64 hexadecimal digits"), (&"00".repeat(32), "not random")]
    {
        fs::write(&file, content).unwrap();
        let ended = terminal.run(&["--key-file", &name, "status"]);
        assert!(ended.code == 2 && ended.err.contains(said), "{ended:?}");
        assert!(!terminal.database.exists());
    }
    let ended = terminal.run(&["key", "new", &name]);
    assert!(ended.code == 2 && ended.err.contains("exists, and a key in it would be lost"), "{ended:?}");
    fs::remove_file(&file).unwrap();
    assert_eq!(terminal.run(&["key", "new", &name]).code, 0);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let ended = terminal.run(&["key", "set"]);
    assert!(ended.code == 2 && ended.err.contains("Give --key-file"), "{ended:?}");
}

/// The moments at which a change of key is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// This long after the start.
    After(Duration),
    /// When the new file has so many bytes.
    Written(u64),
    /// When the file has been exchanged.
    Exchanged,
}

impl Moment {
    fn any(random: &mut SeededRandom) -> Self {
        match random.below(6) {
            0 => Self::After(Duration::from_millis(random.below(150))),
            1 => Self::Exchanged,
            _ => Self::Written(random.below(1_500_000)),
        }
    }

    fn wait(self, child: &mut Child, database: &Path) {
        use std::os::unix::fs::MetadataExt as _;
        let inode = || fs::metadata(database).map(|file| file.ino()).unwrap_or_default();
        let converting = database.with_file_name("phone.db-converting");
        let (started, before) = (Instant::now(), inode());
        let is_over = || match self {
            Self::After(delay) => started.elapsed() >= delay,
            Self::Written(bytes) => fs::metadata(&converting).is_ok_and(|file| file.len() > bytes),
            Self::Exchanged => inode() != before,
        };
        while !is_over() && child.try_wait().unwrap().is_none() {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_key_that_is_killed_leaves_the_old_file_or_the_new_one() {
    let desk = Desk::new(5_000).await;
    let kills = std::env::var("FIELDPOST_KILLS").ok().and_then(|number| number.parse().ok()).unwrap_or(KILLS);
    let mut random = SeededRandom::new(7);
    let (mut now, mut killed, mut changed) = (None, 0, 0);
    for number in 0..kills {
        // When
        let next = match now {
            None => Some("first"),
            Some(_) if random.one_in(4) => None,
            Some("first") => Some("second"),
            Some(_) => Some("first"),
        };
        let keys = [now, next].map(|key| key.map(|key| desk.key(key)).unwrap_or_default());
        let arguments: &[&str] = match (now, next) {
            (None, _) => &["--key-file", &keys[1], "key", "set"],
            (_, None) => &["--key-file", &keys[0], "key", "remove"],
            _ => &["--key-file", &keys[0], "key", "change", "--new-key-file", &keys[1]],
        };
        let mut child = desk.terminal.start(arguments);
        Moment::any(&mut random).wait(&mut child, &desk.terminal.database);
        child.kill().unwrap();
        killed += usize::from(child.wait().unwrap().code().is_none());

        // Then
        if now.is_some() && next.is_some() {
            assert_eq!(desk.tells(), <[PathBuf; 0]>::default(), "kill {number}");
        }
        let (old, new) = (desk.is_read_with(now), desk.is_read_with(next));
        assert!(old ^ new, "kill {number}: {old} {new}");
        if new {
            (now, changed) = (next, changed + 1);
        }
        assert!(!desk.terminal.folder().join("phone.db-converting").exists(), "kill {number}: nothing is left");
        if now.is_some() {
            assert_eq!(desk.tells(), <[PathBuf; 0]>::default(), "kill {number}");
        }
    }
    println!("{killed} of {kills} were killed before their end, {changed} changes had been made");
    assert!(killed as u64 > kills / 3 && changed > 0, "{killed} of {kills} were killed, {changed} were through");
}
