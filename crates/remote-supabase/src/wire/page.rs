//! Builds pages from responses.

use super::answer::{Read, malformed};
use fieldpost_domain::{
    BootstrapPage, Continuation, ConversationDigest, ConversationId, Cursor, Fingerprint, FoundPage, HistoryPage,
    PullPage, SeqRange, ServerEpoch, SetFingerprint, Time,
};
use fieldpost_remote::RemoteResult;
use serde_json::Value;

/// The page of `fieldpost_bootstrap`.
pub(crate) fn bootstrap(operation: &'static str, read: Read) -> RemoteResult<BootstrapPage> {
    Ok(BootstrapPage {
        transfer: read.transfer,
        cursor: cursor(operation, read.cursor)?,
        server_time: server_time(operation, &read.server_time)?,
        total_conversations: read.total_conversations.map_or(0, |number| number.0),
        next_after: read.next_after.map(Continuation::new),
        epoch: read.epoch.map(ServerEpoch::new),
        digest: digest(read.digest),
        limits: read.limits,
        server: read.server,
        me: read.me,
        changes: read.changes,
    })
}

/// The page of `fieldpost_pull`.
pub(crate) fn pull(operation: &'static str, read: Read) -> RemoteResult<PullPage> {
    Ok(PullPage {
        transfer: read.transfer,
        cursor: cursor(operation, read.cursor)?,
        server_time: server_time(operation, &read.server_time)?,
        more: read.more.ok_or_else(|| malformed(operation, "more: missing"))?,
        digest: digest(read.digest),
        limits: read.limits,
        server: read.server,
        changes: read.changes,
    })
}

/// The page of `fieldpost_history`.
pub(crate) fn history(
    operation: &'static str,
    conversation_id: ConversationId,
    read: Read,
) -> RemoteResult<HistoryPage> {
    let (Some(from), Some(to), Some(complete)) = (read.from_seq, read.to_seq, read.complete) else {
        return Err(malformed(operation, "from_seq, to_seq or complete: missing"));
    };
    // The client trusts the range over counting, so an invalid range is rejected: otherwise a gap would count as
    // covered.
    if from.0 == 0 || from.0 > to.0 + 1 {
        return Err(malformed(operation, "from_seq, to_seq: no range"));
    }
    Ok(HistoryPage {
        transfer: read.transfer,
        conversation_id,
        conversation: read.conversation,
        changes: read.changes,
        range: SeqRange { from: from.into(), to: to.into() },
        complete,
        limits: read.limits,
    })
}

/// The page of `fieldpost_search`.
pub(crate) fn found(read: Read) -> FoundPage {
    FoundPage {
        transfer: read.transfer,
        changes: read.changes,
        next_after: read.next_after.map(Continuation::new),
        limits: read.limits,
    }
}

pub(super) fn cursor(operation: &'static str, text: Option<String>) -> RemoteResult<Cursor> {
    let text = text.ok_or_else(|| malformed(operation, "cursor: missing"))?;
    Cursor::new(text).map_err(|error| malformed(operation, format!("cursor: {error}")))
}

pub(super) fn server_time(operation: &'static str, stamp: &Option<super::scalar::Stamp>) -> RemoteResult<Time> {
    stamp.map(|stamp| stamp.0).ok_or_else(|| malformed(operation, "server_time: missing"))
}

/// The digest only triggers a comparison, so an unreadable one is treated as absent.
fn digest(value: Option<Value>) -> Option<ConversationDigest> {
    let value = value?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let set = text("set").and_then(SetFingerprint::from_hex).map(Fingerprint::Set);
    let fingerprint = set.or_else(|| text("sha256").and_then(sorted));
    let count = value.get("count").and_then(Value::as_u64);
    let digest = count.zip(fingerprint).map(|(count, fingerprint)| ConversationDigest { count, fingerprint });
    if digest.is_none() {
        tracing::warn!("the server's digest of conversations cannot be read");
    }
    digest
}

/// The digest of servers that cannot maintain a set digest.
fn sorted(text: &str) -> Option<Fingerprint> {
    let hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| Fingerprint::Sorted(text.to_ascii_lowercase()))
}
