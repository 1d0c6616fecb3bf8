//! What a page's messages change in their conversations: how much is unread, and how far the range reaches.
//!
//! Nearly every page brings messages that were not here before and nothing else. Then all of it follows from the page and one
//! look at its conversations, and is written by one statement over those; SQLite would visit each message again, sort them by
//! conversation, and look its conversation up. A page that also brings changed rows is counted there (`derived::ADD_NEW`).
//! What neither covers, `derived::refresh` finds.

use crate::{
    derived,
    error::Res,
    overlay::ANY,
    resolve::VIEWER,
    row::{Row, packed_rows},
    sql::{IdSet, Tx, int, opt_id, signed, text, unsigned},
};
use fieldpost_domain::Message;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// What is stored before the messages of a page are.
pub(super) struct Here {
    /// The highest key of a message.
    newest: i64,
    pub(super) viewer: Option<Uuid>,
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
    pub(super) async fn read(tx: &Tx, conversations: &IdSet) -> Res<Self> {
        let row = tx.only(&here_sql(), vec![conversations.bind()]).await?;
        let of_conversation = |row: &Row| Ok((row.id(0)?, row.get(1)?));
        Ok(Self {
            newest: row.get(0)?,
            viewer: row.opt_id(1)?,
            tombstones: row.get::<i64>(2)? != 0,
            dead_letters: row.get::<i64>(3)? != 0,
            changes: row.get::<i64>(4)? != 0,
            unread_above: row.rows(5)?.iter().map(of_conversation).collect::<Res<_>>()?,
        })
    }

    pub(super) fn has(&self, conversation: Uuid) -> bool {
        self.unread_above.contains_key(&conversation)
    }

    fn is_of_others(&self, message: &Message) -> bool {
        message.deleted_at.is_none() && Some(message.sender_id.as_uuid()) != self.viewer
    }

    fn counts_as_unread(&self, message: &Message) -> bool {
        let above = self.unread_above.get(&message.conversation_id.as_uuid()).copied().unwrap_or(0);
        self.is_of_others(message) && signed(message.seq.get()) > above
    }
}

pub(crate) fn here_sql() -> String {
    let line = "json_array(hex(c.id), coalesce(c.unread_above, 0))";
    let conversations = packed_rows(line, "FROM json_each(?) AS j JOIN conversations AS c ON c.id = unhex(j.value)");
    format!(
        "SELECT {NEWEST}, {VIEWER}, (SELECT min(id) FROM tombstones) IS NOT NULL, {DEAD_LETTERS}, {ANY}, {conversations}"
    )
}

const DEAD_LETTERS: &str = "(SELECT min(position) FROM outbox WHERE failed_code IS NOT NULL) IS NOT NULL";

const NEWEST: &str = "(SELECT coalesce(max(pk), 0) FROM messages)";

/// Notes what was not here before, and says how much of it others wrote.
pub(super) async fn note_new(tx: &Tx, messages: &[Message], here: &Here) -> Res<u64> {
    let newest: i64 = tx.value(&format!("SELECT {NEWEST}"), vec![]).await?;
    // Keys are given one after the other, and to new rows only.
    if newest - here.newest == messages.len() as i64 {
        tx.run(derived::NOTE_NEW, vec![text(news(messages, here))]).await?;
        return Ok(messages.iter().filter(|message| here.is_of_others(message)).count() as u64);
    }
    tx.run(derived::ADD_NEW, vec![int(here.newest), opt_id(here.viewer)]).await?;
    tx.value(NEW_OF_OTHERS, vec![int(here.newest), opt_id(here.viewer)]).await.map(unsigned)
}

/// The new messages as [`derived::NOTE_NEW`] wants them.
fn news(messages: &[Message], here: &Here) -> String {
    let mut by_conversation: BTreeMap<Uuid, (BTreeSet<u64>, u64)> = BTreeMap::new();
    for message in messages {
        let (seqs, unread) = by_conversation.entry(message.conversation_id.as_uuid()).or_default();
        seqs.insert(message.seq.get());
        *unread += u64::from(here.counts_as_unread(message));
    }
    let line = |(conversation, (seqs, unread)): (&Uuid, &(BTreeSet<u64>, u64))| {
        let low = seqs.first().copied().unwrap_or(0);
        let high = seqs.last().copied().unwrap_or(0);
        let whole = u8::from(high - low + 1 == seqs.len() as u64);
        format!("[\"{}\",{low},{high},{whole},{unread}]", conversation.simple())
    };
    format!("[{}]", by_conversation.iter().map(line).collect::<Vec<_>>().join(","))
}

/// Rows above what was the newest key before: those that were not here.
const NEW_OF_OTHERS: &str = "SELECT count(*) FROM messages WHERE pk > ? AND sender_id IS NOT ? AND deleted_at IS NULL";
