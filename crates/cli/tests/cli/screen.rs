//! What a person sees: nothing steers the terminal, lists fit it, times are theirs, and an end of the output is no error.

use crate::terminal::{ADA, PASSWORD, Terminal, server};
use fieldpost::remote::reference::{Profile, ReferenceServer};
use fieldpost_devserver::{DevServer, Endpoint, Fault, FaultProxy};
use serde_json::json;
use std::{fs::File, io::pipe};
use unicode_width::UnicodeWidthStr;

/// Clears the screen, sets the title, fills the clipboard, in seven bits and in eight; turns the line around; begins a new one.
const HOSTILE: &str = "hi\u{1b}[2J\u{1b}]0;X\u{7}\u{9b}2J\u{90}q\u{9d}52;c;cm0=\u{9c}\u{202e}drow\u{2066}x\nfieldpost: all is well\r\u{8}\u{7f}";

fn steers(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// An office where every text that somebody can choose is hostile.
async fn hostile() -> (DevServer, Terminal) {
    let world = ReferenceServer::new();
    let org = world.add_org(HOSTILE);
    let profile = |email| Profile { first_name: HOSTILE, last_name: "Moss", email, password: PASSWORD };
    let admin = world.add_admin(org, profile("admin@x"));
    let ada = world.add_medic(org, profile(ADA));
    let direct = world.open_direct(org, ada.medic_id, admin);
    world.insert_message(direct, ada.person_id, HOSTILE).unwrap();
    let broadcast = world.open_broadcast(org, Some(HOSTILE), admin);
    world.insert_message(broadcast, admin, HOSTILE).unwrap();
    let server = DevServer::builder().reference(world).start().await.unwrap();
    let terminal = Terminal::with(server.url(), server.anon_key());
    assert_eq!(terminal.login("admin@x", PASSWORD).code, 0);
    assert_eq!(terminal.run(&["sync"]).code, 0);
    (server, terminal)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_others_wrote_steers_the_terminal() {
    let (_server, terminal) = hostile().await;
    let commands: &[(&[&str], usize)] = &[
        (&["conversations"], 2),
        (&["people"], 2),
        (&["messages", "moss"], 3),
        (&["status"], 3),
        (&["open", "--medic", "moss"], 1),
        (&["send", "moss", HOSTILE], 3),
        (&["--offline", "send", "moss", HOSTILE], 3),
        (&["--offline", "outbox"], 1),
        (&["--offline", "doctor"], 17),
        (&["messages", "hi"], 0),
        (&["messages", HOSTILE], 2),
        (&["--offline", "logout", "--wipe"], 2),
    ];
    for (command, lines) in commands {
        let ended = terminal.run(command);
        let printed = format!("{}{}", ended.out, ended.err);
        assert!(!printed.contains(steers), "{command:?}: {printed:?}");
        assert_eq!(ended.out.lines().count(), *lines, "{command:?}: no text makes lines of its own: {ended:?}");
        assert!(!printed.lines().any(|line| line.starts_with("fieldpost: all is well")), "{command:?}: {printed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_every_text_as_it_is() {
    let (_server, terminal) = hostile().await;
    let shown = terminal.run(&["--json", "messages", "moss"]);
    assert_eq!(shown.json()[0]["content"], HOSTILE);
    assert_eq!(shown.out.lines().count(), 1);
    let people = terminal.run(&["--json", "people"]).json();
    assert_eq!(people[0]["name"], format!("{HOSTILE} Moss"));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_fit_the_terminal() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    for text in ["x".repeat(5_000), "漢字".repeat(2_500), "👩\u{200d}🚒 ".repeat(1_000)] {
        assert_eq!(ada.run(&["--offline", "send", "Admin", &text]).code, 0);
    }
    for columns in ["80", "120", "200"] {
        let narrow = ada.here(vec![("COLUMNS", columns.to_owned())]);
        for list in [["--offline", "outbox"], ["--offline", "conversations"]] {
            let shown = narrow.run(&list).out;
            assert!(!shown.is_empty());
            for line in shown.lines() {
                assert!(line.width() <= columns.parse().unwrap(), "{columns}: {line}");
            }
            assert_eq!(shown.contains('…'), list[1] == "outbox" || columns != "200", "{shown}");
        }
    }
    let whole = ada.run(&["--offline", "messages", "Admin", "--limit", "1"]).out;
    assert!(whole.contains("👩\u{200d}🚒 ".repeat(1_000).trim()), "a thread is there to be read");
}

/// The first line of a thread that is no divider.
fn first_message(terminal: &Terminal) -> String {
    let out = terminal.run(&["--offline", "messages", "Admin"]).out;
    out.lines().find(|line| !line.starts_with('─')).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_those_of_the_person_with_their_zone() {
    let server = server().await;
    let mut ada = Terminal::of_ada(&server);
    let utc = first_message(&ada);
    assert_eq!(&utc[10..11], " ");
    assert_eq!(&utc[17..23], "+00:00", "{utc}");
    ada.variables = vec![("TZ", "XXX-05:45".to_owned())];
    let nepal = first_message(&ada);
    assert_eq!(&nepal[17..23], "+05:45", "{nepal}");
    let minutes = |line: &str| {
        let number = |range: std::ops::Range<usize>| line[range].parse::<i64>().unwrap();
        number(11..13) * 60 + number(14..16)
    };
    assert_eq!((minutes(&nepal) - minutes(&utc)).rem_euclid(24 * 60), 5 * 60 + 45, "{utc}{nepal}");
    for list in ["conversations", "status", "doctor"] {
        assert!(ada.run(&["--offline", list]).out.contains("+05:45"), "{list}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_says_whether_it_was_sent_or_only_kept() {
    let server = server().await;
    let network = FaultProxy::before(&server).await.unwrap();
    let ada = Terminal::of_ada_behind(&network, &server);
    let last = |ended: &crate::terminal::Ended| ended.out.lines().last().unwrap_or_default().to_owned();

    let sent = ada.run(&["send", "Admin", "one"]);
    assert_eq!((sent.code, last(&sent).as_str()), (0, "Sent: the server has it."), "{sent:?}");
    let kept = ada.run(&["--offline", "send", "Admin", "two"]);
    assert_eq!((kept.code, last(&kept).as_str()), (0, "Not sent yet: the next sync sends it."), "{kept:?}");
    let refused = ada.run(&["send", "Admin", "no: may I?"]);
    assert!(refused.code == 1 && !refused.out.contains("Sent:") && refused.err.contains("refused"), "{refused:?}");
    network.order(Endpoint::Push, 9, Fault::BadGateway);
    let unlucky = ada.run(&["send", "Admin", "three"]);
    assert_eq!((unlucky.code, last(&unlucky).as_str()), (3, "Not sent yet: the next sync sends it."), "{unlucky:?}");
    network.heal();
    assert_eq!(ada.run(&["sync"]).code, 0);

    let id = ada.run(&["--json", "messages", "Admin"]).json().last().unwrap()["id"].as_str().unwrap().to_owned();
    let edited = ada.run(&["edit", "Admin", &id, "three, changed"]);
    assert_eq!((edited.code, last(&edited).as_str()), (0, "Sent: the server has it."), "{edited:?}");
    let later = ada.run(&["--offline", "edit", "Admin", &id, "three, changed again"]);
    assert_eq!((later.code, last(&later).as_str()), (0, "Not sent yet: the next sync sends it."), "{later:?}");

    let gone = ada.run(&["--offline", "delete", "Admin", &id]);
    assert_eq!((gone.code, last(&gone).as_str()), (0, "Not sent yet: the next sync sends it."), "{gone:?}");
    let again = ada.run(&["delete", "Admin", &id]);
    assert_eq!((again.code, last(&again).as_str()), (0, "Sent: the server has it."), "{again:?}");
    assert!(again.out.contains("(deleted)") && !again.out.contains("three"), "{again:?}");
    ada.run(&["--offline", "send", "Admin", "a slip"]);
    let slip = ada.run(&["--json", "messages", "Admin"]).json().last().unwrap()["id"].as_str().unwrap().to_owned();
    let back = ada.run(&["--offline", "--json", "delete", "Admin", &slip]).json();
    assert_eq!((&back[0]["deleted"], &back[0]["content"]), (&json!(true), &serde_json::Value::Null));
    assert!(ada.thread().iter().all(|text| text != "a slip"), "it was never sent, and is taken back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_may_begin_with_a_hyphen_and_must_show_something() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    let table: &[(&[&str], i32)] = &[
        (&["send", "Admin", "-5"], 0),
        (&["send", "Admin", "-5 degrees"], 0),
        (&["send", "Admin", "- first item"], 0),
        (&["send", "Admin", "--json is an option"], 0),
        (&["send", "Admin", "-0.5", "--json"], 0),
        (&["send", "Admin", "--", "--watch"], 0),
        // A mistyped option is not sent to somebody.
        (&["send", "Admin", "--jsn"], 2),
        (&["send", "Admin", "--json"], 2),
        (&["send", "Admin", "\u{200b}"], 2),
        (&["send", "Admin", "\u{feff} \u{2060}\n\u{3164}"], 2),
    ];
    for (command, code) in table {
        assert_eq!(ada.run(command).code, *code, "{command:?}");
    }
    let shown: Vec<String> = ada.thread().into_iter().rev().take(6).rev().collect();
    assert_eq!(shown, ["-5", "-5 degrees", "- first item", "--json is an option", "-0.5", "--watch"]);
    let id = ada.run(&["--json", "messages", "Admin"]).json().last().unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(ada.run(&["edit", "Admin", &id, "-6"]).code, 0);
    assert_eq!(ada.thread().last().unwrap(), "-6");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_discarded_with_one_command_and_what_waits_stays() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    for text in ["no: may I?", "no: please?", "no: oh well"] {
        ada.run(&["send", "Admin", text]);
    }
    ada.run(&["--offline", "send", "Admin", "it waits"]);

    let left = ada.run(&["--offline", "outbox", "discard", "--all"]);
    assert!(left.code == 0 && left.out.ends_with("\n3 taken back.\n"), "{left:?}");
    assert!(["no: may I?", "no: please?", "no: oh well"].iter().all(|text| left.out.contains(text)), "{left:?}");
    let waits = ada.run(&["--json", "--offline", "outbox"]).json();
    assert_eq!(waits.iter().map(|entry| &entry["content"]).collect::<Vec<_>>(), [&json!("it waits")]);
    assert_eq!(ada.run(&["--offline", "outbox", "cancel"]).code, 2, "which?");
    let none = ada.run(&["--offline", "outbox", "cancel", "--all"]);
    assert_eq!((none.code, none.out.as_str()), (0, "0 taken back.\n"));
}

#[test]
fn somebody_without_a_project_is_told_the_two_ways_on() {
    let terminal = Terminal::new();
    for (command, code) in [
        (vec!["sync"], 2),
        (vec!["login", "--email", "me@x", "--password-stdin"], 2),
        (vec!["conversations"], 0),
        (vec!["people"], 0),
    ] {
        let ended = terminal.run(&command);
        let said = format!("{}{}", ended.out, ended.err);
        assert_eq!(ended.code, code, "{command:?}: {ended:?}");
        for way in ["fieldpost serve", "SUPABASE_URL", "SUPABASE_ANON_KEY", "fieldpost sql export"] {
            assert!(said.contains(way), "{command:?} should name {way}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_enough_is_no_error_and_stops_no_work() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    let into_nothing = |arguments: &[&str]| {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        ada.run_into(arguments, writer)
    };
    let table: &[(&[&str], i32)] = &[
        (&["conversations"], 0),
        (&["--json", "messages", "Admin"], 0),
        (&["sql", "export", "--to", "-"], 0),
        (&["--help"], 0),
        (&["sync", "--watch"], 0),
        (&["send", "Admin", "nobody reads my output"], 0),
        // A failure stays one.
        (&["send", "Nobody", "hello"], 1),
        (&["--json", "send", "Nobody", "hello"], 1),
        (&["--json", "--offline", "sync"], 2),
    ];
    for (arguments, code) in table {
        let (ended, err) = into_nothing(arguments);
        assert_eq!(ended, *code, "{arguments:?}: {err}");
        assert!(!err.contains("panicked") && (*code != 0 || err.is_empty()), "{arguments:?}: {err}");
    }
    let last = ada.run(&["--json", "messages", "Admin", "--limit", "1"]).json().remove(0);
    assert_eq!((&last["content"], &last["status"]), (&json!("nobody reads my output"), &json!("sent")));
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn an_output_that_cannot_be_written_is_an_error() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let (code, err) = ada.run_into(&["conversations"], full);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("the output could not be written"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_is_divided_by_days_and_says_where_the_person_left_off() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    let history = ada.run(&["history", "Admin"]).out;
    let dividers: Vec<&str> = history.lines().filter(|line| line.starts_with('─')).collect();
    assert_eq!(dividers[0], "── the conversation begins here ──");
    assert!(dividers.iter().any(|line| line.starts_with("── 20")), "{history}");
    assert!(dividers.contains(&"── unread ──"), "{history}");
    assert_eq!(ada.run(&["read", "Admin"]).code, 0);
    assert!(!ada.run(&["--offline", "messages", "Admin"]).out.contains("unread"));

    let items = ada.run(&["--json", "history", "Admin"]).json();
    assert_eq!(items[0]["item"], "start");
    assert_eq!(items[1]["item"], "day");
    let messages: Vec<_> = items.iter().filter(|item| item["item"] == "message").collect();
    assert_eq!(messages.len(), ada.run(&["--json", "messages", "Admin"]).json().len());
    assert_eq!(ada.run(&["history", "Admin", "--limit", "0"]).code, 2);
}
