//! Acknowledgements and retries of a batch, written together.
//!
//! SQL by hand: sets of answers (`drain`).

use crate::{
    entity::{
        conversations::{self, Column as C},
        messages::{self, Column as M},
        outbox::{Column as O, Entity},
    },
    error::Res,
    hot::{Plan, hot},
    outbox::batch::attempt_ended,
    sql::{IdSet, Insert, Tx, among, given, id, int, seq, text, time, written},
    version::Epoch,
};
use fieldpost_domain::{MessageAck, RetryCode, Seq, Time};
use sea_orm::{
    ColumnTrait, DeleteMany, EntityTrait, QueryFilter, QuerySelect, QueryTrait, UpdateMany,
    sea_query::{Expr, ExprTrait},
};
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
            drop_old(tx, &messages).await?;
            tx.run(&DONE, vec![IdSet::of(self.done).bind()]).await?;
        }
        for (code, mutations) in self.retries {
            tx.run(&RETRY, vec![text(code.as_str()), IdSet::of(mutations).bind()]).await?;
        }
        Ok(())
    }
}

/// Echoes of messages below the recent range leave, until history brings them with what belongs to them.
pub(super) async fn drop_old(tx: &Tx, messages: &IdSet) -> Res<()> {
    tx.run(&DROP_OLD, vec![messages.bind()]).await.map(drop)
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
        written(orphans().as_query());
    /// What the server had already, below the recent range: history brings it with its reactions.
    DROP_OLD: "echoes of messages below the recent range", Plan::Bounded, "
DELETE FROM messages WHERE id IN (SELECT unhex(value) FROM json_each(?)) AND seq < (
    SELECT c.range_from FROM conversations AS c WHERE c.id = messages.conversation_id AND c.range_to >= c.range_from)";
    DONE: "what is done", Plan::Bounded, written(Entity::delete_many().filter(among(O::Id)).as_query());
    RETRY: "what is to be tried again", Plan::Bounded, written(retry().as_query());
}

fn orphans() -> DeleteMany<messages::Entity> {
    let place = Expr::col((conversations::Entity, C::Id)).equals((messages::Entity, M::ConversationId));
    let place = conversations::Entity::find().select_only().column(C::Id).filter(place);
    let echoes = messages::Entity::delete_many().filter(M::ServerId.is_null()).filter(among(M::Id));
    echoes.filter(Expr::exists(place.into_query()).not())
}

fn retry() -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(O::Retries, Expr::col(O::Retries).add(1))
        .col_expr(O::LastRetry, given())
        .col_expr(O::InFlight, attempt_ended())
        .filter(among(O::Id))
}
