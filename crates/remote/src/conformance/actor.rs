//! A signed-in person and her actions: the verbs of the stories.

use super::{Backend, Member, fresh};
use crate::{BootstrapRequest, HistoryRequest, PullRequest, PushRequest, RemoteErrorKind, RemoteResult, SearchRequest};
use chrono::{TimeZone, Utc};
use fieldpost_domain::{
    AccessToken, Acknowledgement, BootstrapPage, Changes, Conversation, ConversationDigest, ConversationId, Cursor,
    FoundPage, HistoryPage, Intent, MarkRead, MedicId, Message, MessageAck, MessageContent, MessageId, MessageKind,
    Mutation, NewMessage, OpenBroadcast, OpenDirect, OrgId, PersonId, PullPage, PushOutcome, ReadMarker, RefusalCode,
    Seq, Session, Time,
};

/// A signed-in person.
pub struct Actor<'b> {
    backend: &'b dyn Backend,
    /// Her id.
    pub id: PersonId,
    /// Her session at sign-in.
    pub session: Session,
}

/// Everything that a pass fetched.
pub struct Caught {
    /// The rows of all pages, in order.
    pub changes: Changes,
    /// Where the next pass starts.
    pub cursor: Cursor,
    /// The number of pages.
    pub pages: usize,
    /// The digest of the last page.
    pub digest: Option<ConversationDigest>,
}

impl<'b> Actor<'b> {
    /// Signs a member in.
    pub async fn sign_in(backend: &'b dyn Backend, member: &Member) -> Self {
        let session = backend.auth().sign_in(&member.credentials).await.expect("a member can sign in");
        Self { backend, id: member.person_id, session }
    }

    /// The access token of her session.
    #[must_use]
    pub const fn token(&self) -> &AccessToken {
        &self.session.access_token
    }

    /// The first page of a bootstrap with the server's defaults.
    pub async fn bootstrap(&self) -> BootstrapPage {
        self.bootstrap_with(BootstrapRequest::default()).await.expect("a member can bootstrap")
    }

    /// One page of a bootstrap.
    pub async fn bootstrap_with(&self, request: BootstrapRequest) -> RemoteResult<BootstrapPage> {
        self.backend.api().bootstrap(self.token(), request).await
    }

    /// All pages of a bootstrap.
    pub async fn bootstrap_pages(&self, limit: Option<u32>, messages: Option<u32>) -> Vec<BootstrapPage> {
        let mut pages: Vec<BootstrapPage> = Vec::new();
        loop {
            assert!(pages.len() < 500, "a bootstrap must come to an end");
            let after = pages.last().and_then(|page| page.next_after.clone());
            let page = self
                .bootstrap_with(BootstrapRequest { after, limit, messages, bytes: None })
                .await
                .expect("the next page");
            let last = page.next_after.is_none();
            pages.push(page);
            if last {
                return pages;
            }
        }
    }

    /// Her current position: her next pull brings what is committed from here on.
    pub async fn cursor(&self) -> Cursor {
        let request = BootstrapRequest { messages: Some(0), ..BootstrapRequest::default() };
        let start = self.bootstrap_with(request).await.expect("a member can bootstrap").cursor;
        self.catch_up(&start).await.cursor
    }

    /// One page of changes.
    pub async fn pull(&self, cursor: &Cursor, limit: Option<u32>) -> RemoteResult<PullPage> {
        self.backend.api().pull(self.token(), PullRequest { cursor: cursor.clone(), limit, bytes: None }).await
    }

    /// A whole pass.
    pub async fn catch_up(&self, cursor: &Cursor) -> Caught {
        self.catch_up_by(cursor, None).await
    }

    /// A whole pass in pages of the given size.
    pub async fn catch_up_by(&self, cursor: &Cursor, limit: Option<u32>) -> Caught {
        let mut caught = Caught { changes: Changes::default(), cursor: cursor.clone(), pages: 0, digest: None };
        loop {
            assert!(caught.pages < 2000, "a pass must come to an end");
            let page = self.pull(&caught.cursor, limit).await.expect("a page of changes");
            assert_eq!(page.digest.is_some(), !page.more, "the digest comes when there is no more");
            caught.cursor = page.cursor;
            caught.pages += 1;
            caught.digest = page.digest;
            append(&mut caught.changes, page.changes);
            if !page.more {
                return caught;
            }
        }
    }

    /// A page of older messages.
    pub async fn history(
        &self,
        conversation_id: ConversationId,
        before: Option<u64>,
        limit: Option<u32>,
    ) -> RemoteResult<HistoryPage> {
        let request = HistoryRequest { conversation_id, before: before.map(Seq::new), limit, bytes: None };
        self.backend.api().history(self.token(), request).await
    }

    /// A page of what the server finds in its history.
    pub async fn search(&self, request: SearchRequest) -> RemoteResult<FoundPage> {
        self.backend.api().search(self.token(), request).await
    }

    /// Sends a batch and returns one outcome per mutation, in order and with its id.
    pub async fn push(&self, mutations: &[Mutation]) -> Vec<PushOutcome> {
        self.push_since(mutations, None).await.0
    }

    /// The same with the position of the device; the second part of the answer is the cursor if it is quiet.
    pub async fn push_since(
        &self,
        mutations: &[Mutation],
        cursor: Option<&Cursor>,
    ) -> (Vec<PushOutcome>, Option<Cursor>) {
        let request = PushRequest { mutations: mutations.to_vec(), cursor: cursor.cloned() };
        let answer = self.backend.api().push(self.token(), &request).await.expect("an answer to a push");
        let (asked, answered): (Vec<_>, Vec<_>) =
            (mutations.iter().map(|m| m.id).collect(), answer.results.iter().map(|r| r.mutation_id).collect());
        assert_eq!(asked, answered, "one result per mutation, in order, under the same id");
        (answer.results.into_iter().map(|result| result.outcome).collect(), answer.quiet)
    }

    /// Sends one mutation.
    pub async fn push_one(&self, intent: Intent) -> PushOutcome {
        self.push(&[mutation(intent)]).await.remove(0)
    }

    /// A message to send.
    #[must_use]
    pub fn draft(&self, conversation_id: ConversationId, text: &str) -> NewMessage {
        NewMessage {
            id: fresh::message_id(),
            conversation_id,
            sender_id: self.id,
            kind: MessageKind::Text,
            content: MessageContent::new(text).expect("a text that can be sent"),
            metadata: None,
            reply_to: None,
            mentions: fieldpost_domain::Mentions::new(),
            composed_at: composed_at(),
        }
    }

    /// Sends messages in one batch. Each must be applied.
    pub async fn say_all(&self, conversation: ConversationId, texts: &[&str]) -> Vec<MessageAck> {
        let batch: Vec<_> = texts.iter().map(|text| send(self.draft(conversation, text))).collect();
        self.push(&batch).await.into_iter().map(|outcome| sent(&outcome)).collect()
    }

    /// Sends a message. It must be applied.
    pub async fn say(&self, conversation: ConversationId, text: &str) -> MessageAck {
        self.say_all(conversation, &[text]).await.remove(0)
    }

    /// Opens her own direct conversation, as a medic.
    pub async fn open_own(&self) -> Conversation {
        let conversation_id = fresh::conversation_id();
        opened(&self.push_one(Intent::OpenDirect(OpenDirect { conversation_id, medic_id: None, org_id: None })).await)
    }

    /// Opens the direct conversation of a medic, as an admin.
    pub async fn open_with(&self, medic: MedicId, org: OrgId) -> Conversation {
        let (conversation_id, medic_id, org_id) = (fresh::conversation_id(), Some(medic), Some(org));
        opened(&self.push_one(Intent::OpenDirect(OpenDirect { conversation_id, medic_id, org_id })).await)
    }

    /// Opens the broadcast of an org, as an admin.
    pub async fn open_broadcast(&self, org_id: OrgId, subject: &str) -> Conversation {
        let conversation_id = fresh::conversation_id();
        opened(
            &self
                .push_one(Intent::OpenBroadcast(OpenBroadcast {
                    conversation_id,
                    org_id,
                    subject: Some(subject.to_owned()),
                }))
                .await,
        )
    }

    /// Marks a conversation as read up to a seq.
    pub async fn mark(&self, conversation_id: ConversationId, read_seq: u64) -> ReadMarker {
        match self.push_one(Intent::MarkRead(MarkRead { conversation_id, read_seq: Seq::new(read_seq) })).await {
            PushOutcome::Acknowledged(Acknowledgement::Marked(marker)) => marker,
            other => panic!("expected a marker, got {other:?}"),
        }
    }
}

/// Appends a page's rows.
fn append(all: &mut Changes, mut page: Changes) {
    assert_eq!(page.unreadable, [], "every row can be read");
    all.people.append(&mut page.people);
    all.conversations.append(&mut page.conversations);
    all.messages.append(&mut page.messages);
    all.read_markers.append(&mut page.read_markers);
    all.settings.append(&mut page.settings);
    all.reactions.append(&mut page.reactions);
    all.tombstones.append(&mut page.tombstones);
    all.access.append(&mut page.access);
    all.covered.append(&mut page.covered);
}

/// A mutation with a fresh id.
pub(super) fn mutation(intent: Intent) -> Mutation {
    Mutation { id: fresh::mutation_id(), intent }
}

/// The mutation that sends a message.
pub(super) fn send(message: NewMessage) -> Mutation {
    mutation(Intent::SendMessage(message))
}

/// The acknowledgement of a message that was applied now.
pub(super) fn sent(outcome: &PushOutcome) -> MessageAck {
    match outcome {
        PushOutcome::Acknowledged(Acknowledgement::Sent(ack)) => ack.clone(),
        other => panic!("expected an applied message, got {other:?}"),
    }
}

/// The row of a message that an earlier attempt stored.
pub(super) fn already_sent(outcome: &PushOutcome) -> Message {
    match outcome {
        PushOutcome::Acknowledged(Acknowledgement::Stored(message)) => (**message).clone(),
        other => panic!("expected a duplicate, got {other:?}"),
    }
}

/// The conversation that was opened.
pub(super) fn opened(outcome: &PushOutcome) -> Conversation {
    match outcome {
        PushOutcome::Acknowledged(Acknowledgement::Opened(conversation)) => (**conversation).clone(),
        other => panic!("expected an open conversation, got {other:?}"),
    }
}

/// The code of a refusal.
pub(super) fn refused(outcome: &PushOutcome) -> RefusalCode {
    match outcome {
        PushOutcome::Rejected(refusal) => refusal.code.clone(),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// The kind of a failure.
pub(super) fn failure<T>(result: RemoteResult<T>) -> RemoteErrorKind {
    match result {
        Ok(_) => panic!("expected a failure"),
        Err(error) => error.kind(),
    }
}

/// A time from a phone's clock, with microseconds.
pub(super) fn composed_at() -> Time {
    Utc.timestamp_micros(1_767_225_600_123_456).single().expect("a moment")
}

/// The ids of some messages.
pub(super) fn ids(messages: &[Message]) -> Vec<MessageId> {
    messages.iter().map(|message| message.id).collect()
}

/// The seqs of some messages.
pub(super) fn seqs(messages: &[Message]) -> Vec<u64> {
    messages.iter().map(|message| message.seq.get()).collect()
}
