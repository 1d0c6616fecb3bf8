//! The tests' real stack: PostgreSQL and Supabase Lite on this machine, as started by
//! `cargo xtask supabase up --for tests`.

use serde::Deserialize;
use serde_json::Value;
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The addresses of the stack.
#[derive(Debug, Clone, Deserialize)]
pub struct Stack {
    /// The project's URL for a client.
    pub url: String,
    /// The project's public key for a client.
    pub anon_key: String,
    /// The database URL of its owner; empty for a server that a test created for itself.
    #[serde(default)]
    pub database_url: String,
}

/// An account.
#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    /// The id in `auth.users`.
    pub user_id: String,
    /// The id in `medics`; none if she is no medic.
    pub medic_id: Option<String>,
    /// The address.
    pub email: String,
    /// The password.
    pub password: String,
    /// First name, for medics.
    pub first_name: Option<String>,
    /// Last name, for medics.
    pub last_name: Option<String>,
}

/// A tenant for one test.
#[derive(Debug, Clone, Deserialize)]
pub struct Org {
    /// Its id.
    pub org_id: String,
    /// Its first admin.
    pub admin: Account,
    /// Its medics.
    pub medics: Vec<Account>,
    /// Everything else that was created, as printed by the script.
    #[serde(flatten)]
    pub rest: Value,
}

impl Stack {
    /// The running stack. If it is missing, the test fails with instructions.
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

    /// Creates a tenant; `spec` is described in tests/supabase/provision.mjs.
    #[must_use]
    pub fn provision(&self, spec: &Value) -> Org {
        serde_json::from_value(node("provision.mjs", spec)).expect("provision.mjs prints a tenant")
    }
}

/// Runs a script of tests/supabase with a JSON value on standard input and reads the one it prints.
///
/// # Panics
/// When the script fails; the message contains its output.
#[must_use]
pub fn node(script: &str, input: &Value) -> Value {
    script_with(script, &input.to_string())
}

/// Runs SQL as the owner of the schema and returns the rows of the last statement that has any.
///
/// # Panics
/// When the database refuses it; the message contains the error.
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
