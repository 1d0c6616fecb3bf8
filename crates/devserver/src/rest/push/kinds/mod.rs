//! The kinds of mutation. Each has a file that parses its fields, and a line in the list.

use super::fields::Fields;
use fieldpost_domain::Refusal;
use fieldpost_remote::reference::Task;

mod delete_message;
mod edit_message;
mod mark_delivered;
mod mark_read;
mod open_broadcast;
mod open_direct;
mod react;
mod report_message;
mod send_message;
mod set_conversation;

/// Parses the fields of a kind.
type Read = fn(&Fields<'_>) -> Result<Task, Refusal>;

/// Every kind, by its name on the wire.
const KINDS: &[(&str, Read)] = &[
    ("send_message", send_message::read),
    ("open_direct", open_direct::read),
    ("open_broadcast", open_broadcast::read),
    ("edit_message", edit_message::read),
    ("react", react::read),
    ("report_message", report_message::read),
    ("delete_message", delete_message::read),
    ("mark_delivered", mark_delivered::read),
    ("mark_read", mark_read::read),
    ("set_conversation", set_conversation::read),
];

/// The parser of a kind, if there is a kind of this name.
pub(super) fn named(name: &str) -> Option<Read> {
    KINDS.iter().find(|(known, _)| *known == name).map(|(_, read)| *read)
}
