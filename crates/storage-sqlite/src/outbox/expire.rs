//! What has waited too long to be sent.

use crate::{
    entity::{
        conversations::{self, Column as C},
        messages::{self, Column as M},
        outbox::{Column as O, Entity},
        value::{Id, Micros},
    },
    error::Res,
    sql::Tx,
};
use fieldpost_domain::{ConversationId, RefusalCode, Time};
use fieldpost_storage::ChangeSet;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement},
};

/// Entries that wait since before a moment, and that the server certainly does not have.
fn waiting(before: Time) -> Condition {
    Condition::all().add(O::FailedCode.is_null()).add(O::InFlight.eq(0_i64)).add(O::RecordedAt.lt(Micros(before)))
}

/// Messages that expire, unless they have come back from the server.
fn message() -> Condition {
    let arrived = messages::Entity::find().select_only().column(M::Id).filter(M::Seq.is_not_null());
    let arrived = arrived.filter(Expr::col((messages::Entity, M::Id)).equals((Entity, O::MessageId)));
    Condition::all().add(O::Expires.eq(true)).add(Expr::exists(arrived.into_query()).not())
}

/// An open whose messages have all expired. A message that still waits keeps it; so does an open without messages.
fn open() -> Condition {
    let here_alone = conversations::Entity::find().select_only().column(C::Id).filter(C::ServerId.is_null());
    let here_alone = here_alone.filter(Expr::col((conversations::Entity, C::Id)).equals((Entity, O::ConversationId)));
    let expired = of_lane(Other(O::FailedCode).column().eq(RefusalCode::Expired.as_str()));
    let waits = of_lane(Other(O::Expires).column().eq(true).and(Other(O::FailedCode).column().is_null()));
    Condition::all()
        .add(O::Opens.eq(true))
        .add(Expr::exists(here_alone.into_query()))
        .add(Expr::exists(expired))
        .add(Expr::exists(waits).not())
}

const OTHER: &str = "other";

/// A column of another entry of the same lane.
struct Other(O);

impl Other {
    fn column(self) -> Expr {
        Expr::col((Alias::new(OTHER), self.0))
    }
}

/// Entries of the same lane.
fn of_lane(which: Expr) -> SelectStatement {
    let same = Expr::col((Alias::new(OTHER), O::ConversationId)).equals((Entity, O::ConversationId));
    let mut of_lane = Query::select();
    of_lane.expr(Expr::value(1)).from_as(Entity, Alias::new(OTHER)).and_where(same).and_where(which);
    of_lane
}

/// Whether anything may expire. Most passes find nothing, and must not write to learn that.
pub(super) async fn any(tx: &Tx, before: Time) -> Res<bool> {
    let either = Condition::any().add(message()).add(open());
    tx.finds(&Entity::find().filter(waiting(before)).filter(either)).await
}

pub(super) async fn expire(tx: &Tx, before: Time) -> Res<u64> {
    let mut expired = 0;
    // Messages first: an open expires with its last one.
    for which in [message(), open()] {
        let which = waiting(before).add(which);
        let lanes = Entity::find().select_only().column(O::ConversationId).distinct().filter(which.clone());
        let lanes = tx.find::<Lane>(&lanes).await?;
        let failed = Entity::update_many()
            .col_expr(O::FailedCode, Expr::value(RefusalCode::Expired.as_str()))
            .col_expr(O::FailedDetail, Expr::value(None::<String>))
            .filter(which);
        expired += tx.execute(&failed).await?;
        let lanes = lanes.into_iter().map(|lane| ConversationId::from_uuid(lane.conversation_id.0));
        tx.changed(ChangeSet::of(lanes).and_outbox()).await;
    }
    Ok(expired)
}

#[derive(Debug, FromQueryResult)]
struct Lane {
    conversation_id: Id,
}
