//! `fieldpost receipts`.

use super::{
    edit::{find, newest},
    messages::as_json,
    text::{MOMENT, message_line, moment},
};
use crate::{
    device::Device,
    failure::Failure,
    output::Output,
    terminal::{column, one_line},
};
use fieldpost::{MessageInfo, Receipt, ThreadMessage, Time};
use serde_json::{Value, json};

/// The columns of a name.
const NAME: usize = 24;

pub(super) async fn run(device: &Device, wanted: &str, output: &Output) -> Result<(), Failure> {
    let mut here: Vec<ThreadMessage> = Vec::new();
    for conversation in device.client.conversations().await? {
        here.extend(newest(&device.client.conversation(conversation.id)).await?);
    }
    let message = find(&here, wanted)?;
    let info = device.client.message_info(message.id).await?;
    output.result(&info_as_json(&info), || lines(&info));
    output.tell("As this device knows it since its last sync.");
    Ok(())
}

fn lines(info: &MessageInfo) -> String {
    let mut lines = vec![message_line(&info.message)];
    lines.extend(info.receipts.iter().map(line));
    if info.receipts.is_empty() {
        lines.push("No receipt has arrived yet.".to_owned());
    }
    lines.join("\n")
}

fn line(receipt: &Receipt) -> String {
    let (state, at) = match receipt {
        Receipt { read: true, read_at, .. } => ("read", *read_at),
        Receipt { delivered: true, delivered_at, .. } => ("delivered", *delivered_at),
        _ => ("not yet", None),
    };
    let when = at.map_or_else(|| " ".repeat(MOMENT), |at: Time| moment(at));
    format!("  {}  {when}  {state}", column(&one_line(&receipt.name), NAME)).trim_end().to_owned()
}

fn info_as_json(info: &MessageInfo) -> Value {
    let receipts = info.receipts.iter().map(|receipt| {
        json!({
            "person_id": receipt.person_id,
            "name": receipt.name,
            "delivered": receipt.delivered,
            "delivered_at": receipt.delivered_at,
            "read": receipt.read,
            "read_at": receipt.read_at,
        })
    });
    json!({"message": as_json(&info.message), "receipts": receipts.collect::<Vec<_>>()})
}
