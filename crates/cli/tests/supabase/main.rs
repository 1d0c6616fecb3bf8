//! The command-line tool with two databases, and supabase-js as a third client, on the real stack.
#![expect(clippy::unwrap_used, reason = "a step that fails has to fail its test")]

use fieldpost_tests::{Account, Stack, node};
use serde_json::{Value, json};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

/// Supabase Lite cannot handle two concurrent first requests (`tuple concurrently updated`).
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

struct Terminal {
    database: PathBuf,
    stack: Stack,
}

impl Terminal {
    fn new(folder: &Path, name: &str, stack: &Stack, account: &Account) -> Self {
        let terminal = Self { database: folder.join(name), stack: stack.clone() };
        terminal.run(&["login", "--email", &account.email, "--password-stdin"], &account.password);
        terminal.run(&["sync"], "");
        terminal
    }

    /// Runs a command that must succeed; returns one JSON value per line of output.
    fn run(&self, arguments: &[&str], input: &str) -> Vec<Value> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fieldpost"))
            .args(["--json", "--db"])
            .arg(&self.database)
            .args(arguments)
            .env("FIELDPOST_TOKENS", "file")
            .env("SUPABASE_URL", &self.stack.url)
            .env("SUPABASE_ANON_KEY", &self.stack.anon_key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{arguments:?}: {text}");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn thread(&self, conversation: &str) -> Vec<(u64, String)> {
        let row = |value: &Value| (value["seq"].as_u64().unwrap(), value["content"].as_str().unwrap().to_owned());
        self.run(&["messages", conversation, "--limit", "100"], "").iter().map(row).collect()
    }
}

#[test]
fn two_terminals_and_a_dashboard_converge() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let stack = Stack::running();
    let org = stack.provision(&json!({"medics": 1, "conversations": true}));
    let conversation = org.rest["conversations"][0]["id"].as_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let medic = Terminal::new(folder.path(), "medic.db", &stack, &org.medics[0]);
    let admin = Terminal::new(folder.path(), "admin.db", &stack, &org.admin);

    medic.run(&["--offline", "send", conversation, "written in the basement"], "");
    let steps = json!([{"insert": {"conversation_id": conversation, "content": "from the dashboard"}}]);
    let _ = node("stranger.mjs", &json!({"email": org.admin.email, "password": org.admin.password, "steps": steps}));
    let sent = admin.run(&["send", "Ada Moss", "from the office"], "");
    assert_eq!(sent[0]["status"], "sent");
    let report = medic.run(&["sync"], "");
    assert_eq!((&report[0]["pushed"], &report[0]["new_messages"]), (&json!(1), &json!(2)));
    admin.run(&["sync"], "");

    let expected = ["from the dashboard", "from the office", "written in the basement"];
    let expected: Vec<_> = (1..).zip(expected.map(str::to_owned)).collect();
    assert_eq!(medic.thread(conversation), expected);
    assert_eq!(admin.thread(conversation), expected);
}

#[test]
fn the_doctor_looks_at_the_project_too_when_its_owner_asks() {
    let psql = Command::new("psql").arg("--version").output();
    if !psql.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED the_doctor_looks_at_the_project_too_when_its_owner_asks: psql is not installed");
        return;
    }
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let stack = Stack::running();
    let org = stack.provision(&json!({"medics": 1}));
    let folder = tempfile::tempdir().unwrap();
    let admin = Terminal::new(folder.path(), "admin.db", &stack, &org.admin);

    let said = admin.run(&["doctor", "--project", &stack.database_url], "");

    assert_eq!(said[0]["project"], json!([]), "nothing is odd in a project that Fieldpost made");
    assert_eq!(said[0]["sql_version"], said[0]["sql_version_wanted"]);
}
