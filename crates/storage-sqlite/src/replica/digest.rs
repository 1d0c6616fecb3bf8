//! Whether the store has the conversations that the server says the person may see.
//!
//! A server that can keeps a fingerprint of a set, and so does this file: `known_count` and `known_set` of the sync state are of
//! the conversations that the server knows. Triggers note each that comes or goes (`known_changes`), and what has been noted is
//! taken in when somebody asks, so that a sync of nothing reads no conversation. What is not known yet is worked out once.
//!
//! SQL by hand: every pass asks (`pull`), and all ids come as one text.
//!
//! An older server sends the hash of a sorted list, for which all ids have to be read each time.

use crate::{
    entity::{
        known_changes::{self, Column as K},
        sync_state::{self, Column as S},
    },
    error::{Fault, Res},
    hot::{Plan, hot},
    line::{cells, packed},
    row::Row,
    sql::{Tx, hex, names, of, signed, unsigned},
};
use fieldpost_domain::{ConversationDigest, ConversationId, Fingerprint, SetFingerprint};
use sea_orm::{EntityTrait, IdenStatic, sea_query::Expr};
use uuid::Uuid;

pub(super) async fn matches(tx: &Tx, digest: Option<&ConversationDigest>) -> Res<Option<bool>> {
    let Some(digest) = digest else { return Ok(None) };
    let here = match digest.fingerprint {
        Fingerprint::Set(_) => kept(tx).await?,
        Fingerprint::Sorted(_) => {
            let ids = known(tx).await?;
            // Nobody asks for what was noted; it must not pile up.
            keep(tx, &ConversationDigest::of(ids.iter().copied())).await?;
            ConversationDigest::sorted(ids)
        }
    };
    Ok(Some(here == *digest))
}

/// Whether what is kept is right; if it is not, it is from now on.
pub(super) async fn check(tx: &Tx) -> Res<bool> {
    let (kept, right) = (kept(tx).await?, ConversationDigest::of(known(tx).await?));
    if kept != right {
        keep(tx, &right).await?;
    }
    Ok(kept == right)
}

/// The digest of the conversations that the server knows, brought up to date.
async fn kept(tx: &Tx) -> Res<ConversationDigest> {
    let row = tx.only(&KEPT, vec![]).await?;
    let changes = row.lines("changes")?;
    let Some((count, mut set)) = before(&row)? else {
        let digest = ConversationDigest::of(known(tx).await?);
        keep(tx, &digest).await?;
        return Ok(digest);
    };
    let mut count = signed(count);
    for change in &changes {
        set.toggle(ConversationId::from_uuid(change.id(Change::Id)?));
        count += change.get::<i64>(Change::Step)?;
    }
    let digest = ConversationDigest { count: unsigned(count), fingerprint: Fingerprint::Set(set) };
    if !changes.is_empty() {
        keep(tx, &digest).await?;
    }
    Ok(digest)
}

cells! {
    /// A conversation, `k`, that has come (1) or gone (-1).
    enum Change() {
        Id = hex("k", K::Id),
        Step = of("k", K::Step),
    }
}

hot! {
    KEPT: "the digest that is kept", Plan::Bounded, format!(
        "SELECT {}, {} AS changes FROM sync_state WHERE only = 1",
        names(&[S::KnownCount, S::KnownSet]),
        packed(&Change::row(), "FROM known_changes AS k"),
    );
}

/// As it was kept; none if it is not known.
fn before(row: &Row) -> Res<Option<(u64, SetFingerprint)>> {
    let set = row.get::<Option<Vec<u8>>>(S::KnownSet.as_str())?.and_then(|bytes| bytes.try_into().ok());
    let count = row.get::<Option<i64>>(S::KnownCount.as_str())?;
    Ok(count.zip(set).map(|(count, set)| (unsigned(count), SetFingerprint::from_bytes(set))))
}

async fn keep(tx: &Tx, digest: &ConversationDigest) -> Res<()> {
    let Fingerprint::Set(set) = digest.fingerprint else { return Ok(()) };
    let kept = sync_state::Entity::update_many()
        .col_expr(S::KnownCount, Expr::value(signed(digest.count)))
        .col_expr(S::KnownSet, Expr::value(set.as_bytes().to_vec()));
    tx.execute(&kept).await?;
    tx.execute(&known_changes::Entity::delete_many()).await.map(drop)
}

/// All ids in one text, so that ten thousand of them are one row.
const IDS: &str = "SELECT group_concat(hex(id), '') FROM conversations WHERE server_id IS NOT NULL";

async fn known(tx: &Tx) -> Res<Vec<ConversationId>> {
    let hex: Option<String> = tx.value(IDS, vec![]).await?;
    let hex = hex.unwrap_or_default();
    let id = |digits: &[u8]| Uuid::try_parse_ascii(digits).map(ConversationId::from_uuid);
    let ids = hex.as_bytes().chunks(32).map(id).collect::<Result<Vec<_>, _>>();
    ids.map_err(|_| Fault::corrupt("an id does not have 16 bytes"))
}
