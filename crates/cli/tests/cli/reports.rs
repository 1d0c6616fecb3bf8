//! Reporting messages, and what admins do with reports.

use crate::terminal::{PASSWORD, Terminal, server};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_medic_reports_a_message_and_an_admin_deals_with_it() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    let admin = Terminal::with(server.url(), server.anon_key());
    admin.login("admin@fieldpost.test", PASSWORD);
    admin.run(&["sync"]);
    let sent = admin.run(&["--json", "send", "Ada Moss", "get \u{1b}[31mlost"]).json();
    let message = sent[0]["id"].as_str().unwrap();
    ada.run(&["sync"]);
    assert!(admin.run(&["reports"]).out.contains("No report is open."));

    let reported = ada.run(&["report", "Admin", message, "--reason", "harassment", "--note", "twice today"]);
    assert_eq!(reported.code, 0, "{reported:?}");
    assert!(reported.out.contains("the server has it"), "{reported:?}");
    let listed = admin.run(&["--json", "reports"]).json();
    assert_eq!((&listed[0]["reporter"], &listed[0]["note"]), (&json!("Ada Moss"), &json!("twice today")));
    assert_eq!((&listed[0]["reason"], &listed[0]["message_id"]), (&json!("harassment"), &json!(message)));
    let shown = admin.run(&["reports"]).out;
    assert!(
        shown.contains("Ada Moss") && shown.contains("  note: twice today") && !shown.contains('\u{1b}'),
        "{shown}"
    );

    let id = listed[0]["id"].as_str().unwrap();
    assert_eq!(admin.run(&["reports", "--resolve", id]).out, format!("Resolved {id}.\n"));
    assert!(admin.run(&["--json", "reports"]).json().is_empty());
    assert!(admin.run(&["--json", "reports", "--all"]).json()[0]["resolved_at"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reported_says_why() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    let own = ada.run(&["--json", "send", "Admin", "hello"]).json();
    let own = own[0]["id"].as_str().unwrap();
    let refused = |arguments: &[&str], code: i32, why: &str| {
        let ended = ada.run(arguments);
        assert!(ended.code == code && ended.err.contains(why), "{arguments:?}: {ended:?}");
    };
    refused(&["report", "Admin", own, "--reason", "spam"], 1, "it is one's own message");
    refused(&["report", "Admin", own, "--reason", "two words"], 2, "a reason is one word");
    refused(&["report", "Admin", own, "--reason", "spam", "--note", &"x".repeat(1001)], 2, "at most 1000 characters");
    refused(&["report", "Admin", own], 2, "--reason");
    refused(&["report", "Admin", "0000ffff", "--reason", "spam"], 1, "no message here");
    refused(&["reports"], 1, "only an admin");
    refused(&["reports", "--resolve", "nonsense"], 2, "not a UUID");
    refused(&["reports", "--all", "--resolve", "00000000-0000-0000-0000-000000000007"], 2, "cannot be used with");
    refused(&["--offline", "reports"], 2, "needs the server");
}
