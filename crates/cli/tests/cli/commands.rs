//! Each command does what its help says, for people and for programs.

use crate::terminal::{ADA, PASSWORD, Terminal, server};
use fieldpost::Fieldpost;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_day_at_the_terminal() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    let admin = Terminal::with(server.url(), server.anon_key());
    admin.login("admin@fieldpost.test", PASSWORD);
    admin.run(&["sync"]);

    let list = ada.run(&["--json", "conversations"]).json();
    let names: Vec<_> = list.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"Admin") && names.contains(&"Site notices"), "{names:?}");
    let people = admin.run(&["--json", "people"]).json();
    assert!(people.iter().any(|person| person["name"] == "Ben Okafor" && person["medic_id"].is_string()));

    let opened = admin.run(&["--json", "open", "--medic", "Ada Moss"]).json();
    assert_eq!(opened[0]["name"], "Ada Moss");
    let sent = admin.run(&["--json", "send", "Ada Moss", "please confirm"]).json();
    assert_eq!((&sent[0]["status"], &sent[0]["mine"]), (&json!("sent"), &json!(true)));

    assert_eq!(ada.run(&["--json", "sync"]).json()[0]["new_messages"], 1);
    let unread = |terminal: &Terminal| terminal.run(&["--json", "--offline", "status"]).json()[0]["unread"].clone();
    let before = unread(&ada).as_u64().unwrap();
    assert!(before > 0);
    assert_eq!(ada.run(&["read", "Admin"]).code, 0);
    assert!(unread(&ada).as_u64().unwrap() < before);

    assert_eq!(ada.run(&["--offline", "send", "Admin", "confirmed"]).code, 0);
    let outbox = ada.run(&["--json", "--offline", "outbox"]).json();
    assert_eq!((&outbox[0]["kind"], &outbox[0]["state"]), (&json!("send_message"), &json!("queued")));
    let shown = ada.run(&["--offline", "messages", "Admin", "--limit", "1"]);
    assert!(shown.out.contains("confirmed") && shown.out.contains("[queued]"), "{}", shown.out);
    let left = ada.run(&["--json", "--offline", "logout"]).json();
    assert_eq!(left[0]["pending"], 1);
    assert_eq!(ada.run(&["sync"]).code, 4);
}

#[cfg(unix)]
#[test]
fn a_database_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let terminal = Terminal::new();
    assert_eq!(terminal.run(&["status"]).code, 0);
    for entry in std::fs::read_dir(terminal.folder()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
}

#[test]
fn the_demo_holds_and_ends_with_one_line_of_figures() {
    let ended = Terminal::new().run(&["--json", "demo", "--messages", "20", "--backlog", "1000"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let last = ended.json().pop().unwrap();
    assert_eq!((&last["sent"], &last["delivered"]), (&json!(20), &json!(20)));
    assert_eq!((&last["lost"], &last["duplicated"]), (&json!(0), &json!(0)));
    assert!(last["waiting_behind_the_treatment"].as_u64().unwrap() > 500, "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_is_sent_again_changed_or_taken_back() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    let outbox = || ada.run(&["--json", "--offline", "outbox"]).json();
    ada.run(&["send", "Admin", "no: may I?"]);
    let entry = outbox().pop().unwrap();
    assert_eq!((&entry["state"], &entry["failure"]["code"]), (&json!("failed"), &json!("forbidden")));
    let id = entry["message_id"].as_str().unwrap().to_owned();

    let edited = ada.run(&["--json", "--offline", "outbox", "edit", &id, "no: please?"]).json();
    assert_eq!((&edited[0]["state"], &edited[0]["content"]), (&json!("queued"), &json!("no: please?")));
    assert_eq!(ada.run(&["sync"]).code, 0);
    assert_eq!(outbox()[0]["state"], "failed", "still forbidden");
    assert_eq!(ada.run(&["--json", "--offline", "outbox", "retry", "--all"]).json()[0]["retried"], 1);
    assert_eq!(outbox()[0]["state"], "queued");
    let left = ada.run(&["--json", "outbox", "cancel", &id]).json();
    assert_eq!(left[0]["content"], "no: please?");
    assert!(outbox().is_empty());
    let unknown = ada.run(&["outbox", "retry", &id]);
    assert!(unknown.code == 1 && unknown.err.contains("fieldpost outbox"), "{unknown:?}");
    assert_eq!(ada.run(&["outbox", "retry"]).code, 2);
}

/// Writes as if the tool had been used back then. The message stays queued.
async fn write_long_ago(terminal: &Terminal, text: &str) {
    // The testkit's clock stands still, in the past.
    let (env, _) = fieldpost_testkit::env(1);
    let client = Fieldpost::builder().database(&terminal.database).local_only().env(env).open().await.unwrap();
    let conversations = client.conversations().await.unwrap();
    let admin = conversations.iter().find(|one| one.participant_name == "Admin").unwrap();
    client.conversation(admin.id).send(text).await.unwrap();
    client.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_waited_for_too_long_is_not_sent_unless_somebody_still_wants_it() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    write_long_ago(&ada, "are you coming for lunch?").await;
    ada.run(&["--offline", "send", "Admin", "it is urgent"]);

    assert_eq!(ada.run(&["--send-ttl", "3600", "sync"]).code, 0);
    let left = ada.run(&["--json", "--offline", "outbox"]).json();
    assert_eq!((left.len(), &left[0]["failure"]["code"]), (1, &json!("expired")), "{left:?}");

    assert_eq!(ada.run(&["outbox", "retry", "--all"]).code, 0);
    assert_eq!(ada.run(&["--send-ttl", "3600", "sync"]).code, 0);
    assert!(ada.run(&["--json", "--offline", "outbox"]).json().is_empty());

    write_long_ago(&ada, "old, and nobody said that it expires").await;
    assert_eq!(ada.run(&["sync"]).code, 0);
    assert!(ada.run(&["--json", "--offline", "outbox"]).json().is_empty());
    assert_eq!(ada.run(&["--send-ttl", "0", "sync"]).code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_what_is_wrong_and_what_to_do() {
    let server = server().await;
    let ada = Terminal::with(server.url(), server.anon_key());
    let codes = |terminal: &Terminal, arguments: &[&str]| {
        let report = terminal.run(arguments).json().swap_remove(0);
        let findings = report["findings"].as_array().unwrap_or_else(|| panic!("{report}")).clone();
        findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(codes(&ada, &["--json", "doctor"]), ["signed_out", "never_loaded"]);

    ada.login(ADA, PASSWORD);
    ada.run(&["sync"]);
    let sound = ada.run(&["doctor"]);
    assert_eq!(sound.code, 0, "{sound:?}");
    assert!(sound.out.contains("nothing is wrong") && sound.out.contains("protocol 1"), "{}", sound.out);
    // The second sync says what has arrived with the first.
    ada.run(&["sync"]);
    let report = ada.run(&["--json", "doctor"]).json().swap_remove(0);
    assert_eq!((&report["server"]["cursor"], &report["lanes"]), (&json!("up_to_date"), &json!([])));
    assert_eq!(ada.run(&["--json", "sync"]).json()[0]["requests"], 1, "asking changed nothing");

    ada.run(&["send", "Admin", "no: may I?"]);
    ada.run(&["--offline", "send", "Admin", "later"]);
    assert_eq!(codes(&ada, &["--json", "doctor"]), ["dead_letters"]);
    assert_eq!(codes(&ada, &["--json", "--offline", "doctor"]), ["dead_letters"]);
    assert_eq!(ada.run(&["doctor"]).code, 1);
    let lanes = ada.run(&["--json", "--offline", "doctor"]).json()[0]["lanes"].as_array().unwrap().clone();
    assert_eq!(lanes.iter().map(|lane| lane["failed"].as_u64().unwrap()).sum::<u64>(), 1);
    assert_eq!(lanes.iter().map(|lane| lane["queued"].as_u64().unwrap()).sum::<u64>(), 1);

    server.shutdown().await;
    assert_eq!(codes(&ada, &["--json", "doctor"]), ["dead_letters", "server"]);
}
