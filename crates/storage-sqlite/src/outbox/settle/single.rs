//! Answers that are taken one by one: opens, refusals, and messages that an earlier attempt had stored.

use super::{Entry, Settling, acks};
use crate::{
    error::Res,
    outbox::park,
    rekey, replica,
    sql::{IdSet, id, int, opt_text, text},
};
use fieldpost_domain::{Acknowledgement, Changes, ConversationId, MessageAck, Refusal, RefusalCode, Tombstone};
use uuid::Uuid;

impl Settling<'_> {
    pub(super) async fn acknowledge(&mut self, entry: &Entry, what: Acknowledgement) -> Res<()> {
        self.report.acknowledged += 1;
        self.touched.insert(entry.lane);
        match what {
            Acknowledgement::Sent(ack) => self.sent(entry, ack).await?,
            Acknowledgement::Stored(message) => {
                self.unify(entry.lane, message.conversation_id.as_uuid()).await?;
                self.drop_other_echo(entry, message.id.as_uuid()).await?;
                self.apply(Changes { messages: vec![*message], ..Changes::default() }).await?;
            }
            Acknowledgement::Deleted(tombstone) => self.deleted(entry, tombstone).await?,
            Acknowledgement::Opened(conversation) => {
                self.unify(entry.lane, conversation.id.as_uuid()).await?;
                self.apply(Changes { conversations: vec![*conversation], ..Changes::default() }).await?;
            }
            Acknowledgement::Marked(marker) => {
                self.apply(Changes { read_markers: vec![marker], ..Changes::default() }).await?;
            }
            Acknowledgement::Bare => self.bare(entry).await?,
        }
        self.leave(entry).await
    }

    /// Under another conversation id than the lane's.
    async fn sent(&mut self, entry: &Entry, ack: MessageAck) -> Res<()> {
        self.unify(entry.lane, ack.conversation_id.as_uuid()).await?;
        self.touched.insert(ack.conversation_id.as_uuid());
        self.acks.push(entry.id, self.standing.epoch, &ack);
        self.flush().await
    }

    /// The server has the message under another id, which it gave to an older version of the app: one message, one row.
    async fn drop_other_echo(&mut self, entry: &Entry, stored: Uuid) -> Res<()> {
        let Some(message) = entry.message.filter(|message| *message != stored) else { return Ok(()) };
        self.changed.insert(stored);
        self.tx.run("UPDATE outbox SET target_id = ? WHERE target_id = ?", vec![id(stored), id(message)]).await?;
        self.tx.run("DELETE FROM messages WHERE server_id IS NULL AND id = ?", vec![id(message)]).await.map(drop)
    }

    async fn deleted(&mut self, entry: &Entry, tombstone: Tombstone) -> Res<()> {
        if let Some(id) = tombstone.message_id() {
            self.drop_other_echo(entry, id.as_uuid()).await?;
        }
        self.apply(Changes { tombstones: vec![tombstone], ..Changes::default() }).await
    }

    /// The server has it, and has not said where. The row waits at the end of the thread for a pull.
    async fn bare(&self, entry: &Entry) -> Res<()> {
        let Some(message) = entry.message else { return Ok(()) };
        let sql = "UPDATE messages SET status = 'sent' WHERE id = ? AND seq IS NULL";
        self.tx.run(sql, vec![id(message)]).await.map(drop)
    }

    async fn leave(&self, entry: &Entry) -> Res<()> {
        self.tx.run(acks::DONE, vec![IdSet::of([entry.id]).bind()]).await?;
        if let Some(message) = entry.message {
            self.tx.run(acks::DROP_HOMELESS, vec![IdSet::of([message]).bind()]).await?;
        }
        Ok(())
    }

    /// Rows that came with an answer are rows of the server like any other.
    async fn apply(&mut self, changes: Changes) -> Res<()> {
        let applied = replica::apply::rows(self.tx, &self.standing, changes).await?;
        self.touched.extend(applied.touched);
        Ok(())
    }

    /// The server knows the conversation of a lane under `canonical`.
    async fn unify(&mut self, lane: Uuid, canonical: Uuid) -> Res<()> {
        if lane == canonical {
            return Ok(());
        }
        let sql = "SELECT 1 FROM conversations WHERE id = ? AND server_id IS NOT NULL";
        let of_the_server = self.tx.one(sql, vec![id(lane)]).await?.is_some();
        if !of_the_server {
            rekey::rekey(self.tx, lane, canonical, &mut self.touched).await?;
            self.report.rekeyed.push((ConversationId::from_uuid(lane), ConversationId::from_uuid(canonical)));
        }
        Ok(())
    }

    pub(super) async fn reject(&mut self, entry: &Entry, refusal: &Refusal) -> Res<()> {
        self.touched.insert(entry.lane);
        let sql =
            "SELECT 1 FROM messages AS m JOIN outbox AS o ON o.message_id = m.id WHERE o.id = ? AND m.seq IS NOT NULL";
        let server_has_it = self.tx.one(sql, vec![id(entry.id)]).await?.is_some();
        if server_has_it || !entry.keeps {
            self.report.acknowledged += 1;
            return self.tx.run(acks::DONE, vec![IdSet::of([entry.id]).bind()]).await.map(drop);
        }
        self.report.failed += 1;
        let unseen = int(refusal.code.is_said_unseen().into());
        let values = vec![text(refusal.code.as_str()), opt_text(refusal.detail.as_deref()), unseen, id(entry.id)];
        self.tx.run(REFUSED, values).await?;
        if entry.opens {
            self.open_refused(entry.lane).await?;
        }
        Ok(())
    }

    async fn open_refused(&mut self, lane: Uuid) -> Res<()> {
        let sql = "SELECT 1 FROM conversations WHERE id = ? AND server_id IS NULL";
        if self.tx.one(sql, vec![id(lane)]).await?.is_none() {
            return Ok(());
        }
        let parked = park::park_lane(self.tx, lane, &RefusalCode::OpenRefused).await?;
        self.report.failed += u32::try_from(parked.failed).unwrap_or(u32::MAX);
        self.report.acknowledged += u32::try_from(parked.left).unwrap_or(u32::MAX);
        Ok(())
    }
}

/// What is said unseen ends one attempt; an earlier one may have been carried out.
const REFUSED: &str = "
UPDATE outbox SET failed_code = ?, failed_detail = ?, unanswered = CASE WHEN ? THEN max(unanswered - 1, 0) ELSE 0 END
WHERE id = ?";
