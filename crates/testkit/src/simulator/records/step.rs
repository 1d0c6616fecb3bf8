//! The steps of a run with records. As those of messages, each is independent of the others.

use super::world::Side;
use crate::{
    Fault,
    simulator::step::{Notice, Trouble},
};
use std::fmt;

/// A step, some time after the previous one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordStep {
    /// Milliseconds after the previous step.
    pub(super) after: u32,
    pub(super) act: Act,
}

/// The kinds of step. `device` wraps around the devices of the run; `pick` wraps around the available choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// Somebody creates a record.
    Create { device: u8, process: u8, pick: u64 },
    /// Somebody changes a record.
    Update { device: u8, process: u8, pick: u64 },
    /// Somebody deletes a record.
    Delete { device: u8, process: u8, pick: u64 },
    /// Somebody decides about a change.
    Decide { device: u8, pick: u64, decision: Decision },
    /// Somebody reads a record, which is logged.
    Read { device: u8, process: u8, pick: u64 },
    /// Somebody writes a message.
    Write { device: u8, process: u8, pick: u64 },
    /// The app syncs both sides.
    Sync { device: u8, process: u8 },
    /// The app syncs the messages.
    SyncMessages { device: u8, process: u8 },
    /// The app is killed after `polls` more polls of its futures.
    Kill { device: u8, process: u8, polls: u16 },
    /// Somebody signs out; the next sync signs in again.
    SignOut { device: u8 },
    /// The clock of a device is moved by `seconds`.
    Jump { device: u8, seconds: i32 },
    /// One of the next calls of a side of a device gets a fault.
    Fault { device: u8, side: Side, skip: u8, fault: Fault },
    /// For a while many calls of a side of a device get random faults.
    Rough { device: u8, side: Side, seed: u64, lasting: u32, per_mille: u16 },
    /// A device has no network for a while.
    Offline { device: u8, lasting: u32 },
    /// One of the next writes to a device's store fails before it is committed.
    Trouble { device: u8, side: Side, skip: u8, trouble: Trouble },
    /// The app receives a notice from the platform or the person.
    Tell { device: u8, process: u8, notice: Notice },
    /// Something happens to the server.
    Server(Event),
    /// Another client writes, in a transaction that it holds open for a while.
    Dashboard { ops: Vec<Op>, holding: u32, roll_back: bool },
}

/// A person's decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Send a dead letter again.
    Retry,
    /// Take a change back.
    Cancel,
    /// Apply a lost change again.
    Reapply,
    /// Forget a lost change.
    Dismiss,
}

/// An event on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// Nobody reaches it for a while.
    Down { lasting: u32 },
    /// The functions are missing for a while.
    Missing { lasting: u32 },
    /// The audit log cannot be uploaded for a while.
    NoAudit { lasting: u32 },
    /// It restarts; open transactions are rolled back.
    Restart,
    /// It starts a new epoch.
    NewEpoch,
    /// It makes a backup.
    Backup,
    /// It restores the backup.
    Restore,
    /// It removes its tombstones.
    Compact,
    /// A person's access tokens expire.
    Expire { person: u8 },
    /// A person's sessions end.
    EndSessions { person: u8 },
    /// It answers a change of a record with `retry`.
    Retry { pick: u64 },
    /// A policy has changed.
    Policies,
}

impl Event {
    /// Its name in the counts.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Down { .. } => "server down",
            Self::Missing { .. } => "missing functions",
            Self::NoAudit { .. } => "audit log refused",
            Self::Restart => "server restarts",
            Self::NewEpoch => "new epochs",
            Self::Backup => "backups",
            Self::Restore => "restores",
            Self::Compact => "compactions",
            Self::Expire { .. } => "expired tokens",
            Self::EndSessions { .. } => "ended sessions",
            Self::Retry { .. } => "retry answers",
            Self::Policies => "changed policies",
        }
    }
}

/// One write of another client in a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    /// Inserts a record.
    Insert { pick: u64 },
    /// Inserts the record that a device creates, as an older app does, under a primary key of the server.
    InsertForDevice { pick: u64, device: u8 },
    /// Changes a record.
    Update { pick: u64 },
    /// Deletes a record.
    Delete { pick: u64 },
    /// Gives a record to the other org.
    Move { pick: u64 },
    /// Writes a message.
    Message { pick: u64, sender: u64 },
    /// Removes a person from the org.
    RemoveMember { person: u8 },
    /// Adds a person to an org.
    AddMember { person: u8, elsewhere: bool },
    /// Makes a medic an admin or an admin a medic.
    ChangeRole { person: u8 },
}

impl Op {
    /// Whether it changes who sees what.
    pub(super) const fn changes_sight(self) -> bool {
        matches!(self, Self::Move { .. } | Self::RemoveMember { .. } | Self::AddMember { .. } | Self::ChangeRole { .. })
    }
}

impl fmt::Display for RecordStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{} ms {:?}", self.after, self.act)
    }
}
