//! Acknowledgements and retries of a batch, written together.

use crate::{
    error::Res,
    sql::{IdSet, Insert, Tx, id, int, seq, text, time},
    version::Epoch,
};
use fieldpost_domain::{MessageAck, RetryCode, Seq, Time};
use sea_orm::Value;
use std::collections::BTreeMap;
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
            ACKNOWLEDGE.run(tx, &self.acks, bind).await?;
            let messages = IdSet::of(self.acks.iter().map(|ack| ack.message));
            tx.run(DROP_HOMELESS, vec![messages.bind()]).await?;
            tx.run(DONE, vec![IdSet::of(self.done).bind()]).await?;
        }
        for (code, mutations) in self.retries {
            tx.run(RETRY, vec![text(code.as_str()), IdSet::of(mutations).bind()]).await?;
        }
        Ok(())
    }
}

fn bind(ack: &Ack, values: &mut Vec<Value>) {
    values.extend([id(ack.message), id(ack.conversation), seq(ack.seq), time(ack.created_at), int(ack.version)]);
}

const ACKNOWLEDGE: Insert = Insert {
    head: "WITH acks (id, conversation_id, seq, created_at, version) AS (VALUES",
    columns: 5,
    tail: ") UPDATE messages AS m
        SET server_id = m.id, conversation_id = a.conversation_id, seq = a.seq, position = NULL, status = 'sent', created_at = a.created_at,
            updated_at = a.created_at, version = a.version
        FROM acks AS a WHERE m.id = a.id AND m.version < a.version
            AND EXISTS (SELECT 1 FROM conversations AS c WHERE c.id = a.conversation_id)",
};

/// Local echoes of messages that the server has, of conversations that are not here any more.
pub(super) const DROP_HOMELESS: &str = "
DELETE FROM messages WHERE server_id IS NULL AND id IN (SELECT unhex(value) FROM json_each(?))
    AND NOT EXISTS (SELECT 1 FROM conversations AS c WHERE c.id = messages.conversation_id)";

pub(super) const DONE: &str = "DELETE FROM outbox WHERE id IN (SELECT unhex(value) FROM json_each(?))";

const RETRY: &str = "
UPDATE outbox SET retries = retries + 1, last_retry = ?, unanswered = max(unanswered - 1, 0) WHERE id IN (SELECT unhex(value) FROM json_each(?))";
