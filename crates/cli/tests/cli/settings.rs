//! `fieldpost pin`, `mute`, `archive`, `unread`, and `draft`.

use crate::terminal::{Terminal, server};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_shows_in_the_list_and_on_the_persons_other_device() {
    let server = server().await;
    let (phone, tablet) = (Terminal::of_ada(&server), Terminal::of_ada(&server));
    let first = |terminal: &Terminal, arguments: &[&str]| {
        let ended = terminal.run(&[&["--offline", "conversations"], arguments].concat());
        ended.out.lines().next().unwrap_or_default().to_owned()
    };
    assert!(first(&phone, &[]).contains("Site notices"));

    let pinned = phone.run(&["--offline", "pin", "ADMIN"]);
    assert!(pinned.code == 0 && pinned.out.contains("Admin") && pinned.out.contains("[pinned]"), "{pinned:?}");
    let is = |line: &str, name: &str, mark: &str| line.contains(name) && line.contains(mark);
    assert!(is(&first(&phone, &[]), "Admin", "[pinned]"), "at the top, before anybody knows it");
    let muted = phone.run(&["mute", "site", "--hours", "8", "--json"]).json();
    assert!(muted[0]["muted_until"].is_string() && muted[0]["archived"] == false, "{muted:?}");
    tablet.run(&["sync"]);
    assert!(is(&first(&tablet, &[]), "Admin", "[pinned]"));
    assert!(is(&first(&tablet, &["--muted"]), "Site notices", "[muted]"));

    assert_eq!(tablet.run(&["archive", "admin"]).code, 0);
    assert_eq!(tablet.run(&["unmute", "site"]).code, 0);
    phone.run(&["sync"]);
    assert!(first(&phone, &["--archived"]).contains("Admin"));
    assert!(!phone.run(&["--offline", "conversations"]).out.contains("Admin"));
    for (command, name) in [("unarchive", "admin"), ("unpin", "admin")] {
        assert_eq!(phone.run(&[command, name]).code, 0);
    }
    let as_before = phone.run(&["--offline", "conversations"]).out;
    assert!(
        as_before.contains("Admin") && !as_before.contains("[pinned]") && !as_before.contains("[muted]"),
        "{as_before}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_unread_from_a_message_until_it_is_read() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    ada.run(&["read", "admin"]);
    let unread = ada.run(&["unread", "admin", "--from", "1", "--json"]).json();
    assert_eq!(unread[0]["unread"], 2, "{unread:?}");
    assert_eq!(ada.run(&["conversations", "--unread", "--json"]).json().len(), 2);
    ada.run(&["read", "admin"]);
    assert_eq!(ada.run(&["conversations", "--unread", "--json"]).json().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_kept_shown_sent_and_cleared() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    assert_eq!(ada.run(&["draft", "admin"]).out, "No draft.\n");
    assert_eq!(ada.run(&["draft", "admin", "--", "-5 degrees"]).code, 0);
    assert_eq!(ada.run(&["draft", "admin", "--json"]).json()[0]["text"], "-5 degrees");
    assert!(ada.run(&["--offline", "conversations"]).out.contains("-5 degrees"));
    let sent = ada.run(&["draft", "admin", "--send"]);
    assert!(sent.code == 0 && sent.out.contains("-5 degrees"), "{sent:?}");
    assert_eq!(ada.run(&["draft", "admin"]).out, "No draft.\n", "a draft that was sent is gone");
    ada.run(&["draft", "admin", "again"]);
    assert_eq!(ada.run(&["draft", "admin", "--clear"]).out, "No draft.\n");
    let nothing = ada.run(&["draft", "admin", "--send"]);
    assert!(nothing.code != 0 && nothing.err.contains("draft"), "{nothing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_set_is_said() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    for arguments in [
        &["pin", "nobody"] as &[_],
        &["mute", "admin", "--hours", "0"],
        &["mute", "admin", "--hours", "a week"],
        &["unread", "admin", "--from", "0"],
        &["draft", "admin", "x", "--clear"],
    ] {
        let ended = ada.run(arguments);
        assert!(ended.code == 2 || ended.code == 4 || ended.code == 1, "{arguments:?}: {ended:?}");
        assert!(!ended.err.is_empty() && ended.out.is_empty(), "{arguments:?}: {ended:?}");
    }
}
