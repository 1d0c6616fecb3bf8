//! Marks of what has arrived that a read mark makes superfluous.
//!
//! SQL by hand: the statement is part of a script (`mark_read`).

use crate::{
    hot::{Plan, hot},
    sql::{Bound, id, seq},
};
use fieldpost_domain::Seq;
use uuid::Uuid;

/// A mark of what has arrived leaves if this read mark says the same.
pub(crate) fn covered(conversation: Uuid, read_seq: Seq) -> Bound {
    Bound::new(&COVERED, vec![id(conversation), seq(read_seq)])
}

hot! {
    COVERED: "marks that a read mark covers", Plan::Bounded, "
DELETE FROM outbox WHERE conversation_id = ? AND slot = 'mark_delivered'
    AND json_valid(payload) AND payload ->> '$.delivered_seq' <= ?";
}
