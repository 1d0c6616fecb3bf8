//! Request bodies. Nulls are left out.

use super::{
    kinds,
    text::{microseconds, without_nul},
};
use chrono::Datelike as _;
use fieldpost_domain::{Capabilities, ConversationId, Cursor, MutationId, MutationKind, PersonId, ReportId, Time};
use fieldpost_remote::{
    BootstrapRequest, HistoryRequest, PROTOCOL, PullRequest, PushRequest, RemoteError, RemoteErrorKind, RemoteResult,
    ReportsRequest, SearchRequest, client_capabilities,
};
use serde::Serialize;
use std::borrow::Cow;

/// The common arguments of every function, and its own.
#[derive(Serialize)]
struct Arguments<'a, T> {
    p_protocol: u32,
    p_app: Cow<'a, str>,
    p_capabilities: Capabilities,
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
    p_bytes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_messages: Option<u32>,
}

#[derive(Serialize)]
struct Pull<'a> {
    p_cursor: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_bytes: Option<u32>,
}

#[derive(Serialize)]
struct History {
    p_conversation: ConversationId,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_before_seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_bytes: Option<u32>,
}

#[derive(Serialize)]
struct Search<'a> {
    p_terms: Vec<SearchTerm<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_conversation: Option<ConversationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_sender: Option<PersonId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_kind: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_since: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_until: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_after: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_bytes: Option<u32>,
}

#[derive(Serialize)]
struct SearchTerm<'a> {
    words: &'a [String],
    open: bool,
}

#[derive(Serialize)]
struct Moment(#[serde(serialize_with = "microseconds")] Time);

impl Moment {
    /// A time that every server reads. One outside is left out: the client looks at what it gets.
    fn of(time: Time) -> Option<Self> {
        (2000..=9999).contains(&time.year()).then_some(Self(time))
    }
}

#[derive(Serialize)]
struct Reports<'a> {
    p_all: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_after: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_limit: Option<u32>,
}

#[derive(Serialize)]
struct ResolveReport {
    p_report: ReportId,
}

#[derive(Serialize)]
struct Push<'a, T> {
    p_mutations: Vec<Element<T>>,
    /// Only a server with [`fieldpost_domain::Capability::QuietPush`] knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    p_cursor: Option<&'a str>,
}

#[derive(Serialize)]
struct Element<T> {
    id: MutationId,
    kind: MutationKind,
    #[serde(flatten)]
    fields: T,
}

/// The body of `fieldpost_bootstrap`.
pub(crate) fn bootstrap(operation: &'static str, app: &str, request: &BootstrapRequest) -> RemoteResult<Vec<u8>> {
    let p_after = request.after.as_ref().map(fieldpost_domain::Continuation::as_str);
    arguments(
        operation,
        app,
        Bootstrap { p_after, p_limit: request.limit, p_bytes: request.bytes, p_messages: request.messages },
    )
}

/// The body of `fieldpost_pull`.
pub(crate) fn pull(operation: &'static str, app: &str, request: &PullRequest) -> RemoteResult<Vec<u8>> {
    arguments(
        operation,
        app,
        Pull { p_cursor: request.cursor.as_str(), p_limit: request.limit, p_bytes: request.bytes },
    )
}

/// The body of `fieldpost_history`.
pub(crate) fn history(operation: &'static str, app: &str, request: HistoryRequest) -> RemoteResult<Vec<u8>> {
    let p_before_seq = request.before.map(fieldpost_domain::Seq::get);
    arguments(
        operation,
        app,
        History {
            p_conversation: request.conversation_id,
            p_before_seq,
            p_limit: request.limit,
            p_bytes: request.bytes,
        },
    )
}

/// The body of `fieldpost_search`.
pub(crate) fn search(operation: &'static str, app: &str, request: &SearchRequest) -> RemoteResult<Vec<u8>> {
    arguments(
        operation,
        app,
        Search {
            p_terms: request.terms.iter().map(|term| SearchTerm { words: &term.words, open: term.open }).collect(),
            p_conversation: request.conversation_id,
            p_sender: request.sender_id,
            p_kind: request.kind.as_ref().map(|kind| without_nul(kind.as_str())),
            p_since: request.since.and_then(Moment::of),
            p_until: request.until.and_then(Moment::of),
            p_after: request.after.as_ref().map(fieldpost_domain::Continuation::as_str),
            p_limit: request.limit,
            p_bytes: request.bytes,
        },
    )
}

/// The body of `fieldpost_reports`.
pub(crate) fn reports(operation: &'static str, app: &str, request: &ReportsRequest) -> RemoteResult<Vec<u8>> {
    let p_after = request.after.as_ref().map(fieldpost_domain::Continuation::as_str);
    arguments(operation, app, Reports { p_all: request.all, p_after, p_limit: request.limit })
}

/// The body of `fieldpost_resolve_report`.
pub(crate) fn resolve_report(operation: &'static str, app: &str, p_report: ReportId) -> RemoteResult<Vec<u8>> {
    arguments(operation, app, ResolveReport { p_report })
}

/// The body of `fieldpost_push`.
pub(crate) fn push(operation: &'static str, app: &str, request: &PushRequest) -> RemoteResult<Vec<u8>> {
    let p_mutations = request.mutations.iter().map(|mutation| Element {
        id: mutation.id,
        kind: mutation.intent.kind(),
        fields: kinds::fields(&mutation.intent),
    });
    arguments(
        operation,
        app,
        Push { p_mutations: p_mutations.collect(), p_cursor: request.cursor.as_ref().map(Cursor::as_str) },
    )
}

pub(super) fn arguments(operation: &'static str, app: &str, own: impl Serialize) -> RemoteResult<Vec<u8>> {
    json(
        operation,
        &Arguments { p_protocol: PROTOCOL, p_app: without_nul(app), p_capabilities: client_capabilities(), own },
    )
}

/// Serialises a body. It cannot fail for what this crate sends; if it did, the request would be at fault.
pub(crate) fn json(operation: &'static str, body: &impl Serialize) -> RemoteResult<Vec<u8>> {
    serde_json::to_vec(body).map_err(|_| RemoteError::new(RemoteErrorKind::BadRequest, operation))
}
