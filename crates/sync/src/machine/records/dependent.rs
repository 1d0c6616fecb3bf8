//! A create that must be sent again takes along what the server has refused only because of that.
//!
//! A change may follow the create of a record that it refers to in one batch. If the server answers that create with
//! `retry`, it does not know the record, and refuses the change that refers to it. That is no answer for a person.

use fieldpost_domain::{
    RetryCode,
    records::{RecordId, RecordMutation, RecordOperation, RecordOutcome, RecordResult},
};
use std::collections::{HashMap, HashSet};

/// Makes each refused change wait that refers to a create of the batch which waits, and what follows it.
pub(super) fn put_off(batch: &[RecordMutation], results: &mut [RecordResult]) {
    let places: HashMap<_, _> = results.iter().enumerate().map(|(place, result)| (result.mutation_id, place)).collect();
    let mut waiting: HashSet<RecordId> = HashSet::new();
    for mutation in batch {
        let result = places.get(&mutation.id).and_then(|place| results.get_mut(*place));
        let waits = match result {
            None => true,
            Some(result) => match &result.outcome {
                RecordOutcome::Retry(_) => true,
                RecordOutcome::Refused(_) if depends_on(mutation, &waiting) => {
                    result.outcome = RecordOutcome::Retry(RetryCode::AfterRetry);
                    true
                }
                _ => false,
            },
        };
        if waits && mutation.operation == RecordOperation::Create {
            waiting.insert(mutation.record_id);
        }
    }
}

fn depends_on(mutation: &RecordMutation, waiting: &HashSet<RecordId>) -> bool {
    if waiting.is_empty() {
        return false;
    }
    let refers = |value: &serde_json::Value| value.as_str().and_then(|text| text.parse().ok());
    let mut referred = mutation.fields.iter().filter_map(|(_, value)| refers(value));
    waiting.contains(&mutation.record_id) || referred.any(|id: RecordId| waiting.contains(&id))
}
