//! One element of a batch. A fault in it is reported in its own result and does not affect the others.

use super::{
    fields::{Fields, wrong},
    kinds,
};
use fieldpost_domain::{Refusal, RefusalCode};
use fieldpost_remote::reference::{Submission, Task};
use serde_json::Value;

/// Parses an element. If it has no readable id, its refusal has none either.
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
    let name = fields.required("kind")?.as_str().ok_or_else(|| wrong("kind"))?;
    let read = kinds::named(name).ok_or(Refusal { code: RefusalCode::UnknownKind, detail: None })?;
    read(fields)
}
