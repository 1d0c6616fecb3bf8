//! The medic's app as a separate process, so that it can really be killed.

use super::stage::Device;
use crate::{failure::Failure, output::Output};
use fieldpost::{Client, ConversationId, Fieldpost, MessageId};
use serde_json::json;
use std::{path::Path, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

/// The medic's process: it writes, prints what was accepted, and then hangs until it is killed.
pub(crate) async fn write_and_wait(
    database: &Path,
    conversation: ConversationId,
    messages: u32,
    output: &Output,
) -> Result<(), Failure> {
    let client: Client = Fieldpost::builder().database(database).local_only().open().await?;
    for number in 1..=messages {
        let written = client.conversation(conversation).send(&text(number)).await?;
        output.result(&json!({"accepted": written.id()}), String::new);
    }
    std::future::pending::<()>().await;
    Ok(())
}

/// The text of a message.
pub(super) fn text(number: u32) -> String {
    match number {
        1 => "Gate 3, no signal down here".to_owned(),
        2 => "Worker with a cut hand, cleaned and dressed".to_owned(),
        3 => "Need more burn dressings tomorrow 🩹".to_owned(),
        _ => format!("Note {number} from level -2"),
    }
}

/// Runs the medic's app without a network until it has accepted all messages, then kills it. Returns the accepted
/// messages.
pub(super) async fn write_then_kill(
    device: &Device,
    conversation: ConversationId,
    messages: u32,
) -> Result<Vec<MessageId>, Failure> {
    let program = std::env::current_exe().map_err(Failure::error)?;
    let mut child = Command::new(program)
        .arg("--json")
        .arg("--db")
        .arg(&device.file)
        .args(["demo-writer", &conversation.to_string(), &messages.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(Failure::error)?;
    let stdout = child.stdout.take().ok_or_else(|| Failure::error("the medic's app has no output"))?;
    let mut lines = BufReader::new(stdout).lines();
    let mut accepted = Vec::new();
    while accepted.len() < messages as usize {
        let line = lines.next_line().await.map_err(Failure::error)?;
        let line = line.ok_or_else(|| Failure::error("the medic's app stopped before it was killed"))?;
        accepted.push(accepted_id(&line)?);
    }
    child.kill().await.map_err(Failure::error)?;
    Ok(accepted)
}

fn accepted_id(line: &str) -> Result<MessageId, Failure> {
    serde_json::from_str::<serde_json::Value>(line)
        .ok()
        .and_then(|value| value["accepted"].as_str()?.parse().ok())
        .ok_or_else(|| Failure::error(format!("the medic's app failed: {line}")))
}
