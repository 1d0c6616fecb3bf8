//! Results of a push, matched to the mutations that they answer.
//!
//! A result decides whether a message leaves the outbox, so it is taken only from where it belongs: as many results as
//! mutations, each in its place and under its id, and no row of anything else in it. Otherwise the answer is `Malformed`, the
//! outcome of the batch stays unknown, and the batch is sent again, which is harmless.
//!
//! What is "anything else"? An `ack` and a `tombstone` name the message by the id that was sent. The `message` of a duplicate
//! may have another: an older version of the app sent it, and the server's row keeps the id that it got then. Then the
//! sender has to be the same, since the row takes the place of what she wrote.
//!
//! What if the status is clear and the row beside it is missing or cannot be read? "applied" and "duplicate" both say that the
//! server has it. For a message and a read marker that is enough ([`Acknowledgement::Bare`]): the row itself comes with the
//! next pull, while asking again might get the same answer for ever and hold up the lane. An opened conversation is different:
//! its canonical id is the very thing that was asked for, so without it the answer is `Malformed`.
//!
//! An `ack` with a `message` beside it says that the project stored something else than was sent: then the row counts.
//!
//! Which row came is believed over the status: an `ack` with "duplicate" says what is needed all the same. A refusal or a
//! retry without a code is one for an unknown reason, [`UNSPECIFIED`].

use super::{answer::malformed, kinds, result_row::ResultRow};
use fieldpost_domain::{Mutation, PushOutcome, PushResult, Refusal, RefusalCode, RetryCode};
use fieldpost_remote::RemoteResult;

/// The code of a refusal that has none.
const UNSPECIFIED: &str = "unspecified";

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
