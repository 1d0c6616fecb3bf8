//! What is sent. Nulls are left out; times have microseconds and end in `Z`.
//!
//! U+0000 anywhere makes PostgreSQL refuse the whole call. Content and metadata cannot have it by their types; the texts
//! without such a type lose it here, so that one of them cannot hold up everything else in the outbox.

use chrono::SecondsFormat;
use fieldpost_domain::{
    ConversationId, Intent, MarkRead, MedicId, MessageId, MessageKind, Metadata, Mutation, MutationId, OpenBroadcast,
    OpenDirect, OrgId, Time,
};
use fieldpost_remote::{
    BootstrapRequest, HistoryRequest, PROTOCOL, PullRequest, RemoteError, RemoteErrorKind, RemoteResult,
};
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// What this client can do beyond protocol 1.
const CAPABILITIES: [&str; 2] = ["set_digest", "ranges"];

/// The arguments that every function takes, and its own.
#[derive(Serialize)]
struct Arguments<'a, T> {
    p_protocol: u32,
    p_app: Cow<'a, str>,
    p_capabilities: [&'static str; 2],
    #[serde(flatten)]
    own: T,
}

#[derive(Serialize)]
struct Bootstrap<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    p_after: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_messages: Option<u32>,
}

#[derive(Serialize)]
struct Pull<'a> {
    p_cursor: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_limit: Option<u32>,
}

#[derive(Serialize)]
struct History {
    p_conversation: ConversationId,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_before_seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_limit: Option<u32>,
}

#[derive(Serialize)]
struct Push<'a> {
    p_mutations: Vec<Element<'a>>,
}

#[derive(Serialize)]
struct Element<'a> {
    id: MutationId,
    #[serde(flatten)]
    change: Change<'a>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Change<'a> {
    SendMessage {
        conversation_id: ConversationId,
        message_id: MessageId,
        message_type: &'a MessageKind,
        content: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        metadata: Option<&'a Metadata>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reply_to: Option<MessageId>,
        #[serde(serialize_with = "microseconds")]
        composed_at: Time,
    },
    OpenDirect {
        conversation_id: ConversationId,
        #[serde(skip_serializing_if = "Option::is_none")]
        medic_id: Option<MedicId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        org_id: Option<OrgId>,
    },
    OpenBroadcast {
        conversation_id: ConversationId,
        org_id: OrgId,
        #[serde(skip_serializing_if = "Option::is_none")]
        subject: Option<Cow<'a, str>>,
    },
    MarkRead {
        conversation_id: ConversationId,
        read_seq: u64,
    },
}

impl<'a> From<&'a Intent> for Change<'a> {
    fn from(intent: &'a Intent) -> Self {
        match *intent {
            Intent::SendMessage(ref message) => Self::SendMessage {
                conversation_id: message.conversation_id,
                message_id: message.id,
                message_type: &message.kind,
                content: message.content.as_str(),
                metadata: message.metadata.as_ref(),
                reply_to: message.reply_to,
                composed_at: message.composed_at,
            },
            Intent::OpenDirect(OpenDirect { conversation_id, medic_id, org_id }) => {
                Self::OpenDirect { conversation_id, medic_id, org_id }
            }
            Intent::OpenBroadcast(OpenBroadcast { conversation_id, org_id, ref subject }) => {
                Self::OpenBroadcast { conversation_id, org_id, subject: subject.as_deref().map(without_nul) }
            }
            Intent::MarkRead(MarkRead { conversation_id, read_seq }) => {
                Self::MarkRead { conversation_id, read_seq: read_seq.get() }
            }
        }
    }
}

fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { Cow::Borrowed(text) }
}

fn microseconds<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// The body of `fieldpost_bootstrap`.
pub(crate) fn bootstrap(operation: &'static str, app: &str, request: &BootstrapRequest) -> RemoteResult<Vec<u8>> {
    let p_after = request.after.as_ref().map(fieldpost_domain::Continuation::as_str);
    arguments(operation, app, Bootstrap { p_after, p_limit: request.limit, p_messages: request.messages })
}

/// The body of `fieldpost_pull`.
pub(crate) fn pull(operation: &'static str, app: &str, request: &PullRequest) -> RemoteResult<Vec<u8>> {
    arguments(operation, app, Pull { p_cursor: request.cursor.as_str(), p_limit: request.limit })
}

/// The body of `fieldpost_history`.
pub(crate) fn history(operation: &'static str, app: &str, request: HistoryRequest) -> RemoteResult<Vec<u8>> {
    let p_before_seq = request.before.map(fieldpost_domain::Seq::get);
    arguments(operation, app, History { p_conversation: request.conversation_id, p_before_seq, p_limit: request.limit })
}

/// The body of `fieldpost_push`.
pub(crate) fn push(operation: &'static str, app: &str, mutations: &[Mutation]) -> RemoteResult<Vec<u8>> {
    let p_mutations =
        mutations.iter().map(|mutation| Element { id: mutation.id, change: (&mutation.intent).into() }).collect();
    arguments(operation, app, Push { p_mutations })
}

fn arguments(operation: &'static str, app: &str, own: impl Serialize) -> RemoteResult<Vec<u8>> {
    json(operation, &Arguments { p_protocol: PROTOCOL, p_app: without_nul(app), p_capabilities: CAPABILITIES, own })
}

/// Nothing that is sent can fail to be JSON; if it did, the request would be at fault.
pub(crate) fn json(operation: &'static str, body: &impl Serialize) -> RemoteResult<Vec<u8>> {
    serde_json::to_vec(body).map_err(|_| RemoteError::new(RemoteErrorKind::BadRequest, operation))
}
