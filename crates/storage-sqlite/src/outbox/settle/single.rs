//! Answers that are taken one by one: opens, refusals, and messages that an earlier attempt had stored.

use super::{Entry, Settling, acks};
use crate::{
    entity::{conversations, messages, outbox, value::Id},
    error::Res,
    mutations::{park, record::Recorded},
    rekey, replica,
    sql::IdSet,
};
use fieldpost_domain::{
    Acknowledgement, Changes, ConversationId, MessageAck, MessageStatus, Refusal, RefusalCode, Tombstone,
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, PartialModelTrait, QueryFilter, QuerySelect, Select,
    sea_query::{Expr, Func},
};
use uuid::Uuid;

impl Settling<'_> {
    pub(super) async fn acknowledge(&mut self, entry: &Entry, what: Acknowledgement) -> Res<()> {
        self.report.acknowledge(entry.counts);
        self.touched.insert(entry.lane);
        match what {
            Acknowledgement::Sent(ack) => self.sent(entry, ack).await?,
            Acknowledgement::Stored(message) => {
                self.unify(entry.lane, message.conversation_id.as_uuid()).await?;
                self.drop_other_echo(entry, message.id.as_uuid()).await?;
                let stored = message.id.as_uuid();
                self.apply(Changes { messages: vec![*message], ..Changes::default() }).await?;
                if entry.message.is_some() {
                    acks::drop_old(self.tx, &IdSet::of([stored])).await?;
                }
            }
            Acknowledgement::Deleted(tombstone) => self.deleted(entry, tombstone).await?,
            Acknowledgement::Opened(conversation) => {
                self.unify(entry.lane, conversation.id.as_uuid()).await?;
                self.apply(Changes { conversations: vec![*conversation], ..Changes::default() }).await?;
            }
            Acknowledgement::Marked(marker) => {
                self.apply(Changes { read_markers: vec![marker], ..Changes::default() }).await?;
            }
            Acknowledgement::Reacted(reactions) => self.apply(Changes { reactions, ..Changes::default() }).await?,
            Acknowledgement::Set(row) => {
                self.apply(Changes { settings: vec![row], ..Changes::default() }).await?;
            }
            Acknowledgement::Bare => self.bare(entry).await?,
        }
        self.leave(entry).await
    }

    /// Under another conversation id than the lane's.
    async fn sent(&mut self, entry: &Entry, ack: MessageAck) -> Res<()> {
        self.unify(entry.lane, ack.conversation_id.as_uuid()).await?;
        self.touched.insert(ack.conversation_id.as_uuid());
        self.acks.push(entry.id, self.context.epoch, &ack);
        self.flush().await
    }

    /// The server has the message under another id, which it gave to an older version of the app: one message, one row.
    async fn drop_other_echo(&mut self, entry: &Entry, stored: Uuid) -> Res<()> {
        let Some(message) = entry.message.filter(|message| *message != stored) else { return Ok(()) };
        self.changed.insert(stored);
        let changes = outbox::Entity::update_many()
            .col_expr(outbox::Column::TargetId, Expr::value(Id(stored)))
            .filter(outbox::Column::TargetId.eq(Id(message)));
        self.tx.execute(&changes).await?;
        let echo = messages::Entity::delete_many().filter(messages::Column::Id.eq(Id(message)));
        self.tx.execute(&echo.filter(messages::Column::ServerId.is_null())).await.map(drop)
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
        let sent = messages::Entity::update_many()
            .col_expr(messages::Column::Status, Expr::value(MessageStatus::Sent.as_str()))
            .filter(messages::Column::Id.eq(Id(message)))
            .filter(messages::Column::Seq.is_null());
        self.tx.execute(&sent).await.map(drop)
    }

    async fn leave(&self, entry: &Entry) -> Res<()> {
        self.tx.run(&acks::DONE, vec![IdSet::of([entry.id]).bind()]).await?;
        if let Some(message) = entry.message {
            self.tx.run(&acks::DROP_ORPHANS, vec![IdSet::of([message]).bind()]).await?;
        }
        Ok(())
    }

    /// Rows that came with an answer are rows of the server like any other.
    async fn apply(&mut self, changes: Changes) -> Res<()> {
        let applied = replica::apply::rows(self.tx, &mut self.context, changes).await?;
        self.touched.extend(applied.touched);
        Ok(())
    }

    /// The server knows the conversation of a lane under `canonical`.
    async fn unify(&mut self, lane: Uuid, canonical: Uuid) -> Res<()> {
        if lane == canonical {
            return Ok(());
        }
        let of_the_server = conversations::Entity::find_by_id(Id(lane));
        if !self.tx.finds(&of_the_server.filter(conversations::Column::ServerId.is_not_null())).await? {
            rekey::rekey(self.tx, lane, canonical, &mut self.touched).await?;
            self.context.aliases.rekeyed(lane, canonical);
            self.report.rekeyed.push((ConversationId::from_uuid(lane), ConversationId::from_uuid(canonical)));
        }
        Ok(())
    }

    pub(super) async fn reject(&mut self, entry: &Entry, refusal: &Refusal) -> Res<()> {
        self.touched.insert(entry.lane);
        if !entry.keeps || self.server_has_it(entry).await? {
            self.report.acknowledge(entry.counts);
            return self.tx.run(&acks::DONE, vec![IdSet::of([entry.id]).bind()]).await.map(drop);
        }
        if self.is_done(entry, refusal).await? {
            self.report.acknowledged += 1;
            return self.tx.run(&acks::DONE, vec![IdSet::of([entry.id]).bind()]).await.map(drop);
        }
        self.report.failed += 1;
        self.refuse(entry, refusal).await?;
        if entry.opens {
            self.open_refused(entry.lane).await?;
        }
        Ok(())
    }

    /// Whether the refusal leaves nothing to do. What was to be deleted then stays deleted until the server says something
    /// else: its row keeps what the pending deletion had made of it.
    async fn is_done(&self, entry: &Entry, refusal: &Refusal) -> Res<bool> {
        let Some(target) = entry.target.filter(|_| refusal.code.says_gone()) else { return Ok(false) };
        let recorded = self.tx.find_one::<Recorded>(&recorded(entry.id)).await?;
        let deletion = recorded.and_then(|recorded| recorded.mutation().ok());
        if !deletion.is_some_and(|deletion| deletion.intent.is_done_by(&refusal.code)) {
            return Ok(false);
        }
        let kept = messages::Entity::update_many()
            .col_expr(messages::Column::Base, Expr::value(None::<String>))
            .col_expr(messages::Column::Metadata, Expr::value(None::<String>))
            .filter(messages::Column::Id.eq(Id(target)))
            .filter(messages::Column::Base.is_not_null())
            .filter(messages::Column::DeletedAt.is_not_null());
        self.tx.execute(&kept).await?;
        Ok(true)
    }

    async fn open_refused(&mut self, lane: Uuid) -> Res<()> {
        let here_alone = conversations::Entity::find_by_id(Id(lane));
        if !self.tx.finds(&here_alone.filter(conversations::Column::ServerId.is_null())).await? {
            return Ok(());
        }
        let parked = park::park_lane(self.tx, lane, &RefusalCode::OpenRefused).await?;
        self.report.failed += u32::try_from(parked.failed).unwrap_or(u32::MAX);
        self.report.acknowledged += u32::try_from(parked.left).unwrap_or(u32::MAX);
        Ok(())
    }

    async fn server_has_it(&self, entry: &Entry) -> Res<bool> {
        let Some(message) = entry.message else { return Ok(false) };
        let placed = messages::Entity::find().filter(messages::Column::Id.eq(Id(message)));
        self.tx.finds(&placed.filter(messages::Column::Seq.is_not_null())).await
    }

    /// What is said unseen ends one attempt; an earlier one may have been carried out.
    async fn refuse(&self, entry: &Entry, refusal: &Refusal) -> Res<()> {
        let in_flight = if refusal.code.is_said_unseen() {
            Func::cust("max").args([Expr::col(outbox::Column::InFlight).sub(1), Expr::value(0_i64)]).into()
        } else {
            Expr::value(0_i64)
        };
        let refused = outbox::Entity::update_many()
            .col_expr(outbox::Column::FailedCode, Expr::value(refusal.code.as_str()))
            .col_expr(outbox::Column::FailedDetail, Expr::value(refusal.detail.clone()))
            .col_expr(outbox::Column::InFlight, in_flight)
            .filter(outbox::Column::Id.eq(Id(entry.id)));
        self.tx.execute(&refused).await.map(drop)
    }
}

fn recorded(mutation: Uuid) -> Select<outbox::Entity> {
    Recorded::select_cols(outbox::Entity::find_by_id(Id(mutation)).select_only())
}
