//! Finding a conversation by whatever id the caller holds, and whose file this is.
//!
//! SQL by hand: parts of the hot statements of others, and one that a page runs (`apply`).

use crate::{
    entity::{aliases, value::Id},
    error::Res,
    sql::{IdSet, Tx},
};
use fieldpost_domain::ConversationId;
use sea_orm::EntityTrait;
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
    let alias = tx.find_one::<aliases::Model>(&aliases::Entity::find_by_id(Id(given))).await?;
    Ok(alias.map_or(given, |alias| alias.canonical_id.0))
}

/// All aliases. There are as many as conversations were opened offline and then found on the server: few.
pub(crate) async fn aliases(tx: &Tx) -> Res<HashMap<Uuid, Uuid>> {
    let aliases = tx.find::<aliases::Model>(&aliases::Entity::find()).await?;
    Ok(aliases.into_iter().map(|alias| (alias.id.0, alias.canonical_id.0)).collect())
}

/// Which of these conversations are not here. Nearly always none, and every row of an answer has a price.
pub(crate) async fn absent(tx: &Tx, ids: &IdSet) -> Res<HashSet<Uuid>> {
    tx.all(ABSENT, vec![ids.bind()]).await?.iter().map(|row| row.id("id")).collect()
}

const ABSENT: &str = "
SELECT unhex(j.value) AS id FROM json_each(?) AS j
WHERE NOT EXISTS (SELECT 1 FROM conversations AS c WHERE c.id = unhex(j.value))";

/// Whose file this is.
pub(crate) async fn owner(tx: &Tx) -> Res<Option<Uuid>> {
    tx.only(&format!("SELECT {OWNER} AS owner"), vec![]).await?.opt_id("owner")
}

pub(crate) async fn viewer(tx: &Tx) -> Res<Option<Uuid>> {
    tx.only(&format!("SELECT {VIEWER} AS viewer"), vec![]).await?.opt_id("viewer")
}
