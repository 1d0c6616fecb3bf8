//! Formats values for people.

use crate::{
    failure::Failure,
    terminal::{column, cut, one_line, width},
};
use chrono::Local;
use fieldpost::{
    MessageKind, PersonId, Quoted, ReceiptCounts, Refusal, RefusalCode, ThreadMessage, ThreadReaction, Time,
    records::RecordRefusal,
};
use std::fmt::Display;

/// The local time, with its zone. A list needs no more than minutes.
pub(super) fn moment(time: Time) -> String {
    time.with_timezone(&Local).format("%Y-%m-%d %H:%M %:z").to_string()
}

/// Said as soon as something that a person wrote is safe, whatever the network does.
pub(super) const KEPT: &str = "Kept on this device.";
/// Said at the end, when the server has it.
pub(super) const SENT: &str = "Sent: the server has it.";
/// Said at the end, when the server does not have it.
pub(super) const NOT_YET: &str = "Not sent yet: the next sync sends it.";

/// Said when the server refused what a person wrote.
pub(super) fn refused(what: &str, refusal: &Refusal) -> Failure {
    let why = one_line(refusal.detail.as_deref().unwrap_or(refusal.code.as_str()));
    Failure::error(format!("the server refused this {what} ({why}); it is kept, see `fieldpost outbox`"))
}

/// Said when the server refused a change of a record.
pub(super) fn refused_record(refusal: &RecordRefusal) -> Failure {
    let why = one_line(refusal.detail.as_deref().unwrap_or(refusal.code.as_str()));
    Failure::error(format!("the server refused this record ({why}); it is kept, see `fieldpost queue`"))
}

/// The columns of a [`moment`] of our days.
pub(super) const MOMENT: usize = 23;

/// The last part of an id, which commands accept for the whole. Ids begin with their time, so their ends differ most.
pub(super) fn short(id: impl Display) -> String {
    let id = id.to_string();
    id.rsplit('-').next().unwrap_or_default().to_owned()
}

/// A line of a list: columns, and a text that ends at the terminal's width.
pub(super) fn list_line(columns: &str, text: &str) -> String {
    cut(format!("{columns}{}", one_line(text)).trim_end(), width())
}

/// One line per message.
pub(crate) fn message_line(message: &ThreadMessage) -> String {
    let content = match (&message.content, &message.omitted, message.deleted) {
        (_, _, true) => "(deleted)".to_owned(),
        // The metadata is the app's own, so nothing is read in it.
        (None, None, false) if message.kind != MessageKind::Text => String::new(),
        (Some(text), None, false) => text.clone(),
        // Only its metadata exceeded the limits.
        (Some(text), Some(omitted), false) => format!("{text} ({})", omitted.sentence()),
        (None, Some(omitted), false) => format!("({})", omitted.sentence()),
        (None, None, false) => "(no text)".to_owned(),
    };
    let name = if message.sender_id == PersonId::NOBODY { "(system)" } else { &message.sender_name };
    let (when, sender) = (moment(message.created_at), column(name, 12));
    let shown = format!("{}{}{}", quote(message), kind(message), one_line(&content));
    let mut notes = state(message);
    if message.edited_at.is_some() && !message.deleted {
        notes.insert_str(0, "(edited) ");
    }
    if message.mentions_me {
        notes.insert_str(0, "@you ");
    }
    let line = format!("{when}  {sender} {}  {notes}", shown.trim_end());
    format!("{}  {}", line.trim_end(), reactions(message)).trim_end().to_owned()
}

/// What it replies to.
fn quote(message: &ThreadMessage) -> String {
    match &message.reply {
        None => String::new(),
        Some(Quoted::Here(quote)) => {
            let text = cut(&one_line(quote.text.as_deref().unwrap_or("…")), QUOTE);
            format!("[to {}: {text}] ", one_line(&quote.sender_name))
        }
        Some(Quoted::Deleted(_)) => "[to a deleted message] ".to_owned(),
        Some(Quoted::NotHere(_)) => "[to a message that is not on this device] ".to_owned(),
    }
}

/// The columns of a quoted text.
const QUOTE: usize = 30;

/// What it is, if it is more than text.
fn kind(message: &ThreadMessage) -> String {
    match &message.kind {
        _ if message.deleted => String::new(),
        MessageKind::Text | MessageKind::System => String::new(),
        kind => format!("[{}] ", one_line(kind.as_str())),
    }
}

/// Each emoji with its number; one's own has an asterisk.
fn reactions(message: &ThreadMessage) -> String {
    let one = |one: &ThreadReaction| {
        format!("{} {}{}", one_line(one.emoji.as_str()), one.count, if one.mine { "*" } else { "" })
    };
    message.reactions.iter().map(one).collect::<Vec<_>>().join("  ")
}

/// The delivery state of one's own message; empty for those of others.
fn state(message: &ThreadMessage) -> String {
    match (&message.failure, message.mine) {
        (Some(Refusal { code: RefusalCode::Refused, detail: Some(words) }), _) => {
            format!("[failed: {}]", one_line(words))
        }
        (Some(refusal), _) => format!("[failed: {}]", one_line(refusal.code.as_str())),
        (None, true) if message.sending => "[sending]".to_owned(),
        (None, true) => message.receipts.map_or_else(|| format!("[{}]", one_line(message.status.as_str())), counted),
        (None, false) => String::new(),
    }
}

/// How far one's own message of a broadcast got.
fn counted(counts: ReceiptCounts) -> String {
    match counts {
        ReceiptCounts { read: 0, delivered: 0, .. } => "[sent]".to_owned(),
        ReceiptCounts { read: 0, delivered, recipients } => format!("[delivered to {delivered} of {recipients}]"),
        ReceiptCounts { read, recipients, .. } => format!("[read by {read} of {recipients}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};

    #[test]
    fn the_farthest_times_that_a_row_can_have_are_shown() {
        for time in ["10000-01-01T00:00:00Z", "11533-06-30T23:59:59Z", "2038-01-19T03:14:08Z", "1883-11-18T12:00:00Z"] {
            let time: Time = time.parse().or_else(|_| format!("+{time}").parse()).unwrap();
            assert!(moment(time).contains(':'));
        }
        for time in [DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC] {
            assert!(moment(time).contains(':'));
        }
    }
}
