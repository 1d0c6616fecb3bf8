//! The envelope of every response, and all fields that a response can have besides it.
//!
//! There is one struct for all functions but those of records. Each function returns a subset of its fields, and the code that builds
//! the page checks the fields it needs ([`super::page`], [`super::result`]).

use super::{
    list::{Careful, Fast, Reading},
    object::{Dropped, object},
    report::ReportRow,
    result_row::ResultRow,
    row::{
        AccessRow, ConversationRow, MessageRow, PersonRow, RangeRow, ReactionRow, ReadMarkerRow, SettingsRow,
        TombstoneRow,
    },
    scalar::{Number, Stamp},
};
use crate::{error::refusal, http::Reply};
use fieldpost_domain::{Capability, Changes, Conversation, MessageReport, Person, ServerInfo, ServerLimits, Transfer};
use fieldpost_remote::{PROTOCOL, RemoteError, RemoteErrorKind, RemoteResult};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

object!(
    /// Every field of every response.
    Answer<R: Reading>, rest: Dropped {
        protocol: Number,
        min_protocol: Number,
        sql_version: Value,
        capabilities: Value,
        limits: Value,
        server_time: Stamp,
        error: Refusal,
        me: R::Slot<PersonRow>,
        total_conversations: Number,
        people: Vec<R::Slot<PersonRow>>,
        conversation: R::Slot<ConversationRow>,
        conversations: Vec<R::Slot<ConversationRow>>,
        messages: Vec<R::Slot<MessageRow>>,
        read_markers: Vec<R::Slot<ReadMarkerRow>>,
        reactions: Vec<R::Slot<ReactionRow>>,
        settings: Vec<R::Slot<SettingsRow>>,
        tombstones: Vec<R::Slot<TombstoneRow>>,
        access: Vec<R::Slot<AccessRow>>,
        ranges: Vec<R::Slot<RangeRow>>,
        cursor: String,
        next_after: String,
        epoch: String,
        more: bool,
        digest: Value,
        from_seq: Number,
        to_seq: Number,
        complete: bool,
        results: Vec<ResultRow>,
        quiet: Value,
        reports: Vec<R::Slot<ReportRow>>,
        report: R::Slot<ReportRow>,
    }
);

object!(
    /// `error`.
    Refusal, rest: Dropped {
        code: String,
        detail: String,
    }
);

/// A successful response, with its rows.
pub(crate) struct Read {
    pub(crate) transfer: Transfer,
    pub(crate) limits: ServerLimits,
    pub(crate) server: ServerInfo,
    pub(crate) server_time: Option<Stamp>,
    pub(crate) me: Option<Person>,
    pub(crate) conversation: Option<Conversation>,
    pub(crate) changes: Changes,
    pub(crate) total_conversations: Option<Number>,
    pub(crate) cursor: Option<String>,
    pub(crate) next_after: Option<String>,
    pub(crate) epoch: Option<String>,
    pub(crate) more: Option<bool>,
    pub(crate) digest: Option<Value>,
    pub(crate) from_seq: Option<Number>,
    pub(crate) to_seq: Option<Number>,
    pub(crate) complete: Option<bool>,
    pub(crate) results: Option<Vec<ResultRow>>,
    pub(crate) quiet: Option<Value>,
    pub(crate) reports: Vec<MessageReport>,
    pub(crate) report: Option<MessageReport>,
}

/// Reads a 2xx response.
pub(crate) fn read(operation: &'static str, reply: &Reply) -> RemoteResult<Read> {
    let text = text(operation, reply)?;
    let read = match serde_json::from_str::<Answer<Fast>>(text) {
        Ok(answer) => take(operation, answer),
        Err(_) => take(operation, read_carefully::<Answer<Careful>>(operation, text)?),
    }?;
    let transfer = transfer(text, reply);
    Ok(Read { transfer, ..read })
}

/// What a call cost.
pub(super) fn transfer(text: &str, reply: &Reply) -> Transfer {
    Transfer { bytes: u32::try_from(text.len()).unwrap_or(u32::MAX), took: reply.took }
}

/// The text of a 2xx response, if it can be one of the protocol.
pub(super) fn text<'r>(operation: &'static str, reply: &'r Reply) -> RemoteResult<&'r str> {
    let not_fieldpost = |what| RemoteError::new(RemoteErrorKind::NotFieldpost, operation).with_detail(what);
    if reply.html {
        let intercepted = RemoteError::new(RemoteErrorKind::Intercepted, operation);
        return Err(intercepted.with_detail("a web page instead of an answer"));
    }
    let text = std::str::from_utf8(&reply.body).map_err(|_| malformed(operation, "not UTF-8"))?;
    if !reply.json && !text.trim_start().starts_with('{') {
        return Err(not_fieldpost("not JSON"));
    }
    Ok(text)
}

/// Reads a response of which a row cannot be read, or says where it is no JSON.
pub(super) fn read_carefully<T: DeserializeOwned>(operation: &'static str, text: &str) -> RemoteResult<T> {
    // serde's syntax errors name positions and no content.
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| malformed(operation, error.to_string()))?;
    if !text.trim_start().starts_with('{') {
        return Err(malformed(operation, "not an object"));
    }
    serde_json::from_str(text).map_err(|error| malformed(operation, error.to_string()))
}

fn take<R: Reading>(operation: &'static str, answer: Answer<R>) -> RemoteResult<Read> {
    check(operation, answer.error.as_ref(), [answer.protocol, answer.min_protocol])?;
    let mut unreadable = Vec::new();
    let me = answer.me.map(|slot| R::take::<PersonRow>(slot, "me", &mut unreadable));
    if me == Some(None) {
        return Err(malformed(operation, "me: cannot be read"));
    }
    let conversation =
        answer.conversation.and_then(|slot| R::take::<ConversationRow>(slot, "conversation", &mut unreadable));
    let bad = &mut unreadable;
    let reports = R::rows::<ReportRow>(answer.reports, "reports", bad);
    let report = answer.report.and_then(|slot| R::take::<ReportRow>(slot, "report", bad));
    let mut changes = Changes {
        people: R::rows::<PersonRow>(answer.people, "people", bad),
        conversations: R::rows::<ConversationRow>(answer.conversations, "conversations", bad),
        messages: R::rows::<MessageRow>(answer.messages, "messages", bad),
        read_markers: R::rows::<ReadMarkerRow>(answer.read_markers, "read_markers", bad),
        reactions: R::rows::<ReactionRow>(answer.reactions, "reactions", bad),
        settings: R::rows::<SettingsRow>(answer.settings, "settings", bad),
        tombstones: R::rows::<TombstoneRow>(answer.tombstones, "tombstones", bad),
        access: R::rows::<AccessRow>(answer.access, "access", bad),
        covered: R::rows::<RangeRow>(answer.ranges, "ranges", bad),
        unreadable: Vec::new(),
    };
    changes.unreadable = unreadable;
    Ok(Read {
        transfer: Transfer::default(),
        limits: limits(answer.limits.as_ref()),
        server: server(answer.sql_version.as_ref(), answer.capabilities.as_ref()),
        server_time: answer.server_time,
        me: me.flatten(),
        conversation,
        changes,
        total_conversations: answer.total_conversations,
        cursor: answer.cursor,
        next_after: answer.next_after,
        epoch: answer.epoch,
        more: answer.more,
        digest: answer.digest,
        from_seq: answer.from_seq,
        to_seq: answer.to_seq,
        complete: answer.complete,
        results: answer.results,
        quiet: answer.quiet,
        reports,
        report,
    })
}

/// Checks that it is a response of the protocol, readable by this version, and not a refusal.
pub(super) fn check(
    operation: &'static str,
    error: Option<&Refusal>,
    [protocol, min_protocol]: [Option<Number>; 2],
) -> RemoteResult<()> {
    if let Some(error) = error {
        let code = error.code.as_deref().unwrap_or("refused without a code");
        return Err(refusal::classify(operation, code, error.detail.as_deref()));
    }
    let Some(protocol) = protocol else {
        return Err(
            RemoteError::new(RemoteErrorKind::NotFieldpost, operation).with_detail("JSON, but not of the protocol")
        );
    };
    // Normally the refusal comes first. Without it, the rows may mean something else in the newer protocol.
    match min_protocol {
        Some(Number(oldest)) if oldest > u64::from(PROTOCOL) => {
            Err(RemoteError::new(RemoteErrorKind::ClientTooOld, operation)
                .with_detail(format!("it serves protocol {oldest} to {}", protocol.0)))
        }
        _ => Ok(()),
    }
}

/// Reads each limit on its own: one that is absent, zero or not a number becomes the protocol's default.
pub(super) fn limits(stated: Option<&Value>) -> ServerLimits {
    let protocol = ServerLimits::default();
    let limit = |name: &str, default: u32| {
        let number = stated.and_then(|limits| limits.get(name)).and_then(Value::as_u64);
        number.and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0).unwrap_or(default)
    };
    ServerLimits {
        push_rows: limit("push_rows", protocol.push_rows),
        push_bytes: limit("push_bytes", protocol.push_bytes),
        page_rows: limit("page_rows", protocol.page_rows),
        page_bytes: limit("page_bytes", protocol.page_bytes),
        content_chars: limit("content_chars", protocol.content_chars),
        metadata_bytes: limit("metadata_bytes", protocol.metadata_bytes),
        metadata_depth: limit("metadata_depth", protocol.metadata_depth),
        subject_chars: limit("subject_chars", protocol.subject_chars),
    }
}

/// The first version of the SQL does not send its version.
fn server(sql_version: Option<&Value>, capabilities: Option<&Value>) -> ServerInfo {
    let stated = sql_version.and_then(Value::as_u64).and_then(|version| u32::try_from(version).ok());
    let names = capabilities.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    ServerInfo { sql_version: Some(stated.unwrap_or(1)), capabilities: names.map(Capability::from).collect() }
}

/// The response breaks the protocol.
pub(crate) fn malformed(operation: &'static str, what: impl Into<String>) -> RemoteError {
    RemoteError::new(RemoteErrorKind::Malformed, operation).with_detail(what)
}
