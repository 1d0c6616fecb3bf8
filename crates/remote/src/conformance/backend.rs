//! What the suite needs of a backend.

use crate::{Auth, Credentials, MessagingApi};
use async_trait::async_trait;
use fieldpost_domain::{ConversationId, MedicId, MessageId, OrgId, PersonId, RetryCode, Role};
use serde::Serialize;
use std::time::Duration;

/// An implementation of the contract together with the server behind it.
#[async_trait]
pub trait Backend: Send + Sync {
    /// The calls under test.
    fn api(&self) -> &dyn MessagingApi;

    /// Signing in, under test too.
    fn auth(&self) -> &dyn Auth;

    /// Makes an org with one admin and so many medics, all with accounts and distinct names, and no conversations.
    async fn new_world(&self, medics: usize) -> World;

    /// Does something to the server behind the contract's back. What it does is committed when this returns.
    async fn perform(&self, action: Action) -> Verdict;
}

/// An org made for one test.
#[derive(Debug, Clone)]
pub struct World {
    /// The org.
    pub org_id: OrgId,
    /// Its one admin.
    pub admin: Member,
    /// Its medics.
    pub medics: Vec<Member>,
}

/// Somebody with an account.
#[derive(Debug, Clone)]
pub struct Member {
    /// What she signs in with.
    pub credentials: Credentials,
    /// The user.
    pub person_id: PersonId,
    /// Her row in the roster; none for an admin.
    pub medic_id: Option<MedicId>,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
}

/// What an operator or a stranger's client does. It has a JSON form, for backends that hand it to a script.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// A client inserts a row into `messages` itself, as the sender, through PostgREST or SQL. The id is free.
    InsertMessage {
        /// The primary key.
        id: MessageId,
        /// Where.
        conversation_id: ConversationId,
        /// The `sender_id`.
        sender_id: PersonId,
        /// The text.
        content: String,
        /// `idempotency_key` in the metadata, as an older version of the app leaves it.
        #[serde(skip_serializing_if = "Option::is_none")]
        idempotency_key: Option<MessageId>,
    },
    /// The text of a message is changed.
    EditMessage {
        /// Which.
        id: MessageId,
        /// The new text.
        content: String,
    },
    /// `deleted_at` of a message is set.
    SoftDelete {
        /// Which.
        id: MessageId,
    },
    /// A row of `messages` is deleted.
    HardDelete {
        /// Which.
        id: MessageId,
    },
    /// A row of `conversations` is deleted.
    DeleteConversation {
        /// Which.
        id: ConversationId,
    },
    /// `medic_id` of a conversation is changed.
    ReassignMedic {
        /// Which.
        id: ConversationId,
        /// To whom.
        medic_id: MedicId,
    },
    /// Somebody's membership ends; the account stays.
    RemoveMember {
        /// Who.
        person_id: PersonId,
    },
    /// Somebody's role changes.
    ChangeRole {
        /// Who.
        person_id: PersonId,
        /// To what.
        role: Role,
    },
    /// Somebody's access tokens run out; her refresh tokens stay good.
    ExpireTokens {
        /// Whose.
        person_id: PersonId,
    },
    /// Adds so many medics without an account, each with a direct conversation opened by `sender_id`, who has written so
    /// many messages in each.
    SeedConversations {
        /// The org.
        org_id: OrgId,
        /// An admin of it.
        sender_id: PersonId,
        /// How many conversations.
        count: usize,
        /// How many messages in each.
        messages_each: usize,
    },
    /// A new epoch begins.
    ChangeEpoch,
    /// The server's clock moves forward. Only what GoTrue measures in seconds depends on it.
    AdvanceClock {
        /// By how much.
        by: Duration,
    },
    /// The next mutation of a conversation is answered with `retry`.
    RetryNext {
        /// Which conversation.
        conversation_id: ConversationId,
        /// With what code.
        code: RetryCode,
    },
}

/// What a backend cannot do, as the end of "this backend cannot …".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsupported(pub &'static str);

/// How an action or a test went: done, or not possible here. A failure is a panic.
pub type Verdict = Result<(), Unsupported>;
