//! The SDK on real files, over real sockets, against the stand-in server.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails has to fail its test")]

mod accounts;
mod adopting;
mod defects;
mod deleting;
mod editing;
mod given;
mod hostile;
mod interruptions;
mod lifecycle;
mod live;
mod observing;
mod outbox;
mod projects;
mod reacting;
mod receipts;
mod reported_edits;
mod reported_messaging;
mod reporting;
mod requests;
mod searching;
mod setting;
mod strangers;
mod walk;
