//! What each kind of mutation does to the rows that are here, at once: one file per kind.

mod mark_read;
mod open_direct;
mod send_message;
