//! Where the tokens of the session lie: in the keyring where there is one, else in the file, which is said.

use crate::terminal::{ADA, Ended, PASSWORD, Terminal, server};
use fieldpost_devserver::DevServer;
use serde_json::Value;
use std::{fs, path::Path};
use tempfile::TempDir;

/// A desktop with a double of the keyring's tool; see `secret-tool` beside this file.
struct Desktop(TempDir);

impl Desktop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let double = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/secret-tool");
        std::os::unix::fs::symlink(double, folder.path().join("secret-tool")).unwrap();
        Self(folder)
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let path = std::env::var("PATH").unwrap_or_default();
        vec![
            ("PATH", format!("{}:{path}", self.0.path().display())),
            ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere".to_owned()),
        ]
    }

    /// What it keeps, in the form in which it keeps it.
    fn secrets(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap());
        let secrets = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("session-"));
        secrets.map(|entry| fs::read_to_string(entry.path()).unwrap()).collect()
    }

    /// The tokens of the session that it keeps.
    fn tokens(&self) -> [String; 2] {
        let text: String = serde_json::from_str(&self.secrets()[0]).unwrap();
        let session: Value = serde_json::from_str(&text).unwrap();
        ["access_token", "refresh_token"].map(|name| session[name].as_str().unwrap().to_owned())
    }

    fn lock(&self) {
        fs::write(self.0.path().join("locked"), "").unwrap();
    }

    fn unlock(&self) {
        fs::remove_file(self.0.path().join("locked")).unwrap();
    }
}

/// A terminal without a desktop.
fn bare() -> Vec<(&'static str, String)> {
    vec![("DBUS_SESSION_BUS_ADDRESS", String::new()), ("XDG_RUNTIME_DIR", "/nowhere".to_owned())]
}

fn on(desktop: &Desktop, server: &DevServer) -> Terminal {
    Terminal::with(server.url(), server.anon_key()).own(desktop.variables())
}

/// Whether any file in the folder of the database has one of these words in it.
fn folder_has(terminal: &Terminal, words: &[String]) -> bool {
    let files = fs::read_dir(terminal.folder()).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let has = |bytes: &[u8], word: &String| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    files.into_iter().any(|bytes| words.iter().any(|word| has(&bytes, word)))
}

fn protection(terminal: &Terminal, subject: &str) -> (String, String) {
    let report = terminal.run(&["--json", "--offline", "doctor"]).json().remove(0);
    let all = report["protection"].as_array().unwrap();
    let found = all.iter().find(|one| one["subject"] == subject).unwrap();
    (found["safety"].as_str().unwrap().to_owned(), found["message"].as_str().unwrap().to_owned())
}

fn ok(ended: &Ended) {
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_desktop_the_tokens_lie_in_the_keyring_and_not_in_the_file() {
    let (server, desktop) = (server().await, Desktop::new());
    let ada = on(&desktop, &server);
    let ended = ada.login(ADA, PASSWORD);
    ok(&ended);
    assert_eq!(ended.err, "");
    ok(&ada.run(&["sync"]));
    ok(&ada.run(&["send", "Admin", "On my way"]));

    assert!(!folder_has(&ada, &desktop.tokens()));
    assert_eq!(protection(&ada, "tokens").0, "protected");
    assert!(ada.run(&["doctor"]).out.contains("in the keyring of this desktop"));

    ok(&ada.run(&["logout"]));
    assert_eq!(desktop.secrets(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_keyring_login_says_once_that_the_tokens_are_in_the_file_and_doctor_does_so_too() {
    let server = server().await;
    let ada = Terminal::with(server.url(), server.anon_key()).own(bare());
    let ended = ada.login(ADA, PASSWORD);
    ok(&ended);
    assert!(ended.err.contains("kept in the file") && ended.err.contains("--tokens file"), "{ended:?}");
    let ended = ada.run(&["sync"]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));

    assert_eq!(protection(&ada, "tokens").0, "open");
    let said = ada.run(&["doctor"]);
    assert!(said.out.contains("keyring   none can be used here"), "{said:?}");
    ok(&said);
    assert_eq!(ada.run(&["--tokens", "keyring", "status"]).code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_chooses_the_file_is_told_nothing() {
    let (server, desktop) = (server().await, Desktop::new());
    let ada = on(&desktop, &server);
    let ended = ada.run_with(&["--tokens", "file", "login", "--email", ADA, "--password-stdin"], PASSWORD);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    assert_eq!(desktop.secrets(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_in_an_existing_file_move_to_the_keyring_and_back_on_demand() {
    let (server, desktop) = (server().await, Desktop::new());
    let before = Terminal::of_ada(&server);
    let ada = before.here(desktop.variables());
    ok(&ada.run(&["--offline", "conversations"]));

    let tokens = desktop.tokens();
    assert!(!folder_has(&before, &tokens), "they left no copy behind");
    ok(&ada.run(&["sync"]));

    ok(&ada.run(&["--tokens", "file", "--offline", "conversations"]));
    assert_eq!(desktop.secrets(), [""; 0]);
    assert!(folder_has(&before, &tokens));
    ok(&before.run(&["sync"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_keyring_signs_nobody_out_and_local_work_goes_on() {
    let (server, desktop) = (server().await, Desktop::new());
    let ada = on(&desktop, &server);
    ok(&ada.login(ADA, PASSWORD));
    ok(&ada.run(&["sync"]));
    desktop.lock();

    ok(&ada.run(&["--offline", "conversations"]));
    ok(&ada.run(&["--offline", "send", "Admin", "Locked"]));
    let ended = ada.run(&["sync"]);
    assert_eq!(ended.code, 1, "an error, and no sign-out (4)");
    assert!(ended.err.contains("nobody is signed out"), "{ended:?}");
    let codes = ada.run(&["--json", "--offline", "doctor"]).json().remove(0)["findings"].to_string();
    assert!(codes.contains("tokens_out_of_reach") && !codes.contains("signed_out"), "{codes}");

    desktop.unlock();
    ok(&ada.run(&["sync"]));
    assert_eq!(ada.thread().last().unwrap(), "Locked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_that_lost_the_tokens_asks_to_sign_in_again_and_nothing_else_is_gone() {
    let (server, desktop) = (server().await, Desktop::new());
    let ada = on(&desktop, &server);
    ok(&ada.login(ADA, PASSWORD));
    ok(&ada.run(&["sync"]));
    let other_desktop = Desktop::new();
    let elsewhere = ada.here(other_desktop.variables());
    ok(&elsewhere.run(&["--offline", "send", "Admin", "Kept"]));

    assert_eq!(elsewhere.run(&["sync"]).code, 4);
    let said = elsewhere.run(&["--offline", "doctor"]);
    assert!(said.out.contains("no longer has the tokens") && !said.out.contains("nobody is signed in"), "{said:?}");

    ok(&ada.run(&["sync"]));
    assert_eq!(ada.thread().last().unwrap(), "Kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_what_is_protected_and_what_is_not_and_what_to_do() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    assert_eq!(protection(&ada, "file").0, "open");
    assert_eq!(protection(&ada, "readers").0, "protected");
    for subject in ["swap", "screen", "notifications", "logs", "backups", "exports"] {
        let (safety, message) = protection(&ada, subject);
        assert!(safety == "elsewhere" && !message.is_empty(), "{subject}");
    }
    let said = ada.run(&["--offline", "doctor"]).out;
    assert!(said.contains("open      the file is not encrypted; encrypt the disk"), "{said}");
    assert!(said.contains("swap and hibernation"), "{said}");
}
