//! Conversations whose rows may not come (back).
//!
//! SQL by hand: sets, once for a page (`apply`).

use crate::{
    error::Res,
    hot::{Plan, hot},
    line::{cells, packed},
    row::Row,
    sql::{IdSet, Tx},
};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Those the person may not see, and with which version others were deleted.
#[derive(Debug, Default)]
pub(super) struct Excluded {
    revoked: HashSet<Uuid>,
    deleted: HashMap<Uuid, i64>,
}

impl Excluded {
    pub(super) async fn among(tx: &Tx, ids: &IdSet) -> Res<Self> {
        let row = tx.only(&BARRED, vec![ids.bind()]).await?;
        let revoked = row.lines("revoked")?.iter().map(|left| left.id(Left::Id)).collect::<Res<_>>()?;
        Ok(Self { revoked, deleted: read(&row)? })
    }

    /// Whether it left for a reason that is known.
    pub(super) fn has_left(&self, conversation: Uuid) -> bool {
        self.revoked.contains(&conversation) || self.deleted.contains_key(&conversation)
    }

    pub(super) fn excludes(&self, conversation: Uuid, version: i64) -> bool {
        self.revoked.contains(&conversation)
            || self.deleted.get(&conversation).is_some_and(|deleted| *deleted >= version)
    }
}

/// Which of these were deleted for good, and with which version.
pub(super) async fn deleted(tx: &Tx, ids: &IdSet) -> Res<HashMap<Uuid, i64>> {
    read(&tx.only(&DELETED, vec![ids.bind()]).await?)
}

fn read(row: &Row) -> Res<HashMap<Uuid, i64>> {
    row.lines("deleted")?.iter().map(|left| Ok((left.id(Left::Id)?, left.get(Left::Version)?))).collect()
}

cells! {
    /// What left: `t`.
    enum Left(id) {
        Id = format!("hex({id})"),
        Version = "t.version",
    }
}

hot! {
    BARRED: "what may not come back", Plan::Bounded, format!("SELECT {} AS revoked, {}", revoked(), gone());
    DELETED: "what was deleted for good", Plan::Bounded, format!("SELECT {}", gone());
}

fn revoked() -> String {
    let of_these =
        "FROM json_each(?1) AS j CROSS JOIN access AS t WHERE t.conversation_id = unhex(j.value) AND t.revoked";
    packed(&Left::row("t.conversation_id"), of_these)
}

fn gone() -> String {
    let of_these = "FROM json_each(?1) AS j CROSS JOIN tombstones AS t WHERE t.id = unhex(j.value)";
    format!("{} AS deleted", packed(&Left::row("t.id"), of_these))
}
