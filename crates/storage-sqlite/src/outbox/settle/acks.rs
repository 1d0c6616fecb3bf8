//! Acknowledgements and retries of a batch, written together.
//!
//! SQL by hand: sets of answers (`drain`).

use crate::{
    error::Res,
    hot::{Plan, hot},
    sql::{IdSet, Insert, Tx, id, int, seq, text, time},
    version::Epoch,
};
use fieldpost_domain::{MessageAck, RetryCode, Seq, Time};
use std::{collections::BTreeMap, sync::LazyLock};
use uuid::Uuid;

#[derive(Debug, Default)]
pub(super) struct Acks {
    done: Vec<Uuid>,
    acks: Vec<Ack>,
    retries: BTreeMap<RetryCode, Vec<Uuid>>,
}

#[derive(Debug)]
struct Ack {
    message: Uuid,
    conversation: Uuid,
    seq: Seq,
    created_at: Time,
    version: i64,
}

impl Acks {
    pub(super) fn push(&mut self, mutation: Uuid, epoch: Epoch, ack: &MessageAck) {
        self.done.push(mutation);
        self.acks.push(Ack {
            message: ack.message_id.as_uuid(),
            conversation: ack.conversation_id.as_uuid(),
            seq: ack.seq,
            created_at: ack.created_at,
            version: epoch.stored(ack.version),
        });
    }

    pub(super) fn retry(&mut self, mutation: Uuid, code: RetryCode) {
        self.retries.entry(code).or_default().push(mutation);
    }

    pub(super) async fn write(self, tx: &Tx) -> Res<()> {
        if !self.acks.is_empty() {
            ACKNOWLEDGE.run(tx, &self.acks, &()).await?;
            let messages = IdSet::of(self.acks.iter().map(|ack| ack.message));
            tx.run(&DROP_ORPHANS, vec![messages.bind()]).await?;
            tx.run(&DONE, vec![IdSet::of(self.done).bind()]).await?;
        }
        for (code, mutations) in self.retries {
            tx.run(&RETRY, vec![text(code.as_str()), IdSet::of(mutations).bind()]).await?;
        }
        Ok(())
    }
}

static ACKNOWLEDGE: LazyLock<Insert<Ack>> = LazyLock::new(|| {
    Insert::reading(
        &[
            ("id", |ack, ()| id(ack.message)),
            ("conversation_id", |ack, ()| id(ack.conversation)),
            ("seq", |ack, ()| seq(ack.seq)),
            ("created_at", |ack, ()| time(ack.created_at)),
            ("version", |ack, ()| int(ack.version)),
        ],
        "UPDATE messages AS m
        SET server_id = m.id, conversation_id = a.conversation_id, seq = a.seq, position = NULL, status = 'sent',
            created_at = a.created_at, updated_at = a.created_at, version = a.version
        FROM rows AS a WHERE m.id = a.id AND m.version < a.version
            AND EXISTS (SELECT 1 FROM conversations AS c WHERE c.id = a.conversation_id)",
    )
});

hot! {
    /// Local echoes of messages that the server has, of conversations that are not here any more.
    DROP_ORPHANS: "echoes without a conversation", Plan::Bounded,
        "DELETE FROM messages WHERE server_id IS NULL AND id IN (SELECT unhex(value) FROM json_each(?))
        AND NOT EXISTS (SELECT 1 FROM conversations AS c WHERE c.id = messages.conversation_id)";
    DONE: "what is done", Plan::Bounded, "DELETE FROM outbox WHERE id IN (SELECT unhex(value) FROM json_each(?))";
    RETRY: "what is to be tried again", Plan::Bounded,
        "UPDATE outbox SET retries = retries + 1, last_retry = ?, in_flight = max(in_flight - 1, 0)
        WHERE id IN (SELECT unhex(value) FROM json_each(?))";
}
