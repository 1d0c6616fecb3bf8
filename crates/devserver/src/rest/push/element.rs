//! One element of a batch. Whatever is wrong with it is answered in its place and does nothing to the others.

use fieldpost_domain::{Metadata, Refusal, RefusalCode, Seq, Time};
use fieldpost_remote::reference::{Submission, SubmittedMessage, Task};
use serde_json::{Map, Value};
use std::str::FromStr;

/// Reads an element. One without a readable id is refused without one.
pub(super) fn read(element: &Value) -> Submission {
    let fields = element.as_object();
    let id = fields.and_then(|fields| fields.get("id")?.as_str()?.parse().ok());
    let task = match (id, fields) {
        (Some(_), Some(fields)) => task(&Fields(fields)).unwrap_or_else(Task::Refused),
        _ => Task::Refused(Refusal { code: RefusalCode::BadRequest, detail: None }),
    };
    Submission { id, task }
}

fn task(fields: &Fields<'_>) -> Result<Task, Refusal> {
    match fields.required("kind")?.as_str().ok_or_else(|| wrong("kind"))? {
        "send_message" => message(fields).map(Task::Send),
        "open_direct" => Ok(Task::OpenDirect {
            conversation_id: fields.id("conversation_id")?,
            medic_id: fields.optional_id("medic_id")?,
            org_id: fields.optional_id("org_id")?,
        }),
        "open_broadcast" => Ok(Task::OpenBroadcast {
            conversation_id: fields.id("conversation_id")?,
            org_id: fields.id("org_id")?,
            subject: fields.text("subject")?.map(str::to_owned),
        }),
        "mark_read" => {
            let read_seq = fields.required("read_seq")?.as_u64().ok_or_else(|| wrong("read_seq"))?;
            Ok(Task::MarkRead { conversation_id: fields.id("conversation_id")?, read_seq: Seq::new(read_seq) })
        }
        _ => Err(Refusal { code: RefusalCode::UnknownKind, detail: None }),
    }
}

fn message(fields: &Fields<'_>) -> Result<SubmittedMessage, Refusal> {
    let kind = fields.text("message_type")?.unwrap_or("text");
    let metadata = fields.present("metadata").map(|value| value.as_object().ok_or_else(|| wrong("metadata")));
    let composed_at = fields.text("composed_at")?;
    let composed_at = composed_at.map(|text| Time::from_str(text).map_err(|_| wrong("composed_at")));
    Ok(SubmittedMessage {
        id: fields.id("message_id")?,
        conversation_id: fields.id("conversation_id")?,
        kind: kind.into(),
        content: fields.text("content")?.map(str::to_owned),
        metadata: metadata.transpose()?.cloned().map(Metadata::from_stored),
        reply_to: fields.optional_id("reply_to")?,
        composed_at: composed_at.transpose()?,
    })
}

/// The refusal that names a field.
fn wrong(field: &str) -> Refusal {
    Refusal { code: RefusalCode::BadRequest, detail: Some(field.to_owned()) }
}

struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    fn present(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn required(&self, name: &str) -> Result<&'a Value, Refusal> {
        self.present(name).ok_or_else(|| wrong(name))
    }

    fn text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        self.present(name).map(|value| value.as_str().ok_or_else(|| wrong(name))).transpose()
    }

    fn optional_id<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        self.text(name)?.map(|text| text.parse().map_err(|_| wrong(name))).transpose()
    }

    fn id<T: FromStr>(&self, name: &str) -> Result<T, Refusal> {
        self.optional_id(name)?.ok_or_else(|| wrong(name))
    }
}
