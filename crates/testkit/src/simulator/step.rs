//! What can happen in a run.
//!
//! Every step stands by itself: it names whom it concerns by a number that is looked up among what there is when it happens,
//! and brings the seed of its own chance. So a step that is taken out of a schedule leaves the others as they are, and a
//! schedule that fails can be made smaller.

use std::fmt;

/// Something that happens, some time after the step before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How many milliseconds after the step before.
    pub(super) after: u32,
    pub(super) act: Act,
}

/// What happens. `device` and `person` count around those of the run; `pick` counts around what there is to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// Somebody writes a message.
    Write { device: u8, pick: u64 },
    /// Somebody reads a thread, up to some share of it in percent.
    Read { device: u8, pick: u64, share: u8 },
    /// Somebody opens a conversation with a medic.
    Open { device: u8, pick: u64 },
    /// Somebody decides what becomes of a message that waits.
    Decide { device: u8, pick: u64, decision: Decision },
    /// Somebody scrolls up; what comes back takes so many milliseconds, unless that is none.
    LookBack { device: u8, process: u8, pick: u64, slowly: u32 },
    /// The app syncs.
    Sync { device: u8, process: u8 },
    /// The app is killed, after its futures have been polled so many times more.
    Kill { device: u8, process: u8, polls: u16 },
    /// Somebody signs out, and in again with the next sync.
    SignOut { device: u8 },
    /// The clock of a device is set, by so many seconds.
    Jump { device: u8, seconds: i32 },
    /// One of the next calls of a device goes wrong.
    Fault { device: u8, skip: u8, fault: Fault },
    /// For a while many calls of a device go wrong, by chance.
    Rough { device: u8, seed: u64, lasting: u32, per_mille: u16 },
    /// A device has no network for a while.
    Offline { device: u8, lasting: u32 },
    /// Something happens to the server.
    Server(Event),
    /// The platform or the person tells the app something.
    Tell { device: u8, process: u8, notice: Notice },
    /// One of the next writes to a device's store fails before it is committed.
    Trouble { device: u8, skip: u8, trouble: Trouble },
    /// Another client writes, in a transaction that it holds open for a while.
    ThirdPartyClient { ops: Vec<ThirdPartyOp>, holding: u32, roll_back: bool },
}

/// What somebody can do about a message that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Send it again.
    Retry,
    /// Say it differently.
    Edit,
    /// Take it back.
    Cancel,
}

/// What an app is told. What comes of it is the business of its engine, which runs by itself on some devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    /// There is a network, or none.
    Online(bool),
    /// The person looks at the app.
    Foreground,
    /// The person leaves it; so many milliseconds are left to send what waits.
    Background(u32),
    /// The server has something new.
    Hint,
    /// The app is about to be suspended, and lets go of its store.
    Pause,
    /// It goes on.
    Resume,
    /// The app's own session has changed.
    SessionChanged,
    /// The person pulls to refresh.
    Refresh,
    /// The person signs out, and nothing is to stay on the device.
    Wipe,
}

impl Notice {
    /// What it is counted as.
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

/// How a store can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Another process holds the file.
    Busy,
    /// The disk is full.
    Full,
    /// The disk cannot be written for another reason.
    Broken,
}

impl Trouble {
    /// What it is counted as.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy stores",
            Self::Full => "full stores",
            Self::Broken => "broken writes",
        }
    }
}

/// What can become of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It never leaves the device.
    Unreachable,
    /// The connection breaks before the server has it.
    LoseRequest,
    /// The connection breaks after the server has carried it out.
    LoseAnswer,
    /// The answer cannot be read.
    Garble,
    /// It is carried out twice, the second time so many milliseconds later; after its answer only if that said that all was done.
    Twice(u32),
    /// It takes so many milliseconds to get there.
    Slow(u32),
    /// The answer takes so many milliseconds to come back.
    SlowBack(u32),
    /// A push is carried out in a transaction that stays open for so many milliseconds.
    SlowCommit(u32),
    /// 429, with so many seconds of `Retry-After`.
    TooMany(u8),
    /// 503, with so many seconds of `Retry-After`.
    Unavailable(u8),
    /// 500 without an explanation.
    Failure,
}

impl Fault {
    /// What it is counted as.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::LoseRequest => "lost requests",
            Self::LoseAnswer => "lost answers",
            Self::Garble => "garbled answers",
            Self::Twice(_) => "doubled requests",
            Self::Slow(_) => "slow requests",
            Self::SlowBack(_) => "slow answers",
            Self::SlowCommit(_) => "slow commits",
            Self::TooMany(_) => "429",
            Self::Unavailable(_) => "503",
            Self::Failure => "500",
        }
    }
}

/// What can happen to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// Nobody reaches it for a while.
    Down { lasting: u32 },
    /// It stops and starts again; what was open is rolled back.
    Restart,
    /// A new epoch.
    NewEpoch,
    /// Its rows are kept.
    Backup,
    /// It goes back to the rows that were kept.
    Restore,
    /// It forgets its tombstones.
    Compact,
    /// Somebody's access tokens run out.
    Expire { person: u8 },
    /// Somebody's sessions end.
    EndSessions { person: u8 },
    /// Whatever is pushed to a conversation fails, with the whole call, until the end.
    Poison { pick: u64 },
}

impl Event {
    /// What it is counted as.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Down { .. } => "server down",
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

/// One thing that another client does in a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ThirdPartyOp {
    /// Writes a message.
    Insert { pick: u64, sender: u64 },
    /// Changes the text of a message.
    Edit { pick: u64 },
    /// Deletes a message softly.
    SoftDelete { pick: u64 },
    /// Deletes a message for good.
    HardDelete { pick: u64 },
    /// Deletes a conversation.
    DeleteConversation { pick: u64 },
    /// Renames a conversation.
    Rename { pick: u64 },
    /// Hands a direct conversation to a medic who has none, or to nobody.
    Reassign { pick: u64, medic: u64 },
    /// Reads on another client.
    Mark { pick: u64, person: u8, share: u8 },
    /// Removes somebody from the org.
    RemoveMember { person: u8 },
    /// Takes somebody into an org.
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
