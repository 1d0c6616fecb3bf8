//! Responses of the server, and of anything else that answers in its place.

use fieldpost::{ConversationId, Seq};
use fieldpost_domain::OrgId;
use fieldpost_domain::{
    Changes, Intent, MarkRead, Mutation, MutationId,
    records::{ConflictRule, Fields, Modified, RecordId, RecordOperation, RecordOutcome, TableName},
};
use fieldpost_remote::{LiveEvent, OutgoingRecord, Topic};
use fieldpost_remote_supabase::fuzzing;
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// Decodes the bytes as a response to every call.
///
/// # Panics
/// When a row is neither decoded nor reported, a result belongs to another mutation, or a live frame to another topic.
pub fn answers(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).ok();
    let value: Option<Value> = text.and_then(|text| serde_json::from_str(text).ok());
    let check = |changes: &Changes| {
        if let (Some(text), Some(value)) = (text, &value) {
            account_for_every_row(changes, text, value);
        }
    };
    if let Ok(page) = fuzzing::bootstrap(bytes) {
        check(&page.changes);
    }
    if let Ok(page) = fuzzing::pull(bytes) {
        check(&page.changes);
    }
    if let Ok(page) = fuzzing::history(ConversationId::from_uuid(Uuid::from_u128(1)), bytes) {
        assert!(page.range.from.get() > 0, "a range begins at 1");
        check(&page.changes);
    }
    if let (Ok(page), Some(value)) = (fuzzing::pull_records(bytes), &value) {
        let sent: usize =
            ["records", "tombstones"].iter().filter_map(|name| value[name].as_array()).map(Vec::len).sum();
        let read = page.rows.len() + page.tombstones.len() + page.unreadable as usize;
        assert_eq!(read, sent, "a record was lost in silence");
    }
    results_belong_to_their_mutations(bytes);
    results_belong_to_their_changes(bytes);
    if let Ok(session) = fuzzing::session(bytes) {
        assert!(!session.access_token.reveal().is_empty() && !session.refresh_token.reveal().is_empty());
    }
    live_frames_concern_what_was_joined(bytes);
    for status in [400, 401, 403, 404, 413, 429, 500, 503, 540] {
        let _ = fuzzing::failures(status, bytes);
    }
}

/// Rows in = rows decoded + rows reported as unreadable, word for word.
fn account_for_every_row(changes: &Changes, text: &str, value: &Value) {
    let lists = ["people", "conversations", "messages", "read_markers", "reactions", "tombstones", "access"];
    let sent: usize = lists.iter().filter_map(|name| value[name].as_array()).map(Vec::len).sum();
    let read = changes.people.len()
        + changes.conversations.len()
        + changes.messages.len()
        + changes.read_markers.len()
        + changes.reactions.len()
        + changes.tombstones.len()
        + changes.access.len();
    let reported = changes.unreadable.iter().filter(|row| row.list != "conversation").count();
    assert_eq!(sent, read + reported, "a row was lost in silence");
    assert!(changes.unreadable.iter().all(|row| text.contains(&row.payload)), "a row was reported as something else");
}

/// Whatever a frame says, it says it of the topic that was joined, or answers a heartbeat.
fn live_frames_concern_what_was_joined(bytes: &[u8]) {
    let topic = Topic::Org(OrgId::from_uuid(Uuid::from_u128(1)));
    for event in fuzzing::live(topic, bytes) {
        match event {
            LiveEvent::Joined(of) | LiveEvent::Ready(of) | LiveEvent::Left(of, _) | LiveEvent::Hint(of, _) => {
                assert_eq!(of, topic);
            }
            LiveEvent::Alive => {}
            LiveEvent::Typing { .. } => panic!("no topic of a conversation was joined"),
        }
    }
}

/// Three mutations, matching the corpus's responses.
fn mutations() -> Vec<Mutation> {
    let conversation_id = ConversationId::from_uuid(Uuid::from_u128(1));
    let mark = |number| Mutation {
        id: MutationId::from_uuid(Uuid::from_u128(number)),
        intent: Intent::MarkRead(MarkRead { conversation_id, read_seq: Seq::new(1) }),
    };
    [1, 2, 3].map(mark).into()
}

/// Two changes with the ids of the first mutations.
fn changes() -> Vec<OutgoingRecord> {
    let table = TableName::new("visits").expect("a name");
    let change = |number| OutgoingRecord {
        id: MutationId::from_uuid(Uuid::from_u128(number)),
        table: table.clone(),
        record_id: RecordId::from_uuid(Uuid::from_u128(number)),
        operation: RecordOperation::Update,
        org_id: None,
        fields: Fields::new(),
        modified: Modified::Ago(Duration::ZERO),
        after: None,
        rule: ConflictRule::LastWriteWins,
    };
    [1, 2].map(change).into()
}

fn results_belong_to_their_changes(bytes: &[u8]) {
    let changes = changes();
    let Ok(answer) = fuzzing::push_records(&changes, bytes) else { return };
    for (change, result) in changes.iter().zip(&answer.results) {
        assert_eq!(change.id, result.mutation_id);
        if let RecordOutcome::Lost { winner } = &result.outcome {
            assert!(winner.id == change.record_id || winner.client_id == Some(change.record_id));
        }
    }
    assert_eq!(answer.results.len(), changes.len());
}

fn results_belong_to_their_mutations(bytes: &[u8]) {
    let mutations = mutations();
    if let Ok(results) = fuzzing::push(&mutations, bytes) {
        let sent: Vec<_> = mutations.iter().map(|mutation| mutation.id).collect();
        let answered: Vec<_> = results.iter().map(|result| result.mutation_id).collect();
        assert_eq!(sent, answered);
    }
}
