//! What a page's messages change in their conversations: how much is unread, and how far the range reaches.
//!
//! Nearly every page brings messages that were not here before and nothing else. Then all of it follows from the page and one
//! look at its conversations, and is written by one statement over those; SQLite would visit each message again, sort them by
//! conversation, and look its conversation up. A page that also brings changed rows is counted there (`derived::ADD_NEW`).
//! What neither covers, `derived::refresh` finds.
//!
//! SQL by hand: it is a look for each page (`apply`).

use super::applied::Applied;
use crate::{
    derived::{self, News},
    entity::conversations::Column as C,
    error::Res,
    hot::{Plan, hot},
    line::{Line, cells, packed},
    mutations::overlay::ANY,
    replica::context::PageContext,
    sql::{IdSet, Tx, hex, int, opt_id, signed, unsigned},
};
use fieldpost_domain::{Message, PersonId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// What is stored before the messages of a page are.
pub(super) struct Here {
    /// The highest key of a message.
    newest: i64,
    viewer: Option<Uuid>,
    /// Hard deletes are rare.
    pub(super) tombstones: bool,
    /// So are dead letters.
    pub(super) dead_letters: bool,
    /// And changes of messages.
    pub(super) changes: bool,
    /// Of the page's conversations those that are here, and above which seq unread messages are counted.
    unread_above: HashMap<Uuid, i64>,
}

impl Here {
    pub(super) async fn read(tx: &Tx, context: &PageContext, conversations: &IdSet) -> Res<Self> {
        let row = tx.only(&HERE, vec![conversations.bind()]).await?;
        let of_conversation = |row: &Line| Ok((row.id(Counted::Id)?, row.get(Counted::Above)?));
        Ok(Self {
            newest: row.get("newest")?,
            viewer: context.viewer,
            tombstones: row.is("tombstones")?,
            dead_letters: row.is("dead_letters")?,
            changes: row.is("changes")?,
            unread_above: row.lines("conversations")?.iter().map(of_conversation).collect::<Res<_>>()?,
        })
    }

    pub(super) fn has(&self, conversation: Uuid) -> bool {
        self.unread_above.contains_key(&conversation)
    }

    fn is_of_others(&self, message: &Message) -> bool {
        message.deleted_at.is_none() && Some(message.sender_id.as_uuid()) != self.viewer
    }

    fn is_mentioned(&self, message: &Message) -> bool {
        self.viewer.is_some_and(|viewer| message.mentions.contains(&PersonId::from_uuid(viewer)))
    }

    fn counts_as_unread(&self, message: &Message) -> bool {
        let above = self.unread_above.get(&message.conversation_id.as_uuid()).copied().unwrap_or(0);
        self.is_of_others(message) && signed(message.seq.get()) > above
    }
}

cells! {
    /// A conversation, `c`, and above which seq its unread messages are counted.
    enum Counted() {
        Id = hex("c", C::Id),
        Above = "coalesce(c.unread_above, 0)",
    }
}

hot! {
    HERE: "what is here", Plan::Bounded, format!(
        "SELECT (SELECT coalesce(max(pk), 0) FROM messages) AS newest, (SELECT min(id) FROM tombstones) IS NOT NULL AS tombstones,
            (SELECT min(position) FROM outbox WHERE failed_code IS NOT NULL) IS NOT NULL AS dead_letters, {ANY} AS changes,
            {} AS conversations",
        packed(&Counted::row(), "FROM json_each(?) AS j JOIN conversations AS c ON c.id = unhex(j.value)"),
    );
    NEWEST: "the newest key", Plan::Bounded, "SELECT coalesce(max(pk), 0) FROM messages";
    /// Rows above what was the newest key before: those that were not here.
    NEW_OF_OTHERS: "how much is new of others", Plan::Bounded,
        "SELECT count(*) FROM messages WHERE pk > ? AND sender_id IS NOT ? AND deleted_at IS NULL";
}

/// Notes what was not here before, and says how much of it others wrote.
pub(super) async fn note_new(tx: &Tx, messages: &[Message], here: &Here, applied: &mut Applied) -> Res<u64> {
    let newest: i64 = tx.value(&NEWEST, vec![]).await?;
    // Keys are given one after the other, and to new rows only.
    if newest - here.newest == messages.len() as i64 {
        applied.news.extend(news(messages, here));
        return Ok(messages.iter().filter(|message| here.is_of_others(message)).count() as u64);
    }
    tx.run(&derived::ADD_NEW, vec![int(here.newest), opt_id(here.viewer)]).await?;
    tx.value(&NEW_OF_OTHERS, vec![int(here.newest), opt_id(here.viewer)]).await.map(unsigned)
}

/// What is new in each conversation.
fn news(messages: &[Message], here: &Here) -> impl Iterator<Item = (Uuid, News)> {
    let mut by_conversation: BTreeMap<Uuid, (BTreeSet<u64>, u64, u64)> = BTreeMap::new();
    for message in messages {
        let (seqs, unread, mentions) = by_conversation.entry(message.conversation_id.as_uuid()).or_default();
        seqs.insert(message.seq.get());
        let counts = here.counts_as_unread(message);
        *unread += u64::from(counts);
        *mentions += u64::from(counts && here.is_mentioned(message));
    }
    by_conversation.into_iter().map(|(conversation, (seqs, unread, mentions))| {
        let low = seqs.first().copied().unwrap_or(0);
        let high = seqs.last().copied().unwrap_or(0);
        (conversation, News { low, high, whole: high - low + 1 == seqs.len() as u64, unread, mentions })
    })
}
