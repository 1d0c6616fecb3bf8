//! What the suite needs from a backend.

use crate::{Auth, Credentials, LiveHints, MessagingApi};
use async_trait::async_trait;
use fieldpost_domain::{ConversationId, MedicId, MessageId, OrgId, PersonId, RetryCode, Role};
use serde::Serialize;
use std::time::Duration;

/// An implementation of the contract and the server behind it.
#[async_trait]
pub trait Backend: Send + Sync {
    /// The calls under test.
    fn api(&self) -> &dyn MessagingApi;

    /// Sessions, under test too.
    fn auth(&self) -> &dyn Auth;

    /// Live hints; none if this backend has no server that sends them.
    fn live(&self) -> Option<&dyn LiveHints> {
        None
    }

    /// Creates an org with one admin, `medics` medics and no conversations. All have accounts and distinct names.
    async fn new_world(&self, medics: usize) -> World;

    /// Changes the server without going through the contract. The change is committed when this returns.
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
    /// Her address and password.
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

/// An action of an operator or of a third-party client. It has a JSON form, for backends that pass it to a script.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// A client inserts a row into `messages` itself, as the sender, through PostgREST or SQL. No other row has the id.
    InsertMessage {
        /// The primary key.
        id: MessageId,
        /// The conversation.
        conversation_id: ConversationId,
        /// The `sender_id`.
        sender_id: PersonId,
        /// The text.
        content: String,
        /// `idempotency_key` in the metadata, as an older version of the app writes it.
        #[serde(skip_serializing_if = "Option::is_none")]
        idempotency_key: Option<MessageId>,
    },
    /// Changes the text of a message.
    EditMessage {
        /// The message.
        id: MessageId,
        /// The new text.
        content: String,
    },
    /// Sets `deleted_at` of a message.
    SoftDelete {
        /// The message.
        id: MessageId,
    },
    /// A client sets or takes back a reaction itself, by the table.
    React {
        /// The message.
        id: MessageId,
        /// The person.
        person_id: PersonId,
        /// The emoji.
        emoji: String,
        /// Whether it is taken back.
        removed: bool,
    },
    /// Deletes a row of `messages`.
    HardDelete {
        /// The message.
        id: MessageId,
    },
    /// Deletes a row of `conversations`.
    DeleteConversation {
        /// The conversation.
        id: ConversationId,
    },
    /// Changes `medic_id` of a conversation.
    ReassignMedic {
        /// The conversation.
        id: ConversationId,
        /// The new medic.
        medic_id: MedicId,
    },
    /// Ends a membership; the account stays.
    RemoveMember {
        /// The person.
        person_id: PersonId,
    },
    /// Changes a role.
    ChangeRole {
        /// The person.
        person_id: PersonId,
        /// The new role.
        role: Role,
    },
    /// Expires a person's access tokens; her refresh tokens stay valid.
    ExpireTokens {
        /// The person.
        person_id: PersonId,
    },
    /// Adds `count` medics without an account, each with a direct conversation. `sender_id` opens it and writes
    /// `messages_each` messages in it.
    SeedConversations {
        /// The org.
        org_id: OrgId,
        /// An admin of the org.
        sender_id: PersonId,
        /// The number of conversations.
        count: usize,
        /// The number of messages in each.
        messages_each: usize,
    },
    /// Starts a new epoch.
    ChangeEpoch,
    /// Moves the server's clock forward. Only what GoTrue measures in seconds depends on it.
    AdvanceClock {
        /// By how much.
        by: Duration,
    },
    /// Makes the server answer the next mutation of a conversation with `retry`.
    RetryNext {
        /// The conversation.
        conversation_id: ConversationId,
        /// The code.
        code: RetryCode,
    },
}

/// Something that a backend cannot do. The text completes "this backend cannot …".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsupported(pub &'static str);

/// The result of an action or a test: done, or not possible on this backend. A failure is a panic.
pub type Verdict = Result<(), Unsupported>;
