//! A server that is set back to how it was: an older backup restored in place, on a cluster of the test's own.

use fieldpost::{Client, EntryState, RefusalCode};
use fieldpost_tests::{Org, Phone, Stack, thread};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Lines, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// The server; gone when it is dropped, because its standard input ends then.
struct Rewind {
    process: Child,
    stdin: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Rewind {
    fn start(spec: &Value) -> (Self, Stack, Org) {
        let mut process = Command::new("node")
            .arg("rewind.mjs")
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("supabase"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (process.stdin.take(), process.stdout.take().unwrap());
        let mut server = Self { process, stdin, answers: BufReader::new(stdout).lines() };
        let said = server.say(&spec.to_string());
        let org = serde_json::from_value(said["org"].clone()).unwrap();
        (server, serde_json::from_value(said).unwrap(), org)
    }

    fn say(&mut self, line: &str) -> Value {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
        let answer = self.answers.next().unwrap().unwrap();
        serde_json::from_str(&answer).unwrap()
    }
}

impl Drop for Rewind {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.process.wait();
    }
}

async fn texts(client: &Client, org: &Org) -> Vec<String> {
    let conversation = org.rest["conversations"][0]["id"].as_str().unwrap().parse().unwrap();
    thread(client, conversation).await.into_iter().filter_map(|row| row.2).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restored_server_no_longer_has_is_shown_to_its_sender_and_leaves_everybody_else() {
    let (mut server, stack, org) = Rewind::start(&json!({"medics": 1, "conversations": true}));
    let conversation = org.rest["conversations"][0]["id"].as_str().unwrap().parse().unwrap();
    let (phone, desk) = (Phone::new(&stack.url, &stack.anon_key), Phone::new(&stack.url, &stack.anon_key));
    let medic = phone.first_start(&org.medics[0].email, &org.medics[0].password).await;
    let admin = desk.first_start(&org.admin.email, &org.admin.password).await;
    medic.conversation(conversation).send("kept").await.unwrap();
    medic.trigger_message_sync().await.unwrap();
    server.say("backup");
    for text in ["lost one", "lost two"] {
        medic.conversation(conversation).send(text).await.unwrap();
    }
    assert_eq!(medic.trigger_message_sync().await.unwrap().pushed, 2);
    admin.trigger_message_sync().await.unwrap();
    assert_eq!(texts(&admin, &org).await, ["kept", "lost one", "lost two"]);
    medic.conversation(conversation).send("still waiting").await.unwrap();

    server.say("restore");

    let report = medic.trigger_message_sync().await.unwrap();
    assert_eq!((report.bootstraps, report.pushed), (1, 1), "it starts again, and sends what waited");
    let outbox = medic.outbox(10).await.unwrap();
    let lost: Vec<_> = outbox
        .iter()
        .filter(
            |entry| matches!(&entry.state, EntryState::Failed(refusal) if refusal.code == RefusalCode::LostByServer),
        )
        .filter_map(|entry| entry.content.as_deref())
        .collect();
    assert_eq!((lost, outbox.len()), (vec!["lost one", "lost two"], 2), "she is shown what is gone");
    assert_eq!(admin.trigger_message_sync().await.unwrap().bootstraps, 1);
    assert_eq!(texts(&admin, &org).await, ["kept", "still waiting"]);
    assert_eq!(medic.trigger_message_sync().await.unwrap().bootstraps, 0, "once is enough");

    // She sends them again: under the same ids, behind what was written meanwhile.
    assert_eq!(medic.retry_all().await.unwrap(), 2);
    medic.trigger_message_sync().await.unwrap();
    admin.trigger_message_sync().await.unwrap();
    let whole = ["kept", "still waiting", "lost one", "lost two"];
    assert_eq!(texts(&admin, &org).await, whole);
    assert_eq!(texts(&medic, &org).await, whole);
    assert!(medic.outbox(10).await.unwrap().is_empty());
}
