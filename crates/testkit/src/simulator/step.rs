//! The steps of a run.
//!
//! Every step is independent. It refers to its targets by a number that is looked up among the items existing when the
//! step happens, and it carries its own seed. So removing a step leaves the others unchanged, and a failing schedule
//! can be shrunk.

use crate::Fault;
use std::fmt;

/// A step, some time after the previous one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Milliseconds after the previous step.
    pub(super) after: u32,
    pub(super) act: Act,
}

/// The kinds of step. `device` and `person` wrap around the numbers of the run; `pick` wraps around the available
/// choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// Somebody writes a message.
    Write { device: u8, pick: u64 },
    /// Somebody reads a thread, up to some share of it in percent.
    Read { device: u8, pick: u64, share: u8 },
    /// Somebody opens a conversation with a medic.
    Open { device: u8, pick: u64 },
    /// Somebody decides about an unsent message.
    Decide { device: u8, pick: u64, decision: Decision },
    /// Somebody changes what she has set for a conversation.
    Set { device: u8, pick: u64, wish: Wish },
    /// Somebody begins to write a message and leaves it.
    Draft { device: u8, pick: u64 },
    /// Somebody scrolls up; the response takes `slowly` milliseconds, unless that is zero.
    LookBack { device: u8, process: u8, pick: u64, slowly: u32 },
    /// The app syncs.
    Sync { device: u8, process: u8 },
    /// The app is killed after `polls` more polls of its futures.
    Kill { device: u8, process: u8, polls: u16 },
    /// Somebody signs out; the next sync signs in again.
    SignOut { device: u8 },
    /// The clock of a device is moved by `seconds`.
    Jump { device: u8, seconds: i32 },
    /// One of the next calls of a device gets a fault.
    Fault { device: u8, skip: u8, fault: Fault },
    /// For a while many calls of a device get random faults.
    Rough { device: u8, seed: u64, lasting: u32, per_mille: u16 },
    /// A device has no network for a while.
    Offline { device: u8, lasting: u32 },
    /// The network of a device wants somebody to sign in on a web page, for a while.
    Portal { device: u8, lasting: u32 },
    /// Something happens to the server.
    Server(Event),
    /// The app receives a notice from the platform or the person.
    Tell { device: u8, process: u8, notice: Notice },
    /// One of the next writes to a device's store fails before it is committed.
    Trouble { device: u8, skip: u8, trouble: Trouble },
    /// Another client writes, in a transaction that it holds open for a while.
    ThirdPartyClient { ops: Vec<ThirdPartyOp>, holding: u32, roll_back: bool },
}

/// A person's decision about an unsent message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Send it again.
    Retry,
    /// Change its text.
    Edit,
    /// Cancel it.
    Cancel,
    /// Gives another text to a message in the thread, whether the server has it or not.
    Amend,
    /// Deletes a message in the thread, whether the server has it or not.
    Delete,
    /// Gives a message in the thread a reaction, or takes it back.
    React,
}

/// What somebody wants of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// At the top of the list.
    Pin,
    /// No longer at the top.
    Unpin,
    /// Silent for so many seconds.
    Mute { seconds: u32 },
    /// No longer silent.
    Unmute,
    /// Out of the list.
    Archive,
    /// Back in the list.
    TakeOut,
    /// Unread again, from some share of it on, in percent.
    MarkUnread { share: u8 },
}

impl Wish {
    /// Its name in the counts.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pin | Self::Unpin => "pins",
            Self::Mute { .. } | Self::Unmute => "mutes",
            Self::Archive | Self::TakeOut => "archives",
            Self::MarkUnread { .. } => "marks as unread",
        }
    }
}

/// A notice to an app. Its engine decides what to do; on some devices the engine syncs on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    /// There is a network, or none.
    Online(bool),
    /// The person opens the app.
    Foreground,
    /// The person leaves the app; it has this many milliseconds to send its outbox.
    Background(u32),
    /// The server hints that something is new.
    Hint,
    /// The platform is about to suspend the app, and the engine releases its store.
    Pause,
    /// The app is resumed.
    Resume,
    /// The app's own session has changed.
    SessionChanged,
    /// The person pulls to refresh.
    Refresh,
    /// The person signs out, and all data on the device is wiped.
    Wipe,
}

impl Notice {
    /// Its name in the counts.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Online(true) => "told online",
            Self::Online(false) => "told offline",
            Self::Foreground => "foregrounds",
            Self::Background(_) => "backgrounds",
            Self::Hint => "hints",
            Self::Pause => "pauses",
            Self::Resume => "resumes",
            Self::SessionChanged => "changed sessions",
            Self::Refresh => "pulls to refresh",
            Self::Wipe => "wipes",
        }
    }
}

/// A failure of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Another process holds the file.
    Busy,
    /// The disk is full.
    Full,
    /// The disk cannot be written for some other reason.
    Broken,
}

impl Trouble {
    /// Its name in the counts.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy stores",
            Self::Full => "full stores",
            Self::Broken => "broken writes",
        }
    }
}

/// An event on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// Nobody reaches it for a while.
    Down { lasting: u32 },
    /// Its functions are missing for a while.
    Missing { lasting: u32 },
    /// It refuses its own tokens for a while.
    RefuseTokens { lasting: u32 },
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
    /// Until the end, every call that pushes to a conversation fails as a whole.
    Poison { pick: u64 },
}

impl Event {
    /// Its name in the counts.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Down { .. } => "server down",
            Self::Missing { .. } => "missing functions",
            Self::RefuseTokens { .. } => "refused tokens",
            Self::Restart => "server restarts",
            Self::NewEpoch => "new epochs",
            Self::Backup => "backups",
            Self::Restore => "restores",
            Self::Compact => "compactions",
            Self::Expire { .. } => "expired tokens",
            Self::EndSessions { .. } => "ended sessions",
            Self::Poison { .. } => "poisoned lanes",
        }
    }
}

/// One write of another client in a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ThirdPartyOp {
    /// Writes a message.
    Insert { pick: u64, sender: u64 },
    /// Changes the text of a message.
    Edit { pick: u64 },
    /// Soft-deletes a message.
    SoftDelete { pick: u64 },
    /// Gives a message a reaction of a person, or takes it back.
    React { pick: u64, person: u8 },
    /// Hard-deletes a message.
    HardDelete { pick: u64 },
    /// Deletes a conversation.
    DeleteConversation { pick: u64 },
    /// Renames a conversation.
    Rename { pick: u64 },
    /// Reassigns a direct conversation to a medic who has none, or to nobody.
    Reassign { pick: u64, medic: u64 },
    /// Marks as read on another client.
    Mark { pick: u64, person: u8, share: u8 },
    /// Changes what a person has set for a conversation.
    Set { pick: u64, person: u8, wish: Wish },
    /// Removes a person from the org.
    RemoveMember { person: u8 },
    /// Adds a person to an org.
    AddMember { person: u8, elsewhere: bool },
    /// Makes a medic an admin or an admin a medic.
    ChangeRole { person: u8 },
    /// Renames somebody.
    RenamePerson { person: u8, number: u16 },
}

impl ThirdPartyOp {
    /// Whether it changes who sees what.
    pub(super) const fn changes_sight(self) -> bool {
        matches!(
            self,
            Self::DeleteConversation { .. }
                | Self::Reassign { .. }
                | Self::RemoveMember { .. }
                | Self::AddMember { .. }
                | Self::ChangeRole { .. }
        )
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{} ms {:?}", self.after, self.act)
    }
}
