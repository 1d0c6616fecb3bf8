//! `set_conversation`. A field that is absent stays as it is; null takes its value away.

use crate::rest::push::fields::{Fields, wrong};
use fieldpost_domain::{Archived, Refusal, Seq, SetConversation, SettingsChange, Time};
use fieldpost_remote::reference::Task;
use serde_json::Value;

pub(super) fn read(fields: &Fields<'_>) -> Result<Task, Refusal> {
    let (at, seq) = (given(fields, "archived_at", time)?, given(fields, "archived_seq", seq)?);
    let archived = at.map(|at| at.map(|at| Archived { at, seq: seq.flatten().unwrap_or(Seq::new(u64::MAX)) }));
    let change = SettingsChange {
        muted_until: given(fields, "muted_until", time)?,
        pinned_at: given(fields, "pinned_at", time)?,
        archived,
        unread_from: given(fields, "unread_from", seq_from_one)?,
    };
    Ok(Task::SetConversation(SetConversation { conversation_id: fields.id("conversation_id")?, change }))
}

fn given<T>(fields: &Fields<'_>, name: &str, read: fn(&Value) -> Option<T>) -> Result<Option<Option<T>>, Refusal> {
    match fields.0.get(name) {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(None)),
        Some(value) => read(value).map(|value| Some(Some(value))).ok_or_else(|| wrong(name)),
    }
}

fn time(value: &Value) -> Option<Time> {
    let time = chrono::DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    Some(time.with_timezone(&chrono::Utc))
}

fn seq(value: &Value) -> Option<Seq> {
    value.as_u64().map(Seq::new)
}

fn seq_from_one(value: &Value) -> Option<Seq> {
    seq(value).filter(|seq| *seq > Seq::ZERO)
}
