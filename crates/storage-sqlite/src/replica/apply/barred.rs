//! Conversations whose rows may not come (back).

use crate::{
    error::Res,
    sql::{IdSet, Tx},
};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Those the person may not see, and with which version others were deleted.
#[derive(Debug, Default)]
pub(super) struct Barred {
    revoked: HashSet<Uuid>,
    deleted: HashMap<Uuid, i64>,
}

impl Barred {
    pub(super) async fn among(tx: &Tx, ids: &IdSet) -> Res<Self> {
        let rows = tx.all(REVOKED, vec![ids.bind()]).await?;
        let revoked = rows.iter().map(|row| row.id(0)).collect::<Res<_>>()?;
        Ok(Self { revoked, deleted: deleted(tx, ids).await? })
    }

    /// Whether it left for a reason that is known.
    pub(super) fn has_left(&self, conversation: Uuid) -> bool {
        self.revoked.contains(&conversation) || self.deleted.contains_key(&conversation)
    }

    pub(super) fn bars(&self, conversation: Uuid, version: i64) -> bool {
        self.revoked.contains(&conversation)
            || self.deleted.get(&conversation).is_some_and(|deleted| *deleted >= version)
    }
}

const REVOKED: &str = "
SELECT conversation_id FROM access WHERE revoked AND conversation_id IN (SELECT unhex(value) FROM json_each(?))";

/// Which of these were deleted for good, and with which version.
pub(super) async fn deleted(tx: &Tx, ids: &IdSet) -> Res<HashMap<Uuid, i64>> {
    let sql = "SELECT id, version FROM tombstones WHERE id IN (SELECT unhex(value) FROM json_each(?))";
    tx.all(sql, vec![ids.bind()]).await?.iter().map(|row| Ok((row.id(0)?, row.get(1)?))).collect()
}
