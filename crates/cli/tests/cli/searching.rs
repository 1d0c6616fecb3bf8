//! `fieldpost search`: by words, names, times; a page at a time.

use crate::terminal::Terminal;
use fieldpost::remote::reference::{DEMO_ADA, DEMO_ADMIN};
use fieldpost_devserver::DevServer;

/// A terminal of Ada, who has written these, none of which is sent.
async fn written(texts: &[&str]) -> (DevServer, Terminal) {
    let server = DevServer::builder().start().await.unwrap();
    let ada = Terminal::of_ada(&server);
    for text in texts {
        assert_eq!(ada.run(&["--offline", "send", "admin", text]).code, 0);
    }
    (server, ada)
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_found_by_their_words_page_by_page() {
    let (_server, ada) = written(&["Hoist at gate 3", "Große Straße gesperrt", "hoist moved"]).await;
    let found = ada.run(&["search", "STRASSE ges"]);
    assert!(found.code == 0 && found.out.contains("Admin") && found.out.contains("Große Straße gesperrt"), "{found:?}");
    let first = ada.run(&["search", "hois", "--limit", "1", "--json"]).json();
    assert_eq!(first[0]["message"]["content"], "hoist moved");
    assert_eq!(first[0]["snippet"]["highlights"], serde_json::json!([[0, 5]]));
    let next = first[1]["next"].as_str().unwrap();
    let second = ada.run(&["search", "hois", "--after", next, "--json"]).json();
    assert_eq!((second.len(), &second[0]["message"]["content"]), (1, &"Hoist at gate 3".into()));
    let best = ada.run(&["search", "hoist at", "--best", "--in", "ADMIN", "--from", "ada", "--kind", "text"]);
    assert!(best.out.contains("Hoist at gate 3") && !best.out.contains("moved"), "{best:?}");
    let none = ada.run(&["search", "hoist", "--until", "2020-01-01"]);
    assert_eq!((none.code, none.out.as_str()), (0, "Nothing was found on this device.\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_said() {
    let (_server, ada) = written(&["NEAR the gate"]).await;
    let found = ada.run(&["search", "NEAR(\"gate OR* -"]);
    assert_eq!((found.code, found.err.as_str()), (0, ""), "{found:?}");
    for (arguments, says) in [
        (vec!["search", "gate", "--in", "nobody"], "there is no conversation"),
        (vec!["search", "gate", "--from", "nobody"], "there is no person"),
        (vec!["search", "gate", "--since", "yesterday"], "2026-03-01"),
        (vec!["search", "gate", "--after", "here"], "not the position of a search"),
    ] {
        let ended = ada.run(&arguments);
        assert!(ended.code != 0 && ended.err.contains(says), "{arguments:?}: {ended:?}");
    }
    let long = ada.run(&["search", &"x".repeat(501)]);
    assert!(long.code == 2 && long.err.contains("at most 500 characters"), "{long:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_searched_too_and_it_is_said_if_it_cannot_be() {
    let (server, ada) = written(&["Hoist at gate 3"]).await;
    assert_eq!(ada.run(&["sync"]).code, 0);
    let reference = server.reference();
    let thread = reference.conversations_of(reference.person_with(DEMO_ADA).unwrap()).remove(0).id;
    reference.insert_messages(thread, reference.person_with(DEMO_ADMIN).unwrap(), &["hoist of the server".to_owned()]);

    let both = ada.run(&["search", "hoi", "--server", "--json"]).json();
    let lines: Vec<_> =
        both.iter().map(|line| (line["source"].as_str(), line["message"]["content"].as_str())).collect();
    assert_eq!(lines[..2], [(Some("server"), Some("hoist of the server")), (Some("local"), Some("Hoist at gate 3"))]);
    assert_eq!(both[2], serde_json::json!({"complete": true, "reason": null, "more": false}));
    let shown = ada.run(&["search", "hoi", "--server"]);
    assert!(shown.out.contains("hoist of the server  (on the server)"), "{shown:?}");

    server.shutdown().await;
    let alone = ada.run(&["search", "hoi", "--server"]);
    assert!(alone.code == 0 && alone.out.contains("Hoist at gate 3"), "{alone:?}");
    assert!(alone.out.contains("Older messages on the server were not searched"), "{alone:?}");
    let refused = ada.run(&["search", "hoi", "--server", "--best"]);
    assert_eq!(refused.code, 2);
}
