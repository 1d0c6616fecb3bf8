//! Matches the results of a push to its mutations.
//!
//! A result decides whether a message leaves the outbox, so it is accepted only where it belongs: as many results as
//! mutations, each at its place and with its id, and without rows of anything else. Otherwise the response is
//! `Malformed`, the outcome of the batch stays unknown, and the batch is resent, which is harmless.
//!
//! "Anything else" means: an `ack` and a `tombstone` must have the id that was sent. The `message` of a duplicate may
//! have another id: if an older version of the app sent it, the server's row keeps the id it got then. Then the sender
//! must be the same, since the row replaces what she wrote.
//!
//! If the status is clear but the row is missing or unreadable: "applied" and "duplicate" both say that the server has
//! the mutation. For a message and a read marker that is enough ([`Acknowledgement::Bare`]): the next pull brings the
//! row, while asking again might get the same answer for ever and block the lane. For an opened conversation the client
//! needs the canonical id, so without it the response is `Malformed`.
//!
//! An `ack` with a `message` says that the project stored something other than what was sent: then the row counts.
//!
//! The kind of row counts more than the status: an `ack` with "duplicate" is accepted too. A refusal or a retry without
//! a code gets the code [`UNSPECIFIED`].

use super::{answer::malformed, kinds, result_row::ResultRow};
use fieldpost_domain::{Cursor, Mutation, PushOutcome, PushResult, Refusal, RefusalCode, RetryCode};
use fieldpost_remote::{PushRequest, RemoteResult};
use serde_json::Value;

/// The code for a refusal or a retry without one.
pub(super) const UNSPECIFIED: &str = "unspecified";

/// The results of a batch, one per mutation and in its order.
pub(crate) fn match_up(
    operation: &'static str,
    mutations: &[Mutation],
    results: Option<Vec<ResultRow>>,
) -> RemoteResult<Vec<PushResult>> {
    let results = results.unwrap_or_default();
    if results.len() != mutations.len() {
        let what = format!("{} results for {} mutations", results.len(), mutations.len());
        return Err(malformed(operation, what));
    }
    let pairs = mutations.iter().zip(results).enumerate();
    pairs
        .map(|(index, (mutation, row))| {
            let outcome =
                outcome(mutation, row).map_err(|what| malformed(operation, format!("result {index}: {what}")))?;
            Ok(PushResult { mutation_id: mutation.id, outcome })
        })
        .collect()
}

/// The cursor of a quiet answer. One that cannot be read makes the answer an ordinary one, and a pull follows; so does one
/// that was not asked for.
pub(crate) fn quiet(request: &PushRequest, quiet: Option<Value>) -> Option<Cursor> {
    let cursor = quiet?.get_mut("cursor").map(Value::take)?;
    request.cursor.as_ref().and(serde_json::from_value(cursor).ok())
}

fn outcome(mutation: &Mutation, row: ResultRow) -> Result<PushOutcome, &'static str> {
    if row.id != Some(mutation.id) {
        return Err("it answers another mutation");
    }
    let code = row.code.as_deref().unwrap_or(UNSPECIFIED);
    match row.status.as_deref() {
        Some("applied" | "duplicate") => kinds::acknowledgement(&mutation.intent, row).map(PushOutcome::Acknowledged),
        Some("rejected") => {
            Ok(PushOutcome::Rejected(Refusal { code: RefusalCode::from(code), detail: row.detail.clone() }))
        }
        Some("retry") => Ok(PushOutcome::Retry(RetryCode::from(code))),
        _ => Err("its status is unknown"),
    }
}
