//! `fieldpost typing`.

use crate::terminal::{PASSWORD, Terminal, server};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    process::Child,
};

/// What must not outlive a failing test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_others_see_who_writes_and_that_she_has_stopped() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    let admin = Terminal::with(server.url(), server.anon_key());
    admin.login("admin@fieldpost.test", PASSWORD);
    admin.run(&["sync"]);
    let mut watch = Killed(admin.start(&["--json", "typing", "Ada Moss"]));
    let mut lines = BufReader::new(watch.0.stdout.take().unwrap()).lines();
    let said = Killed(ada.start(&["--json", "typing", "Admin", "--say", "5"]));
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(next()["writing"][0]["name"], "Ada Moss");
    assert_eq!(next()["writing"], Value::Array(Vec::new()));
    drop(said);
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_needs_the_server() {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    assert_ne!(ada.run(&["--offline", "typing", "Admin"]).code, 0);
}
