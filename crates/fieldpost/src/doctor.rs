//! A diagnosis: what is wrong, and how to fix it.

use crate::{
    Client, ConversationId, EntryState, Error, ImportReport, Inspection, OrgId, OutboxEntry, Person, PersonId, Probe,
    Protection, Result, Role, ServerInfo, Time, TokenPlace, protection::protections,
};
use fieldpost_remote::SQL_VERSION;
use fieldpost_storage::{SyncPosition, SyncState};
use fieldpost_sync::CursorHealth;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A clock skew above this many seconds is reported: times on screens are wrong for everybody. Nothing else depends on
/// it.
const SKEW_LIMIT: i64 = 120;

/// The state of this client.
#[derive(Debug)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The local database.
    pub database: Inspection,
    /// What came over from the app that Fieldpost replaces; none if nothing did.
    pub imported: Option<ImportReport>,
    /// The owner of the database.
    pub owner: Option<PersonId>,
    /// Whether somebody is signed in.
    pub signed_in: bool,
    /// The orgs whose people this device shows: those that the person is a member of.
    pub orgs: BTreeSet<OrgId>,
    /// How far this device has pulled. The cursor in it is opaque and names the server's epoch.
    pub sync: SyncState,
    /// The outbox, lane by lane.
    pub lanes: Vec<Lane>,
    /// The server's answer; none if it was not asked.
    pub server: Option<Result<Probe>>,
    /// How many single rows or mutations were too large to transfer since the file was created.
    pub oversized: u64,
    /// What protects messages and tokens on this device, and what Fieldpost does not protect.
    pub protection: Vec<Protection>,
    /// The problems found; empty if there are none.
    pub findings: Vec<Finding>,
}

impl Diagnosis {
    /// The SQL version that the server last reported; none if it reports none.
    #[must_use]
    pub fn sql_version(&self) -> Option<u32> {
        self.server_info()?.sql_version
    }

    fn server_info(&self) -> Option<&ServerInfo> {
        let told = self.server.as_ref().and_then(|server| server.as_ref().ok()).map(|probe| &probe.server);
        told.or(self.sync.server.as_ref())
    }

    /// The SQL version that is installed, once the server has answered: the first one does not report itself.
    #[must_use]
    pub fn installed_sql(&self) -> Option<u32> {
        self.server_info().map(|server| server.sql_version.unwrap_or(1))
    }
}

/// What the signed-in person is to the server, as far as a device can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Not known before the first load.
    Unknown,
    /// A member, who can do what members do.
    Member,
    /// In no org.
    Stranger,
    /// A medic by role, whom the roster does not have.
    Unlisted,
}

impl Standing {
    fn of(sync: &SyncState) -> Self {
        match (&sync.position, &sync.me) {
            (SyncPosition::Following(_), None) | (_, Some(Person { removed: true, .. })) => Self::Stranger,
            (_, None) => Self::Unknown,
            (_, Some(Person { role: Role::Medic, medic_id: None, .. })) => Self::Unlisted,
            (_, Some(_)) => Self::Member,
        }
    }
}

/// One lane of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Waiting to be sent.
    pub queued: u32,
    /// In flight.
    pub sending: u32,
    /// Dead letters.
    pub failed: u32,
    /// The highest number of `retry` answers for one of them.
    pub retries: u32,
    /// When the oldest was recorded, by the device's clock.
    pub oldest_at: Time,
}

/// A problem. Its text says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The local database is damaged.
    Damaged,
    /// Nobody is signed in.
    SignedOut,
    /// The secret store that the tokens were in does not have them any more: what it is.
    TokensLost(String),
    /// The tokens cannot be read now: why.
    TokensOutOfReach(String),
    /// The first load has never been completed.
    NeverLoaded,
    /// The signed-in person is a member of no org, so the server shows nothing.
    NoMembership,
    /// The signed-in person is a medic by role but not in the roster, so there is no conversation with the office.
    NoMedicRow,
    /// The number of refused changes that wait for the person.
    DeadLetters(u32),
    /// The number of the server's rows that this version cannot read.
    Unreadable(u64),
    /// How many seconds the device's clock is ahead of the server's; negative if it is behind.
    ClockSkew(i64),
    /// The server no longer accepts this device's cursor.
    CursorExpired,
    /// The server's SQL is older than this client's; the client works with it anyway.
    OldSql(u32),
    /// How many single rows or mutations were too large to transfer since the file was created.
    Oversized(u64),
    /// The server could not be asked.
    Server(String),
}

impl Finding {
    /// A stable name, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::SignedOut => "signed_out",
            Self::TokensLost(_) => "tokens_lost",
            Self::TokensOutOfReach(_) => "tokens_out_of_reach",
            Self::NeverLoaded => "never_loaded",
            Self::NoMembership => "no_membership",
            Self::NoMedicRow => "no_medic_row",
            Self::DeadLetters(_) => "dead_letters",
            Self::Unreadable(_) => "unreadable_rows",
            Self::ClockSkew(_) => "clock_skew",
            Self::CursorExpired => "cursor_expired",
            Self::OldSql(_) => "old_sql",
            Self::Oversized(_) => "oversized",
            Self::Server(_) => "server",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => write!(f, "the local database is damaged; keep a copy of it, then start with a new file"),
            Self::SignedOut => {
                write!(f, "nobody is signed in; local changes are kept until the owner signs in again")
            }
            Self::TokensLost(store) => {
                write!(f, "{store} no longer has the tokens of the session; sign in again (nothing here was deleted)")
            }
            Self::TokensOutOfReach(why) => {
                write!(
                    f,
                    "the tokens of the session cannot be read now: {why}; unlock the device or its keyring, or start with the \
                     place where they were kept (nobody is signed out)"
                )
            }
            Self::NeverLoaded => write!(f, "the first load was never completed; sync with a network"),
            Self::NoMembership => {
                write!(
                    f,
                    "no membership: the signed-in person belongs to no organization, so the server shows nothing; an \
                     admin of the project adds a row to its members (by default `profiles`, with org_id and role)"
                )
            }
            Self::NoMedicRow => {
                write!(
                    f,
                    "no medic row: the signed-in person has the role of a medic but no row in the roster (by default \
                     `medics`, with this user_id), so there is no conversation with the office"
                )
            }
            Self::DeadLetters(count) => {
                write!(f, "{count} changes were refused; look at the outbox, then retry or cancel them")
            }
            Self::Unreadable(count) => {
                write!(f, "{count} rows of the server cannot be read by this version; update it")
            }
            Self::ClockSkew(seconds) => {
                let (by, which) = (seconds.unsigned_abs(), if *seconds > 0 { "ahead of" } else { "behind" });
                write!(
                    f,
                    "this device's clock is {by} s {which} the server's; set it (only times on the screen depend on it)"
                )
            }
            Self::CursorExpired => {
                write!(f, "the server no longer accepts this device's cursor; the next sync loads everything again")
            }
            Self::OldSql(installed) => {
                write!(f, "SQL {installed}, this client wants {SQL_VERSION}: run `fieldpost sql export`")
            }
            Self::Oversized(count) => {
                write!(f, "{count} single rows or mutations were too large to transfer (does a proxy limit the size?)")
            }
            Self::Server(why) => write!(f, "{why}"),
        }
    }
}

impl Client {
    /// Examines this device and asks the server once. Changes nothing.
    ///
    /// # Errors
    /// If the store cannot be read; all other failures are part of the diagnosis.
    pub async fn diagnose(&self) -> Result<Diagnosis> {
        let server = self.inner.sides.messages.probe().await.map_err(Error::from);
        self.diagnosis(Some(server)).await
    }

    /// What came over from the app that Fieldpost replaces, whether the file was opened in place or imported; none if it
    /// was not that app's.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn imported(&self) -> Result<Option<ImportReport>> {
        Ok(self.inner.store.imported().await?)
    }

    /// Like [`Client::diagnose`], without asking the server.
    ///
    /// # Errors
    /// As [`Client::diagnose`].
    pub async fn diagnose_offline(&self) -> Result<Diagnosis> {
        self.diagnosis(None).await
    }

    async fn diagnosis(&self, server: Option<Result<Probe>>) -> Result<Diagnosis> {
        let store = &self.inner.store;
        let sync = store.sync_state().await?;
        let (database, tokens) = (store.inspect().await?, self.inner.tokens.place().await?);
        let mut diagnosis = Diagnosis {
            protection: protections(&database, &tokens),
            database,
            imported: store.imported().await?,
            owner: store.account().await?,
            signed_in: self.is_signed_in().await?,
            orgs: store.people().await?.iter().filter(|person| !person.removed).map(|person| person.org_id).collect(),
            oversized: sync.memory.health.oversized,
            sync,
            lanes: lanes(&store.entries(u32::MAX).await?),
            server,
            findings: Vec::new(),
        };
        diagnosis.findings = findings(&diagnosis, tokens);
        Ok(diagnosis)
    }
}

fn lanes(entries: &[OutboxEntry]) -> Vec<Lane> {
    let mut lanes: BTreeMap<ConversationId, Lane> = BTreeMap::new();
    for entry in entries {
        let (conversation_id, oldest_at) = (entry.conversation_id, entry.recorded_at);
        let empty = Lane { conversation_id, queued: 0, sending: 0, failed: 0, retries: 0, oldest_at };
        let lane = lanes.entry(conversation_id).or_insert(empty);
        lane.oldest_at = lane.oldest_at.min(oldest_at);
        match &entry.state {
            EntryState::Queued { retries, .. } => {
                lane.queued += 1;
                lane.retries = lane.retries.max(*retries);
            }
            EntryState::NeedsServer(_) => lane.queued += 1,
            EntryState::Sending => lane.sending += 1,
            EntryState::Failed(_) => lane.failed += 1,
        }
    }
    lanes.into_values().collect()
}

fn findings(diagnosis: &Diagnosis, tokens: TokenPlace) -> Vec<Finding> {
    let failed = diagnosis.lanes.iter().map(|lane| lane.failed).sum();
    let unreadable = diagnosis.sync.unreadable_rows;
    let standing = Standing::of(&diagnosis.sync);
    let lost = matches!(tokens, TokenPlace::Lost(_));
    let here = [
        (!diagnosis.database.faults.is_empty(), Finding::Damaged),
        (!diagnosis.signed_in && !lost, Finding::SignedOut),
        (!matches!(diagnosis.sync.position, SyncPosition::Following(_)), Finding::NeverLoaded),
        (standing == Standing::Stranger, Finding::NoMembership),
        (standing == Standing::Unlisted, Finding::NoMedicRow),
        (failed > 0, Finding::DeadLetters(failed)),
        (unreadable > 0, Finding::Unreadable(unreadable)),
        (diagnosis.oversized > 0, Finding::Oversized(diagnosis.oversized)),
    ];
    let sql = diagnosis.installed_sql().filter(|installed| *installed < SQL_VERSION);
    let mut found: Vec<Finding> = here.into_iter().filter_map(|(holds, finding)| holds.then_some(finding)).collect();
    found.extend(about_tokens(tokens));
    found.extend(sql.map(Finding::OldSql));
    match &diagnosis.server {
        Some(Ok(probe)) => found.extend(probed(probe)),
        // `Finding::SignedOut` is already in the list.
        None | Some(Err(Error::SignedOut)) => {}
        Some(Err(error)) => found.push(Finding::Server(error.to_string())),
    }
    found
}

fn about_tokens(tokens: TokenPlace) -> Option<Finding> {
    match tokens {
        TokenPlace::Lost(store) => Some(Finding::TokensLost(store)),
        TokenPlace::OutOfReach(_, why) => Some(Finding::TokensOutOfReach(why)),
        TokenPlace::NotGiven => {
            Some(Finding::TokensOutOfReach("they lie in a secret store, and this start was given none".to_owned()))
        }
        _ => None,
    }
}

fn probed(probe: &Probe) -> Vec<Finding> {
    let mut found = Vec::new();
    let skew = probe.clock_skew.num_seconds();
    if skew.abs() > SKEW_LIMIT {
        found.push(Finding::ClockSkew(skew));
    }
    if matches!(probe.cursor, CursorHealth::Expired(_)) {
        found.push(Finding::CursorExpired);
    }
    found
}
