//! What the rows of a page are applied against, read once for a page.
//!
//! SQL by hand: it is one trip of each page (`apply`).

use crate::{
    entity::{aliases::Column as A, sync_state},
    error::{Fault, Res},
    hot::{Plan, hot},
    line::{cells, packed},
    replica::position,
    resolve::OWNER,
    sql::{Tx, hex, names},
    version::Epoch,
};
use fieldpost_storage::SyncPosition;
use sea_orm::Iterable;
use std::collections::HashMap;
use uuid::Uuid;

/// Where this device stands.
#[derive(Debug)]
pub(crate) struct PageContext {
    pub(crate) epoch: Epoch,
    /// Counts bootstraps; what one has confirmed carries its number.
    pub(crate) generation: i64,
    pub(crate) bootstrapping: bool,
    /// The bootstrap under way follows a change of epoch.
    pub(crate) new_epoch: bool,
    /// The answer was asked for beside a pass, which may have applied a later one meanwhile.
    pub(crate) beside: bool,
    /// Whose file this is, or before the first sign-in whom the server takes the caller for.
    pub(crate) viewer: Option<Uuid>,
    pub(crate) aliases: Aliases,
    /// Whether there are conversations of which the server does not know.
    pub(crate) any_local: bool,
    /// The rest of what is known.
    pub(crate) state: sync_state::Model,
    owner: Option<Uuid>,
}

impl PageContext {
    pub(crate) async fn read(tx: &Tx) -> Res<Self> {
        let row = tx.one(&CONTEXT, vec![]).await?.ok_or_else(missing)?;
        let state = row.model::<sync_state::Model>()?;
        let owner = row.opt_id("owner")?;
        let aliases = row.lines("aliases")?;
        let aliases = aliases.iter().map(|alias| Ok((alias.id(Alias::Id)?, alias.id(Alias::Canonical)?)));
        let bootstrapping = matches!(state.phase.as_str(), position::BOOTSTRAPPING | position::FIRST_SCREEN);
        Ok(Self {
            epoch: Epoch::new(state.epoch),
            generation: state.generation,
            bootstrapping,
            new_epoch: bootstrapping && state.epoch_pending,
            beside: false,
            viewer: owner.or(state.me_id.map(|id| id.0)),
            aliases: Aliases(aliases.collect::<Res<_>>()?),
            any_local: row.is("any_local")?,
            state,
            owner,
        })
    }

    /// For what the server tells beside a bootstrap. Before the first page has listed what there is, that confirms nothing: it
    /// may be of the old history, or of before a conversation left.
    pub(crate) async fn beside(tx: &Tx) -> Res<Self> {
        let context = Self::read(tx).await?;
        let listed = context.state.phase == position::FIRST_SCREEN || context.state.after.is_some();
        let bootstrapping = context.bootstrapping && listed;
        Ok(Self { bootstrapping, new_epoch: bootstrapping && context.new_epoch, beside: true, ..context })
    }

    pub(crate) fn position(&self) -> Res<SyncPosition> {
        position::of(&self.state)
    }

    /// The server has said who the caller is.
    pub(crate) fn set_me(&mut self, me: Option<Uuid>) {
        self.viewer = self.owner.or(me);
    }
}

/// What conversations were called before.
#[derive(Debug, Default)]
pub(crate) struct Aliases(HashMap<Uuid, Uuid>);

impl Aliases {
    /// The canonical id, or the id itself.
    pub(crate) fn canonical(&self, conversation: Uuid) -> Uuid {
        self.0.get(&conversation).copied().unwrap_or(conversation)
    }

    pub(crate) fn has(&self, conversation: Uuid) -> bool {
        self.0.contains_key(&conversation)
    }

    pub(crate) fn forget(&mut self, conversation: Uuid) {
        self.0.remove(&conversation);
    }

    /// A conversation was rekeyed.
    pub(crate) fn rekeyed(&mut self, from: Uuid, to: Uuid) {
        self.0.values_mut().filter(|canonical| **canonical == from).for_each(|canonical| *canonical = to);
        self.0.insert(from, to);
    }
}

cells! {
    /// An alias: `a`.
    enum Alias() {
        Id = hex("a", A::Id),
        Canonical = hex("a", A::CanonicalId),
    }
}

hot! {
    CONTEXT: "what a page is applied against", Plan::Ordered("conversations_local"), format!(
        "SELECT {}, {OWNER} AS owner, {} AS aliases, EXISTS (SELECT 1 FROM conversations AS c INDEXED BY conversations_local
            WHERE c.server_id IS NULL) AS any_local
        FROM sync_state WHERE only = 1",
        names(&sync_state::Column::iter().collect::<Vec<_>>()),
        packed(&Alias::row(), "FROM aliases AS a"),
    );
}

/// Its only row is made with the table.
fn missing() -> Fault {
    Fault::corrupt("the sync state is missing")
}
