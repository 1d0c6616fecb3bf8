//! Bugs that can be planted, to prove that the simulator finds them, or the tests of files at rest.
//!
//! A guarantee counts only if a test fails without it. Each [`PlantedBug`] undoes one guarantee, where the code asks
//! [`planted`] for it. Without the feature `planted-bugs` the answer is always false, and the compiler removes the bug.
//! Only `cargo xtask planted-bugs` builds with the feature: the simulator, or tests, which plant the bug that the variable
//! `FIELDPOST_PLANTED` names in each process that they start.

use crate::{Acknowledgement, Intent, MessageId, Mutation, PushOutcome, PushResult, RecordId};
use std::{future, task::Poll};
use uuid::Uuid;

macro_rules! bugs {
    ($($name:ident: $invariant:literal, $what:literal;)+) => {
        /// A bug that undoes one guarantee, at one place of the code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum PlantedBug {
            $(#[doc = $what] $name,)+
        }

        impl PlantedBug {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its name, as the variant.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// The invariant that it breaks, by its name in docs/invariants.md.
            #[must_use]
            pub const fn invariant(self) -> &'static str {
                match self { $(Self::$name => $invariant,)+ }
            }

            /// Whether the simulator is to find it. What lies in files, logs and keychains is none of its business.
            #[must_use]
            pub fn is_simulated(self) -> bool {
                self.invariant() != "at_rest"
            }

            /// What the bug does.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self { $(Self::$name => $what,)+ }
            }
        }
    };
}

bugs! {
    NoPullAfterJoin: "liveness", "what was committed before a live topic was joined waits for the timer";
    EveryPushIsOwn: "liveness", "a hint that some push caused counts as one of this device's own";
    ClosedTopicStaysClosed: "liveness", "a live topic that the server has closed is never joined again";
    SilenceIsLife: "liveness", "a live connection that answers no heartbeat is kept";
    LiveTokenNotRenewed: "liveness", "the server is never given a newer token for live topics";
    StatusStaysBehind: "convergence", "the status of messages does not follow what has arrived";
    DeliveryGoesBack: "convergence", "an older marker takes back what has arrived";
    LostAnswerAcknowledges: "no_loss", "a lost answer counts as an acknowledgement";
    EditOfUnknownOutcome: "no_loss", "a message is edited while its outcome is unknown";
    RetryIsRefusal: "no_loss", "`retry` counts as a refusal";
    HiddenIsLost: "no_loss", "what is merely out of sight is called lost by the server";
    ExpiresInFlight: "no_loss", "a message expires although the server may have it";
    ResendUnderNewId: "no_duplicate", "a message gets another id when it is sent again";
    CancelOfUnknownOutcome: "no_duplicate", "a message is taken back while its outcome is unknown";
    LanesByClock: "lane_order", "lanes are ordered by the device's clock";
    FailedAloneHoldsOthers: "isolation", "a mutation that fails alone is tried again before any other lane";
    NothingRemembered: "isolation", "a pass knows nothing of what the one before has learned";
    CursorBeforePage: "gap_free", "the cursor is advanced before the page is applied";
    OwnRowsFiltered: "gap_free", "a pull filters out what its own reader wrote";
    HighWaterMark: "gap_free", "the cursor is a high-water mark: what commits late is never delivered";
    OlderRowsNotFetched: "gap_free", "what is older than the cursor is not fetched when a conversation comes into sight";
    QuietThoughOthersWrote: "gap_free", "a push is called quiet although somebody else has written since the cursor";
    QuietSeesRunning: "gap_free", "the cursor of a quiet push has seen transactions that are still running";
    QuietWithoutSettings: "convergence", "a push is called quiet although it has changed settings that no result holds";
    RestOfRunIsEverything: "gap_free", "the rest of an interrupted run of pages counts as everything";
    TimelineMissesCommits: "timeline", "a timeline that does not follow the end of its thread misses what changes";
    OlderRowWins: "convergence", "a history answer is applied after a newer pull";
    DeletedComesBack: "convergence", "a late answer brings back what was deleted";
    HiddenLaterStays: "convergence", "what the project hides later stays on the device";
    WithdrawnByEqualStays: "convergence", "what is withdrawn by the version that was shown stays";
    OlderReactionWins: "convergence", "an older row of a reaction replaces a newer one";
    ReactionPerDevice: "convergence", "a reaction is counted for each device of a person";
    RefusedEditStays: "convergence", "an edit that was refused goes on showing";
    EditFoldedIntoSent: "no_loss", "an edit is folded into a send that was attempted already";
    EditBeatsDelete: "convergence", "an edit brings back what was deleted";
    OldTextIsFound: "convergence", "a search finds what somebody has edited away or deleted, until the server has heard of it";
    QueuedSettingHidden: "convergence", "the server's settings show over what is queued";
    PendingSettingLost: "no_loss", "a setting that waits is lost when the server tells of the conversation's settings";
    SettingsReplaced: "convergence", "whoever changes one setting takes back the others";
    MarkLeavesUnread: "convergence", "the server goes on counting what was marked unread after the person has read on";
    ReadingLeavesUnread: "unread_exact", "a conversation stays marked unread on the device that reads it";
    ArchivedForGood: "convergence", "a new message takes no conversation out of the archive";
    BadgeCountsMuted: "unread_exact", "the badge counts what is muted";
    PinnedIsTrimmed: "no_loss", "retention drops messages of pinned conversations";
    AnsweredIsTrimmed: "no_loss", "retention drops the message that a draft replies to";
    DraftIsTrimmed: "no_loss", "retention drops the draft of a conversation";
    InFlightNeverResent: "liveness", "what was sent once without an answer is never sent again";
    ExpiredCursorFails: "liveness", "an expired cursor is an error like any other";
    OnlineKeepsWaiting: "liveness", "a network that is back ends no wait";
    HintDuringPassLost: "liveness", "a hint that comes while a pass runs is lost";
    SizeForgotten: "liveness", "a size that the server refused is neither halved nor kept";
    LineForgotten: "liveness", "a page that took too long is asked for again in the same size";
    PortalEndsRunner: "liveness", "the runner stops asking when a captive portal answers, or a server without the functions";
    PushWaitsForBootstrap: "liveness", "what is written while a pass loads is sent once it has ended";
    UnreadOffByOne: "unread_exact", "unread is off by one";
    TrimmedIsKnown: "convergence", "what retention has dropped counts as known, so nobody fetches it again";
    MarkerGoesBack: "unread_exact", "a read marker goes back";
    MarkNotRequeued: "unread_exact", "a mark that the server has forgotten is not made again";
    ServerCountBelieved: "unread_exact", "the server counts what a waiting mark has read";
    HiddenIsCounted: "unread_exact", "the server counts what the project hides";
    RevokedIsFound: "privacy", "a search finds what was lost from sight";
    ReactorsAreTold: "privacy", "a medic is told who has reacted in a broadcast";
    RevokedStays: "privacy", "what was lost from sight stays on the device";
    EveryDirectIsSeen: "privacy", "a medic is told of every direct conversation";
    HiddenIsDelivered: "privacy", "a page tells of what the project hides";
    SentLeavesOutbox: "crash_safe", "a mutation leaves the outbox when it is sent, before it is answered";
    PausedEngineSyncs: "crash_safe", "a paused engine syncs when it is asked to";
    RetryAskedAtOnce: "bounded", "a lane that was told to come back is asked again at once";
    RefreshesInParallel: "bounded", "refreshing is not single-flight";
    RefreshesForEver: "bounded", "a token that the server refuses right after it has issued it is replaced by another";
    DigestOfAnotherMoment: "bounded", "a digest is compared although a push was answered since its page was requested";
    EveryPassLoadsAnew: "bounded", "every pass loads everything anew";
    RecordPriorityIgnored: "immediate_first", "changes of records are sent without regard to their priority";
    ImmediateWaitsForBatch: "immediate_first", "an immediate change waits for the pass that is running";
    UpdateOvertakesCreate: "records_order", "an update is sent before the create of its record";
    LostAnswerIsConflict: "records_no_loss", "a lost answer counts as a change that did not win";
    RecordRetryIsRefusal: "records_no_loss", "`retry` for a change of a record counts as a refusal";
    MissingRecordBlocks: "records_liveness", "a change whose record is missing is tried for ever";
    RecordWaitsOutlastReconnect: "records_liveness", "a network that is back ends no wait of a change";
    LwwByRawClock: "last_write_wins", "a change is dated by the device's clock as it is";
    ClockSessionIgnored: "last_write_wins", "a time of an earlier run of the clock is taken for one of this run";
    RecordCursorBeforePage: "records_gap_free", "the cursor of the records is advanced before the page is applied";
    AuditBeforeRecords: "independence", "the audit log is uploaded before the records, and fails them";
    MessageFailureFailsRecords: "independence", "a failure of message syncing is one of the records";
    ResendRecordUnderNewId: "records_no_duplicate", "a record gets another id when its create is sent again";
    AuditLeavesWhenSent: "audit_kept", "entries of the audit log leave although their upload has failed";
    EveryPassLoadsRecordsAnew: "records_bounded", "every pass loads all records anew";
    FoldedIntoSent: "records_no_loss", "a change is folded into one that was sent already";
    LostChangeNotKept: "records_no_loss", "a change that has lost is not kept";
    TombstoneDropsChanges: "records_no_loss", "changes of a record leave with it when somebody else deletes it";
    AccessLostDropsChanges: "records_no_loss", "changes of a record leave with it when access is lost";
    SentRecordLeavesQueue: "records_crash_safe", "a change of a record leaves the queue when it is sent, before it is answered";
    LanesOvertake: "records_order", "a change of a record is taken while another one of it is under way";
    ReferenceOvertakesCreate: "records_order", "a change is taken before the create of the record that it refers to";
    OlderRecordWins: "records_convergence", "a row of an older version replaces a newer one";
    UnnamedRecordStays: "records_privacy", "a record that a load does not name stays on the device";
    ArrivalDecides: "last_write_wins", "the server lets the change win that arrives last";
    CreateOverwrites: "last_write_wins", "a create that is sent again replaces the row";
    LastMutationForgotten: "records_no_loss", "the server compares a change with itself when it is sent again";
    RefusedTakesOthersAlong: "records_no_loss", "a refused change of a record takes those of other records along";
    RecordTombstoneMissing: "records_convergence", "the server tells nobody that a record was deleted";
    RecordsOfOtherOrgs: "records_privacy", "the server tells of records of other orgs";
    HiddenRecordIsTold: "records_privacy", "a page tells of records that the project hides";
    TokensStayInDatabase: "privacy", "tokens that are kept in a secret store stay in the database as well";
    NamedWaitIgnored: "bounded", "the time that the server names is not waited for";
    KeyInLog: "at_rest", "the key of a file is printed in a log";
    KeyInError: "at_rest", "the key of a file is in an error";
    PlainTemporaryFile: "at_rest", "a change of key writes a plain file on its way";
    FallsBackToPlain: "at_rest", "where a key cannot be used, the file is opened or made without one";
    UnnamedCipherTrusted: "at_rest", "a library that names no cipher is taken for one that encrypts";
    WrongKeyWipes: "at_rest", "a file that its key does not open is begun anew";
    KilledImportStays: "at_rest", "what a killed import has left stays beside its target";
    MovedTokenStays: "at_rest", "the log of the database keeps tokens that were moved to a secret store";
    LockedStoreSignsOut: "at_rest", "a secret store that is out of reach counts as a sign-out";
    SignOutKeepsSecret: "at_rest", "a secret outlives the sign-out";
}

/// Whether this bug is planted: never, in a build without the feature.
#[cfg(not(feature = "planted-bugs"))]
#[inline(always)]
#[must_use]
pub const fn planted(_: PlantedBug) -> bool {
    false
}

/// Whether this bug is planted in this process.
#[cfg(feature = "planted-bugs")]
#[must_use]
pub fn planted(bug: PlantedBug) -> bool {
    switch::planted() == Some(bug)
}

#[cfg(feature = "planted-bugs")]
pub use switch::plant;

#[cfg(feature = "planted-bugs")]
mod switch {
    use super::PlantedBug;
    use std::sync::OnceLock;

    static PLANTED: OnceLock<Option<PlantedBug>> = OnceLock::new();

    /// The bug of this process: the one that was planted, or that the environment names.
    pub(super) fn planted() -> Option<PlantedBug> {
        *PLANTED.get_or_init(|| {
            let name = std::env::var("FIELDPOST_PLANTED").ok()?;
            PlantedBug::ALL.iter().copied().find(|bug| bug.name() == name)
        })
    }

    /// Plants a bug for the rest of this process. Returns false if one is planted already, or was asked for.
    pub fn plant(bug: PlantedBug) -> bool {
        PLANTED.set(Some(bug)).is_ok()
    }
}

/// The results that [`PlantedBug::LostAnswerAcknowledges`] assumes for a lost response.
#[must_use]
pub fn acknowledge_all(batch: &[Mutation]) -> Vec<PushResult> {
    let outcome = || PushOutcome::Acknowledged(Acknowledgement::Bare);
    batch.iter().map(|mutation| PushResult { mutation_id: mutation.id, outcome: outcome() }).collect()
}

/// The change that [`PlantedBug::ResendUnderNewId`] makes to a message.
pub fn give_new_id(intent: &mut Intent) {
    if let Intent::SendMessage(message) = intent {
        message.id = MessageId::from_uuid(Uuid::from_u128(message.id.as_uuid().as_u128() ^ 1));
    }
}

/// The change that [`PlantedBug::ResendRecordUnderNewId`] makes to the id of a record.
#[must_use]
pub fn new_record_id(id: RecordId) -> RecordId {
    RecordId::from_uuid(Uuid::from_u128(id.as_uuid().as_u128() ^ 1))
}

/// An await point at which [`PlantedBug::CursorBeforePage`] can be killed.
pub async fn give_way() {
    let mut given = false;
    future::poll_fn(|context| {
        if std::mem::replace(&mut given, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
