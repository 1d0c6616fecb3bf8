//! Finding a conversation by whatever id the caller holds.

use crate::{
    error::Res,
    sql::{IdSet, Tx, id},
};
use fieldpost_domain::ConversationId;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Whose file this is, once somebody has signed in.
pub(crate) const OWNER: &str = "(SELECT person_id FROM account WHERE only = 1)";

/// The signed-in person: whose file this is, or before the first sign-in whom the server takes the caller for.
pub(crate) const VIEWER: &str =
    "coalesce((SELECT person_id FROM account WHERE only = 1), (SELECT me_id FROM sync_state WHERE only = 1))";

/// The canonical id of the first parameter, or that itself.
pub(crate) const CANONICAL: &str = "coalesce((SELECT a.canonical_id FROM aliases AS a WHERE a.id = ?1), ?1)";

/// The canonical id, or the id itself.
pub(crate) async fn canonical(tx: &Tx, conversation: ConversationId) -> Res<Uuid> {
    let given = conversation.as_uuid();
    let row = tx.one("SELECT canonical_id FROM aliases WHERE id = ?", vec![id(given)]).await?;
    row.map_or(Ok(given), |row| row.id(0))
}

/// All aliases. There are as many as conversations were opened offline and then found on the server: few.
pub(crate) async fn aliases(tx: &Tx) -> Res<HashMap<Uuid, Uuid>> {
    let rows = tx.all("SELECT id, canonical_id FROM aliases", vec![]).await?;
    rows.iter().map(|row| Ok((row.id(0)?, row.id(1)?))).collect()
}

/// Which of these conversations are not here. Nearly always none, and every row of an answer has a price.
pub(crate) async fn absent(tx: &Tx, ids: &IdSet) -> Res<HashSet<Uuid>> {
    tx.all(ABSENT, vec![ids.bind()]).await?.iter().map(|row| row.id(0)).collect()
}

const ABSENT: &str = "
SELECT unhex(j.value) FROM json_each(?) AS j
WHERE NOT EXISTS (SELECT 1 FROM conversations AS c WHERE c.id = unhex(j.value))";

pub(crate) async fn viewer(tx: &Tx) -> Res<Option<Uuid>> {
    let row = tx.one(&format!("SELECT {VIEWER}"), vec![]).await?;
    row.map_or(Ok(None), |row| row.opt_id(0))
}
