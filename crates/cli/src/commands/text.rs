//! Formats values for people.

use fieldpost::{Refusal, RefusalCode, ThreadMessage, Time};

/// A list needs no more than minutes.
pub(super) fn moment(time: Time) -> String {
    time.format("%Y-%m-%d %H:%M").to_string()
}

/// One line per message.
pub(crate) fn message_line(message: &ThreadMessage) -> String {
    let content = match (&message.content, &message.omitted, message.deleted) {
        (_, _, true) => "(deleted)".to_owned(),
        (Some(text), None, false) => text.clone(),
        // Only its metadata exceeded the limits.
        (Some(text), Some(omitted), false) => format!("{text} ({})", omitted.sentence()),
        (None, Some(omitted), false) => format!("({})", omitted.sentence()),
        (None, None, false) => "(no text)".to_owned(),
    };
    format!("{}  {:<12} {}  {}", moment(message.created_at), message.sender_name, one_line(&content), state(message))
        .trim_end()
        .to_owned()
}

/// The delivery state of one's own message; empty for those of others.
fn state(message: &ThreadMessage) -> String {
    match (&message.failure, message.mine) {
        (Some(Refusal { code: RefusalCode::Refused, detail: Some(words) }), _) => {
            format!("[failed: {}]", one_line(words))
        }
        (Some(refusal), _) => format!("[failed: {}]", refusal.code),
        (None, true) if message.sending => "[sending]".to_owned(),
        (None, true) => format!("[{}]", message.status),
        (None, false) => String::new(),
    }
}

/// Removes line breaks, which would break a list.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
