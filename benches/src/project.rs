//! A real stack: Supabase Lite and PostgreSQL on this machine, with the tenants that benches create.

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The path of the benches' `stack.json`, unless the environment names another one.
fn stack() -> PathBuf {
    let own = || root().join(".fieldpost/supabase-benches/stack.json");
    std::env::var_os("FIELDPOST_STACK").map_or_else(own, PathBuf::from)
}

/// A running stack.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Project {
    pub(crate) url: String,
    pub(crate) anon_key: String,
}

/// An account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) user_id: String,
    pub(crate) email: String,
    pub(crate) password: String,
}

/// A conversation of a tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Conversation {
    pub(crate) id: String,
}

/// A tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Org {
    pub(crate) org_id: String,
    pub(crate) admin: Account,
    pub(crate) conversations: Vec<Conversation>,
}

impl Project {
    /// The stack given to the benches, or their own.
    pub(crate) fn required() -> Result<Self> {
        let text = std::fs::read_to_string(stack()).context(
            "no Supabase stack for benches is running: start it with `cargo xtask supabase up --for benches`, or run \
             `cargo xtask bench-report`",
        )?;
        serde_json::from_str(&text).context("stack.json is written by xtask")
    }

    /// Creates a tenant: an admin, and a direct conversation with each of a number of medics, each with a number of
    /// messages.
    pub(crate) fn tenant(conversations: u64, messages: u64) -> Result<Org> {
        let spec = json!({"medics": conversations, "conversations": true, "messages": messages});
        Ok(serde_json::from_value(node("tests/supabase/provision.mjs", &spec)?)?)
    }

    /// Like [`Project::tenant`], but reuses an existing one: a million messages take a while.
    pub(crate) fn kept_tenant(conversations: u64, messages: u64) -> Result<Org> {
        let path = stack().with_file_name(format!("tenant-{conversations}-{messages}.json"));
        let known = std::fs::read_to_string(&path).ok().and_then(|text| serde_json::from_str::<Org>(&text).ok());
        if let Some(org) = known {
            // The database may have been replaced since.
            let found = Self::sql(&json!({"count": "", "org_id": org.org_id}))?;
            if found["rows"].as_u64() == Some(conversations * messages) {
                return Ok(org);
            }
        }
        let org = Self::tenant(conversations, 0)?;
        Self::write(&org, conversations * messages)?;
        std::fs::write(&path, serde_json::to_string(&org)?)?;
        Ok(org)
    }

    /// Writes a number of messages, spread over the conversations of a tenant.
    pub(crate) fn write(org: &Org, messages: u64) -> Result<()> {
        let (org_id, sender_id) = (&org.org_id, &org.admin.user_id);
        Self::sql(&json!({"write": messages, "org_id": org_id, "sender_id": sender_id})).map(drop)
    }

    /// Queries or changes a tenant in the database: see benches/peers/server.mjs.
    pub(crate) fn sql(question: &Value) -> Result<Value> {
        node("benches/peers/server.mjs", question)
    }
}

/// Runs a script with a JSON value on standard input and reads the one that it prints.
pub(crate) fn node(script: &str, input: &Value) -> Result<Value> {
    run(Command::new("node").arg(root().join(script)).env("FIELDPOST_STACK", stack()), input)
}

/// Runs a program with a JSON value on standard input and reads the one that it prints.
pub(crate) fn run(command: &mut Command, input: &Value) -> Result<Value> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    child.stdin.take().context("no standard input")?.write_all(input.to_string().as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "{command:?} failed ({})", output.status);
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{command:?} printed {}", String::from_utf8_lossy(&output.stdout)))
}
