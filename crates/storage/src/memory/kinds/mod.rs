//! The local effect of each kind of mutation, one file per kind.

mod mark_read;
mod open_broadcast;
mod open_direct;
mod send_message;
mod set_conversation;
