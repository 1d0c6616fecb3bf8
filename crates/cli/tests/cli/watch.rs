//! `fieldpost sync --watch` prints the status until it is interrupted.

use crate::terminal::{PASSWORD, Terminal, server};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// A running watch.
pub(crate) struct Watch {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watch {
    fn of(terminal: &Terminal) -> Self {
        Self::every(terminal, "1")
    }

    /// A watch that syncs at this interval, in seconds.
    pub(crate) fn every(terminal: &Terminal, seconds: &str) -> Self {
        let mut child = terminal.start(&["--json", "sync", "--watch", "--every", seconds]);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line that satisfies `holds`.
    pub(crate) fn until(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.lines.next().unwrap().unwrap();
            let value: Value = serde_json::from_str(&line).unwrap();
            if holds(&value) {
                return value;
            }
        }
    }

    /// Interrupts the watch, like ctrl-c, and returns its exit code.
    pub(crate) fn interrupt(mut self) -> i32 {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Watch {
    /// A failing test must leave nothing running.
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_tells_what_comes_in_sends_what_waits_and_ends_cleanly() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    let admin = Terminal::with(server.url(), server.anon_key());
    admin.login("admin@fieldpost.test", PASSWORD);
    admin.run(&["sync"]);
    let mut watch = Watch::of(&ada);
    let before = watch.until(|line| line["status"] == "synced")["unread"].as_u64().unwrap();

    assert_eq!(admin.run(&["send", "Ada Moss", "please confirm"]).code, 0);
    let arrived = watch.until(|line| line["arrived"].is_object());
    assert_eq!(
        (&arrived["arrived"]["content"], &arrived["arrived"]["mine"]),
        (&json!("please confirm"), &json!(false))
    );
    watch.until(|line| line["unread"] == before + 1);

    assert_eq!(ada.run(&["--offline", "send", "Admin", "confirmed"]).code, 0);
    assert_eq!(admin.run(&["send", "Ada Moss", "thank you"]).code, 0);
    watch.until(|line| line["unread"] == before + 2 && line["pending"] == 0);

    assert_eq!(watch.interrupt(), 0);
    assert_eq!(ada.run(&["--json", "--offline", "outbox"]).json(), Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_without_a_session_says_what_to_do() {
    let server = server().await;
    let terminal = Terminal::with(server.url(), server.anon_key());
    let ended = terminal.run(&["sync", "--watch"]);
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(ended.err.contains("fieldpost login"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_is_live_and_prints_what_arrives_long_before_its_timer() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    let admin = Terminal::with(server.url(), server.anon_key());
    admin.login("admin@fieldpost.test", PASSWORD);
    admin.run(&["sync"]);
    let mut watch = Watch::every(&ada, "3600");
    watch.until(|line| line["live"] == "live");
    assert_eq!(admin.run(&["send", "Ada Moss", "which gate?"]).code, 0);
    let arrived = watch.until(|line| line["arrived"].is_object());
    assert_eq!(arrived["arrived"]["content"], "which gate?");
    assert_eq!(watch.interrupt(), 0);
}
