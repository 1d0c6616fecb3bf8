//! Responses of the server, and of anything else that answers in its place.

use fieldpost::{ConversationId, Seq};
use fieldpost_domain::{Changes, Intent, MarkRead, Mutation, MutationId};
use fieldpost_remote_supabase::fuzzing;
use serde_json::Value;
use uuid::Uuid;

/// Decodes the bytes as a response to every call.
///
/// # Panics
/// When a row is neither decoded nor reported, or a result belongs to another mutation.
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
    results_belong_to_their_mutations(bytes);
    if let Ok(session) = fuzzing::session(bytes) {
        assert!(!session.access_token.reveal().is_empty() && !session.refresh_token.reveal().is_empty());
    }
    for status in [400, 401, 403, 404, 413, 429, 500, 503, 540] {
        let _ = fuzzing::failures(status, bytes);
    }
}

/// Rows in = rows decoded + rows reported as unreadable, word for word.
fn account_for_every_row(changes: &Changes, text: &str, value: &Value) {
    let lists = ["people", "conversations", "messages", "read_markers", "tombstones", "access"];
    let sent: usize = lists.iter().filter_map(|name| value[name].as_array()).map(Vec::len).sum();
    let read = changes.people.len()
        + changes.conversations.len()
        + changes.messages.len()
        + changes.read_markers.len()
        + changes.tombstones.len()
        + changes.access.len();
    let reported = changes.unreadable.iter().filter(|row| row.list != "conversation").count();
    assert_eq!(sent, read + reported, "a row was lost in silence");
    assert!(changes.unreadable.iter().all(|row| text.contains(&row.payload)), "a row was reported as something else");
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

fn results_belong_to_their_mutations(bytes: &[u8]) {
    let mutations = mutations();
    if let Ok(results) = fuzzing::push(&mutations, bytes) {
        let sent: Vec<_> = mutations.iter().map(|mutation| mutation.id).collect();
        let answered: Vec<_> = results.iter().map(|result| result.mutation_id).collect();
        assert_eq!(sent, answered);
    }
}
