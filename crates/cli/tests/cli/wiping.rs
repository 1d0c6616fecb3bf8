//! Handing a device on: what is removed from the file, what is printed before, and what stays private.

use crate::terminal::{ADA, PASSWORD, Terminal, server};
use fieldpost_devserver::DevServer;
use serde_json::json;

const BEN: &str = "ben@fieldpost.test";
const WAITS: &str = "unsent zebra";
const REFUSED: &str = "no: refused walrus";

/// Ada's file: one message waits for a network, and the server has refused another.
fn ada_with_unsent(server: &DevServer) -> Terminal {
    let ada = Terminal::of_ada(server);
    ada.run(&["send", "Admin", REFUSED]);
    assert_eq!(ada.run(&["--offline", "send", "Admin", WAITS]).code, 0);
    ada
}

fn bytes(terminal: &Terminal) -> Vec<u8> {
    let files = std::fs::read_dir(terminal.folder()).unwrap();
    files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

fn holds(terminal: &Terminal, text: &str) -> bool {
    bytes(terminal).windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wipe_shows_what_was_never_sent_and_leaves_no_word_of_it_in_the_file() {
    let server = server().await;
    let ada = ada_with_unsent(&server);
    assert!(holds(&ada, WAITS) && holds(&ada, REFUSED) && holds(&ada, ADA), "it is in the file, readable");

    let left = ada.run(&["--offline", "logout", "--wipe"]);
    assert_eq!(left.code, 0, "{left:?}");
    assert!(left.out.contains("2 never sent included") && left.out.contains(WAITS), "{}", left.out);
    assert!(left.out.contains(REFUSED), "{}", left.out);
    assert!(!holds(&ada, WAITS) && !holds(&ada, REFUSED) && !holds(&ada, ADA), "and nothing of it is any more");

    for list in ["conversations", "people", "outbox"] {
        assert_eq!(ada.run(&["--json", "--offline", list]).json(), Vec::<serde_json::Value>::new(), "{list}");
    }
    let status = ada.run(&["--json", "--offline", "status"]).json().swap_remove(0);
    assert_eq!((&status["me"], &status["pending"], &status["unread"]), (&json!(null), &json!(0), &json!(0)));
    assert_eq!(ada.run(&["sync"]).code, 4, "nobody is signed in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_given_what_was_never_sent() {
    let server = server().await;
    let ada = ada_with_unsent(&server);
    let told = ada.run(&["--json", "--offline", "logout", "--wipe"]).json().swap_remove(0);
    assert_eq!((&told["pending"], &told["failed"], &told["wiped"]), (&json!(1), &json!(1), &json!(true)));
    let mut texts: Vec<_> = told["unsent"].as_array().unwrap().iter().map(|entry| entry["content"].clone()).collect();
    texts.sort_by_key(|text| text.as_str().unwrap().to_owned());
    assert_eq!(texts, [json!(REFUSED), json!(WAITS)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_flag_everything_stays_and_is_sent_after_the_next_login() {
    let server = server().await;
    let ada = ada_with_unsent(&server);
    let left = ada.run(&["--offline", "logout"]);
    assert!(left.out.contains("2 not yet on the server; they are kept"), "{}", left.out);
    assert!(ada.thread().contains(&WAITS.to_owned()));
    assert_ne!(ada.login(BEN, PASSWORD).code, 0, "what waits is Ada's, so the file is hers");

    assert_eq!(ada.login(ADA, PASSWORD).code, 0);
    assert_eq!(ada.run(&["sync"]).code, 0);
    let outbox = ada.run(&["--json", "--offline", "outbox"]).json();
    assert_eq!(outbox.iter().map(|entry| &entry["content"]).collect::<Vec<_>>(), [&json!(REFUSED)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_file_is_anybodys_and_no_other_file_was_touched() {
    let server = server().await;
    let ada = ada_with_unsent(&server);
    let ben = Terminal::with(server.url(), server.anon_key());
    ben.login(BEN, PASSWORD);
    ben.run(&["sync"]);
    assert_eq!(ben.run(&["--offline", "send", "Admin", "Ben's own"]).code, 0);
    let before = bytes(&ben);

    assert_eq!(ada.run(&["logout", "--wipe"]).code, 0);
    assert_eq!(bytes(&ben), before);
    assert_eq!(ben.run(&["sync"]).code, 0, "his session is his own");
    assert!(ben.thread().contains(&"Ben's own".to_owned()));

    assert_eq!(ada.login(BEN, PASSWORD).code, 0);
    assert_eq!(ada.run(&["sync"]).code, 0);
    assert!(ada.thread().contains(&"Ben's own".to_owned()), "Ada's device shows what is Ben's");
}
