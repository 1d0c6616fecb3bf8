//! The real stack of the tests: PostgreSQL and Supabase Lite on this machine, as `cargo xtask supabase up --for tests` starts it.

use serde::Deserialize;
use serde_json::Value;
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Where it is.
#[derive(Debug, Clone, Deserialize)]
pub struct Stack {
    /// What a client is given as the project's URL.
    pub url: String,
    /// And as its public key.
    pub anon_key: String,
    /// The database as its owner reaches it; empty for a server that a test made for itself.
    #[serde(default)]
    pub database_url: String,
}

/// Somebody who can sign in.
#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    /// The id in `auth.users`.
    pub user_id: String,
    /// The id in `medics`, of medics.
    pub medic_id: Option<String>,
    /// The address.
    pub email: String,
    /// The password.
    pub password: String,
    /// First name, of medics.
    pub first_name: Option<String>,
    /// Last name, of medics.
    pub last_name: Option<String>,
}

/// A tenant of a test's own.
#[derive(Debug, Clone, Deserialize)]
pub struct Org {
    /// Its id.
    pub org_id: String,
    /// Its first admin.
    pub admin: Account,
    /// Its medics.
    pub medics: Vec<Account>,
    /// Everything else that was made, as the script says it.
    #[serde(flatten)]
    pub rest: Value,
}

impl Stack {
    /// The running stack. A missing one fails the test with a sentence that says how to get it.
    ///
    /// # Panics
    /// When it is not up.
    #[must_use]
    pub fn running() -> Self {
        let path = std::env::var_os("FIELDPOST_STACK")
            .map_or_else(|| root().join(".fieldpost/supabase-tests/stack.json"), PathBuf::from);
        let Ok(text) = std::fs::read_to_string(&path) else {
            panic!(
                "no Supabase stack for tests is running: start it with `cargo xtask supabase up --for tests`, or run \
                 `cargo xtask test`"
            );
        };
        serde_json::from_str(&text).expect("stack.json is written by xtask")
    }

    /// Makes a tenant; `spec` is described in tests/supabase/provision.mjs.
    #[must_use]
    pub fn provision(&self, spec: &Value) -> Org {
        serde_json::from_value(node("provision.mjs", spec)).expect("provision.mjs prints a tenant")
    }
}

/// Runs a script of tests/supabase with a JSON value on standard input and reads the one it prints.
///
/// # Panics
/// When the script fails, with what it said.
#[must_use]
pub fn node(script: &str, input: &Value) -> Value {
    script_with(script, &input.to_string())
}

/// Runs SQL as the owner of the schema and returns the rows of the last statement that has any.
///
/// # Panics
/// When the database refuses it, with what it said.
#[must_use]
pub fn sql(text: &str) -> Value {
    script_with("sql.mjs", text)
}

fn script_with(script: &str, input: &str) -> Value {
    let mut child = Command::new("node")
        .arg(script)
        .current_dir(root().join("tests/supabase"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Node 20 or newer is on the PATH");
    child.stdin.take().expect("stdin").write_all(input.as_bytes()).expect("the script reads");
    let output = child.wait_with_output().expect("the script ends");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the script prints JSON")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace").to_owned()
}
