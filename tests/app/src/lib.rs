//! An app with nothing but the SDK and a runtime. It compiles: every type of a public signature can be named.

use fieldpost::{
    AccessToken, Auth, Builder, Client, Clock, ContentError, Conversation, ConversationId, ConversationKind,
    ConversationQuery, ConversationSummary, Credentials, CursorHealth, Delivery, Diagnosis, Direction, Draft, Edge,
    Ends, Entropy, EntryState, Env, Error, Fieldpost, Finding, Health, IdError, Inspection, ItemId, Lane, MedicId,
    MessageContent, MessageId, MessageKind, MessageStatus, MessageSyncStatus, MessagingApi, Metadata, MetadataError,
    MutationId, MutationKind, NaiveDate, NotPossible, Older, Omitted, OmittedReason, OpenAt, OrgId, OsEntropy,
    OutboxCounts, OutboxEntry, OutboxEvent, OutboxRef, Person, PersonId, Probe, Progress, ProvidedToken, Refusal,
    RefusalCode, RemoteError, RemoteErrorKind, Result, Retention, Retry, RetryCode, Rhythm, Role, SentMessage, Seq,
    SeqRange, ServerInfo, Status, StorageError, StorageErrorKind, Store, SyncError, SyncPosition, SyncReport,
    SyncState, SyncStatus, SystemClock, ThreadMessage, ThreadUpdate, ThreadWindow, Time, Timeline, TimelineItem,
    TimelineMessage, TimelineOptions, TimelineUpdate, TokenError, TokenProvider, Updates, Vector, VectorDiff, Window,
    Wipe, Zone,
};
use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::watch;

/// How an app is put together.
///
/// # Errors
/// Those of opening.
pub async fn opened(store: Arc<dyn Store>, env: Env, rhythm: Rhythm, tokens: Arc<dyn TokenProvider>) -> Result<Client> {
    let builder: Builder = Fieldpost::builder().store(store).env(env).rhythm(rhythm).tokens(tokens);
    builder.database(PathBuf::from("unused.db")).send_ttl(Duration::from_secs(60)).local_only().open().await
}

/// A remote of one's own.
pub fn with_remote<R: MessagingApi + Auth + 'static>(builder: Builder, remote: Arc<R>) -> Builder {
    builder.remote(remote)
}

/// What the client answers, by name.
///
/// # Errors
/// The first one.
pub async fn client(client: &Client, medic: MedicId, message: MessageId) -> Result<()> {
    let _: PersonId = client.sign_in("", "").await?;
    let _: Option<Person> = client.me().await?;
    let _: Vec<Person> = client.people().await?;
    let _: SyncReport = client.sync().await?;
    let _: SyncReport = client.trigger_message_sync().await?;
    let _: watch::Receiver<Status> = client.status();
    let _: Vec<ConversationSummary> = client.conversations().await?;
    let _: Conversation = client.open_direct(medic).await?;
    let _: OutboxCounts = client.background(Duration::ZERO).await?;
    let entries: Vec<OutboxEntry> = client.outbox(1).await?;
    let _: Option<SentMessage> = client.sent_message(message).await?;
    let (_, mut lines): (Vector<ConversationSummary>, Updates<Vec<VectorDiff<ConversationSummary>>>) =
        client.watch_conversations(ConversationQuery::default()).await?;
    let _: Option<Result<Vec<VectorDiff<ConversationSummary>>>> = lines.next().await;
    let _: Updates<u64> = client.watch_total_unread();
    let _: Updates<OutboxEvent> = client.watch_outbox();
    let _: Diagnosis = client.diagnose().await?;
    for entry in &entries {
        let _: (MutationId, &MutationKind, &EntryState) = (entry.mutation_id, &entry.kind, &entry.state);
        let _: Vec<OutboxEntry> = client.cancel(OutboxRef::Mutation(entry.mutation_id)).await?;
    }
    let _: Vec<OutboxEntry> = client.sign_out(Wipe::Keep).await?;
    Ok(())
}

/// What the handles answer, by name.
///
/// # Errors
/// The first one.
pub async fn handles(conversation: &Conversation, content: MessageContent, metadata: Metadata) -> Result<()> {
    let _: ConversationId = conversation.id();
    let _: Option<ConversationSummary> = conversation.summary().await?;
    let window: ThreadWindow = conversation.messages(Window::newest(1)).await?;
    let _: ThreadWindow = conversation.load_older(Window::newest(1)).await?;
    let _: Seq = conversation.mark_read(window.last_seq().unwrap_or_default()).await?;
    let (_, _): (ThreadWindow, Updates<ThreadUpdate>) = conversation.watch(Window::newest(1)).await?;
    let sent: SentMessage = conversation.send_draft(Draft::new(content).with_metadata(metadata)).await?;
    let _: (MessageId, &ThreadMessage) = (sent.id(), sent.message());
    let _: Delivery = sent.delivered().await?;
    let _: ThreadMessage = sent.edit("").await?;
    let _: OutboxEntry = sent.retry().await?;
    let _: ThreadMessage = conversation.edit(sent.id(), "").await?;
    Ok(())
}

/// What a timeline answers, by name.
///
/// # Errors
/// The first one.
pub async fn timeline(client: &Client, conversation: &Conversation) -> Result<()> {
    let options = TimelineOptions::default().zone(Zone::by(|_: Time| 0)).open_at(OpenAt::FirstUnread);
    let (timeline, items, mut updates): (Timeline, Vector<TimelineItem>, Updates<TimelineUpdate>) =
        conversation.timeline(options).await?;
    let Ends { older, newer }: Ends = timeline.ends();
    let _: (Edge, Edge) = (older, newer);
    for item in &items {
        let _: ItemId = item.id();
        match item {
            TimelineItem::Day(day) => {
                let _: &NaiveDate = day;
            }
            TimelineItem::Loading(direction) => {
                let _: &Direction = direction;
            }
            TimelineItem::Gap { range, .. } => {
                let _: &SeqRange = range;
            }
            TimelineItem::Message(message) => {
                let _: &TimelineMessage = message;
            }
            _ => {}
        }
    }
    let _: (bool, bool) = (timeline.paginate_backwards().await?, timeline.paginate_forwards().await?);
    let _: Option<Result<TimelineUpdate>> = updates.next().await;
    let _: Retention = Retention::last(1);
    let _: u64 = client.apply_retention().await?;
    Ok(())
}

/// What a message and a line of the list are made of.
pub type Rows = (
    OrgId,
    Role,
    ConversationKind,
    MessageKind,
    MessageStatus,
    Older,
    Option<Omitted>,
    OmittedReason,
    Refusal,
    RefusalCode,
    Time,
);

/// What can go wrong.
pub type Errors = (
    Error,
    ContentError,
    MetadataError,
    IdError,
    NotPossible,
    StorageError,
    StorageErrorKind,
    RemoteError,
    RemoteErrorKind,
    SyncError,
    TokenError,
    Retry,
    RetryCode,
);

/// What is told about syncing.
pub type Told = (
    SyncStatus,
    MessageSyncStatus,
    Health,
    Progress,
    Probe,
    CursorHealth,
    SyncState,
    SyncPosition,
    ServerInfo,
    Finding,
    Lane,
    Inspection,
);

/// Time, chance and sessions of one's own.
pub struct Own;

impl Clock for Own {
    fn now(&self) -> Time {
        SystemClock.now()
    }
}

impl Entropy for Own {
    fn bytes(&self) -> [u8; 10] {
        OsEntropy.bytes()
    }
}

#[fieldpost::async_trait]
impl TokenProvider for Own {
    async fn token(&self, _: Option<&AccessToken>) -> std::result::Result<ProvidedToken, TokenError> {
        Err(TokenError::SignedOut)
    }
}

/// What a remote of one's own is asked with.
#[must_use]
pub fn credentials() -> Credentials {
    Credentials { email: String::new(), password: "".into() }
}

/// What calls may be sent to another thread.
#[expect(clippy::manual_async_fn, reason = "the bound on the future is what this proves")]
pub fn can_be_spawned(client: Client, id: ConversationId) -> impl Future<Output = Result<SentMessage>> + Send {
    async move { client.conversation(id).send("from another thread").await }
}
