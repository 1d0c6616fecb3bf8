//! Whatever is wrong, the tool says what, exits with the right code, and loses nothing.

use crate::{
    canned,
    terminal::{ADA, Ended, PASSWORD, Terminal, server},
};
use fieldpost_devserver::{Endpoint, Fault, FaultProxy};
use serde_json::json;

fn must(what: &str, ended: &Ended, code: i32, says: &str) {
    assert_eq!(ended.code, code, "{what}: {ended:?}");
    assert!(ended.err.contains(says), "{what} should say {says:?}: {ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_to_the_wrong_place_or_with_the_wrong_thing() {
    let server = server().await;
    let (url, key) = (server.url(), server.anon_key());
    let html = canned::serve(vec![("", "text/html", "<html>Welcome!</html>".to_owned())]);
    let table: &[(&str, &str, &str, &str, &str, i32, &str)] = &[
        ("nobody listens", "http://127.0.0.1:1", key, ADA, PASSWORD, 3, "cannot be reached"),
        ("unknown host", "https://no-such-host.invalid", key, ADA, PASSWORD, 3, "cannot be reached"),
        ("no URL", "not a url", key, ADA, PASSWORD, 2, "URL"),
        ("not HTTP", "ftp://example.com", key, ADA, PASSWORD, 2, "http"),
        ("wrong key", url, "wrong", ADA, PASSWORD, 1, "the project's anon key"),
        ("wrong password", url, key, ADA, "wrong", 1, "wrong e-mail address or password"),
        ("unknown address", url, key, "nobody@fieldpost.test", PASSWORD, 1, "wrong e-mail address or password"),
        ("no password", url, key, ADA, "", 2, "standard input"),
        ("some other site", &html, key, ADA, PASSWORD, 3, "sign in first"),
    ];
    for (what, url, key, email, password, code, says) in table {
        let terminal = Terminal::with(url, key);
        must(what, &terminal.login(email, password), *code, says);
        must(what, &terminal.run(&["sync"]), if *code == 2 && *what != "no password" { 2 } else { 4 }, "");
    }
}

#[test]
fn a_file_that_cannot_be_used() {
    let place = Terminal::new();
    let text = place.folder().join("notes.txt");
    std::fs::write(&text, "these are my notes, and they are longer than a header of a database has to be").unwrap();
    let newer = Terminal::new();
    assert_eq!(newer.run(&["status"]).code, 0);
    // Byte 60 of an SQLite file holds the schema version, most significant byte first.
    let mut bytes = std::fs::read(&newer.database).unwrap();
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    std::fs::write(&newer.database, &bytes).unwrap();
    let table = [
        ("not SQLite", text.clone(), "not a Fieldpost database"),
        ("no such folder", place.folder().join("no/such/folder/phone.db"), "cannot be opened"),
        ("a folder", place.folder().to_owned(), "not a Fieldpost database"),
        ("a place that cannot be written", "/proc/phone.db".into(), "cannot be"),
        ("newer", newer.database.clone(), "newer"),
    ];
    for (what, path, says) in table {
        let mut terminal = Terminal::new();
        terminal.database = path;
        must(what, &terminal.run(&["status"]), 1, says);
    }
    assert!(std::fs::read_to_string(&text).unwrap().starts_with("these are my notes"), "it is left as it was");
    assert_eq!(std::fs::read(&newer.database).unwrap(), bytes, "it is left as it was");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_runs_full_loses_nothing_that_was_accepted() {
    let server = server().await;
    let terminal = Terminal::of_ada(&server);
    let mut accepted = terminal.thread();
    let size = std::fs::metadata(&terminal.database).unwrap().len() / 512;
    let blocks = u32::try_from(size).unwrap() + 8;
    let mut refused = 0;
    for number in 0..20 {
        let text = format!("{number} {}", "x".repeat(4000));
        let ended = terminal.run_on_a_full_disk(&["--offline", "send", "Admin", &text], blocks);
        match ended.code {
            0 => accepted.push(text),
            1 => refused += 1,
            _ => panic!("{ended:?}"),
        }
    }
    assert!(refused > 0, "the disk was never full");
    assert_eq!(terminal.thread(), accepted);
    terminal.run(&["sync"]);
    assert_eq!(terminal.run(&["--json", "--offline", "outbox"]).json(), Vec::<serde_json::Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_cannot_be_read_keep_what_waits() {
    let server = server().await;
    let network = FaultProxy::before(&server).await.unwrap();
    let terminal = Terminal::of_ada_behind(&network, &server);
    assert_eq!(terminal.run(&["--offline", "send", "Admin", "hello"]).code, 0);
    network.order(None, 4, Fault::CutAnswer);
    must("half an answer", &terminal.run(&["sync"]), 3, "kept");
    network.heal();
    network.order(None, 9, Fault::BadGateway);
    must("HTML from a gateway", &terminal.run(&["sync"]), 3, "not available");
    network.heal();
    network.offline(true).await;
    must("no network", &terminal.run(&["sync"]), 3, "kept");
    network.offline(false).await;
    network.order(Endpoint::Push, 1, Fault::LoseAnswer);
    assert_eq!(terminal.run(&["sync"]).code, 0);
    let sent = terminal.run(&["--json", "--offline", "messages", "Admin"]).json();
    assert_eq!(sent.last().unwrap()["status"], "sent");
    assert_eq!(sent.iter().filter(|row| row["content"] == "hello").count(), 1);
}

#[test]
fn a_page_with_one_bad_row_brings_the_others() {
    let me = "0198c0de-0000-7000-8000-0000000000aa";
    let conversation = "0198c0de-0000-7000-8000-0000000000cc";
    let message = |number: u64, id: &str| {
        json!({"id": id, "conversation_id": conversation, "sender_id": me, "kind": "text", "content": format!("note {number}"),
               "status": "sent", "seq": number, "created_at": "2026-01-31T08:15:00.000001Z",
               "updated_at": "2026-01-31T08:15:00.000001Z", "version": 1})
    };
    let envelope = json!({"protocol": 1, "min_protocol": 1, "server_time": "2026-01-31T08:15:00Z", "cursor": "c",
        "limits": {"push_rows": 500, "push_bytes": 1_048_576, "page_rows": 2500, "page_bytes": 1_048_576, "content_chars": 5000}});
    let with = |fields: serde_json::Value| {
        let mut answer = envelope.clone();
        answer.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        answer.to_string()
    };
    let person =
        json!({"id": me, "org_id": me, "role": "medic", "first_name": "Ada", "last_name": "Moss", "version": 1});
    let bootstrap = with(json!({"me": person, "total_conversations": 1, "people": [person], "conversations": [
        {"id": conversation, "org_id": me, "kind": "direct", "created_by": me, "created_at": "2026-01-31T08:00:00Z",
         "updated_at": "2026-01-31T08:00:00Z", "last_seq": 3, "unread": 0, "version": 1}],
        "messages": [message(1, "0198c0de-0000-7000-8000-000000000001"), message(2, "no id at all"),
                     message(3, "0198c0de-0000-7000-8000-000000000003")]}));
    let session = json!({"access_token": "a.b.c", "token_type": "bearer", "expires_in": 3600, "expires_at": 4_000_000_000_u64,
        "refresh_token": "r", "user": {"id": me, "email": ADA}});
    let pull = with(json!({"more": false}));
    let url = canned::serve(vec![
        ("/token", "application/json", session.to_string()),
        ("/fieldpost_bootstrap", "application/json", bootstrap),
        ("/fieldpost_pull", "application/json", pull),
    ]);
    let terminal = Terminal::with(&url, "key");
    assert_eq!(terminal.login(ADA, PASSWORD).code, 0);
    let synced = terminal.run(&["--json", "sync"]);
    assert_eq!(synced.code, 0, "{synced:?}");
    assert_eq!(synced.json()[0]["unreadable"], 1);
    assert_eq!(terminal.thread(), ["note 1", "note 3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_says_what_to_do() {
    let server = server().await;
    let terminal = Terminal::of_ada(&server);
    let long = "x".repeat(5001);
    let table: &[(&[&str], i32, &str)] = &[
        (&["send", "Admin", "  "], 2, "at least one character"),
        (&["send", "Admin", &long], 2, "5000"),
        (&["send", "Site notices", "medics only read here"], 1, "only admins write"),
        (&["send", "Nobody", "hello"], 1, "fieldpost conversations"),
        (&["open", "--medic", "Nobody"], 1, "fieldpost people"),
        (&["--offline", "sync"], 2, "--offline"),
        (&["messages", "Admin", "--limit", "0"], 2, "limit"),
        (&["frobnicate"], 2, "frobnicate"),
    ];
    for (arguments, code, says) in table {
        must(&format!("{arguments:?}"), &terminal.run(arguments), *code, says);
    }
    must("no project", &Terminal::new().run(&["sync"]), 2, "SUPABASE_URL");
    let nobody = Terminal::with(server.url(), server.anon_key());
    must("nobody signed in", &nobody.run(&["sync"]), 4, "fieldpost login");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_json_for_programs() {
    let ended = Terminal::new().run(&["--json", "sync"]);
    assert_eq!((ended.code, &ended.json()[0]["error"]["code"]), (2, &json!("usage")));
}
