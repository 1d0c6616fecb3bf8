//! What the tool does not do: give a file to others, take a key that opens everything, or send a password unencrypted.

use crate::terminal::{ADA, PASSWORD, Terminal, server};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_others_can_read_is_tightened_with_a_word() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    for path in [ada.database.clone(), beside(&ada.database, "-turn")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }

    let ended = ada.run(&["--json", "conversations"]);
    assert_eq!(ended.code, 0);
    assert!(
        ended.err.contains("other users of this machine could read") && ended.err.contains("now only you can"),
        "{ended:?}"
    );
    assert_eq!(ended.json().len(), 2, "programs get what they get otherwise");
    assert_eq!((mode(&ada.database), mode(&beside(&ada.database, "-turn"))), (0o600, 0o600));
    assert_eq!(ada.run(&["conversations"]).err, "", "said once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_and_a_link_to_it_share_one_turn() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link.db");
    symlink(&ada.database, &link).unwrap();
    let mut linked = ada.here(Vec::new());
    linked.database.clone_from(&link);

    assert_eq!(linked.run(&["sync"]).code, 0);
    assert!(!beside(&link, "-turn").exists(), "the turn is beside the file itself");
    assert!(beside(&ada.database, "-turn").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_opens_everything_is_refused() {
    let server = server().await;
    // {"iss":"supabase","ref":"abcd","role":"service_role"}
    let service = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJzdXBhYmFzZSIsInJlZiI6ImFiY2QiLCJyb2xlIjoic2VydmljZV9yb2xlIn0.c2ln";
    for key in [service, "sb_secret_abcdefgh"] {
        let ended = Terminal::with(server.url(), key).login(ADA, PASSWORD);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains("must never be in an app") && !ended.err.contains(key), "{ended:?}");
    }
}

#[test]
fn nothing_travels_unencrypted_to_another_machine_unless_told() {
    let url = "http://no-such-host.invalid";
    let ended = Terminal::with(url, "key").login(ADA, PASSWORD);
    assert!(ended.code == 2 && ended.err.contains("unencrypted"), "{ended:?}");

    let told =
        Terminal::with(url, "key").run_with(&["--allow-http", "login", "--email", ADA, "--password-stdin"], PASSWORD);
    assert!(told.code == 3 && told.err.contains("cannot be reached"), "{told:?}");
    let variable = vec![("FIELDPOST_ALLOW_HTTP", "1".to_owned())];
    assert_eq!(Terminal::with(url, "key").own(variable).login(ADA, PASSWORD).code, 3);
}
