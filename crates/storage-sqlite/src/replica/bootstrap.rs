//! A page of a bootstrap.
//!
//! A bootstrap confirms. Each conversation of a page comes with its recent messages whole, so what is here inside that range
//! and did not come has been deleted: it leaves with the page. What no page confirmed (conversations, people) leaves with the
//! last one; `confirmed` holds the number of the bootstrap that a row has come in, so finding them is one query.
//!
//! The cursor that a bootstrap leads to lies beyond the one before. What was committed between the two is in its pages, or
//! below what they tell of a conversation, where no pull will ever bring it. So the range that a page tells takes the place of
//! the recent range, and the rows below it leave; they come back as history. What history brought while the bootstrap ran is
//! no exception: it may be older than the cursor.
//!
//! After a change of epoch a row of the old history is one whose stored version is below the floor of the new epoch
//! (`version`). When its conversation is confirmed, such messages inside or above the confirmed range are lost (`lost`).
//!
//! SQL by hand: sets of ranges, for each page of a first load (`load`).

use crate::{
    derived,
    entity::{
        access,
        conversations::{Column, Entity},
        value::Id,
    },
    error::Res,
    hot::{Plan, hot},
    mutations::{overlay, park},
    ranges::{self, RangeSet},
    replica::{
        apply::{self, conversations, people, reactions},
        context::PageContext,
        digest, history, lost, marks,
        position::{self, superseded},
    },
    search::erase,
    sql::{IdSet, Tx, among, id, int, written},
};
use fieldpost_domain::{
    BootstrapPage, Capability, Changes, Continuation, ConversationId, Person, PersonId, RefusalCode, Seq, SeqRange,
};
use fieldpost_storage::{ApplyReport, ChangeSet, MutationIds, SyncPosition, unreadable};
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, QueryTrait, UpdateMany, sea_query::Expr,
};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// What comes after a page.
enum Next {
    /// The bootstrap, from its beginning.
    Anew,
    Page(Continuation),
    Pull,
}

pub(super) async fn apply(
    tx: &Tx,
    ids: &dyn MutationIds,
    after: Option<&Continuation>,
    mut page: BootstrapPage,
) -> Res<ApplyReport> {
    let next = page.next_after.take().map_or(Next::Pull, Next::Page);
    apply_listed(tx, ids, after, page, next).await
}

pub(super) async fn apply_first_screen(tx: &Tx, ids: &dyn MutationIds, page: BootstrapPage) -> Res<ApplyReport> {
    apply_listed(tx, ids, None, BootstrapPage { digest: None, ..page }, Next::Anew).await
}

async fn apply_listed(
    tx: &Tx,
    ids: &dyn MutationIds,
    after: Option<&Continuation>,
    page: BootstrapPage,
    next: Next,
) -> Res<ApplyReport> {
    let mut context = PageContext::read(tx).await?;
    match context.position()? {
        SyncPosition::Bootstrapping { after: expected, .. } if expected.as_ref() == after => {}
        _ => return Err(superseded()),
    }
    if after.is_none() && position::meet(tx, &context.state, page.epoch.as_ref()).await? {
        context = PageContext::read(tx).await?;
    }
    if after.is_none() || matches!(next, Next::Pull) {
        // Who the person is, and what has left.
        tx.changed(ChangeSet::everything()).await;
    }
    let told = told_ranges(&page.changes);
    let came = Came::of(&page.changes);
    let reactions = reactions::Told::by(&page.changes.reactions);
    erase::begin_many(tx).await?;
    lift_revocations(tx, &told).await?;
    let me = page.me.as_ref().map(|me| me.id.as_uuid());
    position::set_me(tx, me).await?;
    context.set_me(me);
    if context.new_epoch {
        marks::lower_to_the_same(tx, &context, &page.changes).await?;
    }
    let read = marks::read_as_told(&context, &page.changes, true);
    let read_before = marks::read_in_the_older_app(tx, &read).await?;
    let (conversations, people) = (unreadable::conversations_of(&page.changes), unreadable::people_of(&page.changes));
    let forgotten = lost::forgotten_deletions(tx, &context, &page.changes).await?;
    marks::forget_arrivals(tx, &context, &page.changes).await?;
    let mut applied = apply::rows(tx, &mut context, page.changes).await?;
    apply::people::put(tx, &context, page.me.as_slice()).await?;
    if page.server.capabilities.contains(&Capability::Reactions) {
        reactions::sweep(tx, &IdSet::of(told.iter().map(|(id, _)| *id)), &reactions).await?;
    }
    marks::keep_read(tx, &context, &read, read_before).await?;
    let confirmed = confirm_unreadable(tx, &context, conversations, people).await?;
    sweep(tx, ids, &context, &told, &came, &read).await?;
    tell_anew(tx, &confirmed, &came).await?;
    applied.touched.extend(confirmed.iter().copied());
    applied.touched.extend(told.iter().map(|(id, _)| *id));
    let first_screen = matches!(next, Next::Anew);
    match next {
        Next::Anew => {
            position::show_first_screen(tx).await?;
            erase::pause_many(tx).await?;
        }
        Next::Page(after) => {
            position::advance(tx, &after, told.len() as u64, page.total_conversations).await?;
            erase::pause_many(tx).await?;
        }
        Next::Pull => {
            applied.report.purged.extend(leave_unconfirmed(tx, ids, &context, page.me.as_ref()).await?);
            if context.new_epoch {
                applied.touched.extend(apply::settings::leave_unconfirmed(tx, &context).await?);
            }
            position::follow(tx, &page.cursor, false).await?;
            erase::end_many(tx).await?;
        }
    }
    position::note_server(tx, &context.state, &page.server).await?;
    lost::delete_again(tx, ids, forgotten, page.server_time).await?;
    overlay::rebuild_all(tx).await?;
    derived::refresh(tx, &applied.touched).await?;
    applied.report.marked_again = marks::requeue_read_marks(tx, ids, &context, &read, page.server_time).await?;
    if !first_screen {
        applied.report.delivered = marks::note_arrived(tx, ids, &context, &applied.touched, page.server_time).await?;
    }
    let digest_matches = digest::matches(tx, page.digest.as_ref()).await?;
    Ok(ApplyReport { digest_matches, ..applied.report })
}

/// What the page lists by rows that cannot be read stays here, a conversation with its row as it was. After a change of epoch that
/// would be a state of another history, which a conversation does not keep. Answers the conversations.
async fn confirm_unreadable(
    tx: &Tx,
    context: &PageContext,
    conversations: BTreeSet<ConversationId>,
    people: BTreeSet<PersonId>,
) -> Res<Vec<Uuid>> {
    let mut confirmed = Vec::new();
    if !conversations.is_empty() && !context.new_epoch {
        confirmed.extend(conversations.iter().map(|id| context.aliases.canonical(id.as_uuid())));
        let ids = IdSet::of(confirmed.iter().copied());
        tx.run(&conversations::CONFIRM, vec![int(context.generation), ids.bind()]).await?;
    }
    if !people.is_empty() {
        people::confirm_unreadable(tx, context, &people).await?;
    }
    Ok(confirmed)
}

/// Of a conversation whose row cannot be read nobody knows up to where its messages were told, and no pull will bring what has
/// changed in it: what did not come with the page comes back as history.
async fn tell_anew(tx: &Tx, confirmed: &[Uuid], came: &Came) -> Res<()> {
    for conversation in confirmed {
        let read = IdSet::of(came.read.iter().copied());
        let row = tx.only(&CAME_OF, vec![id(*conversation), read.bind()]).await?;
        let (lowest, highest) = (row.opt_seq("lowest")?, row.opt_seq("highest")?);
        let from = lowest.unwrap_or(BEYOND);
        let rest = RangeSet::of(&[(*conversation, SeqRange { from, to: BEYOND })]);
        tx.run(&ECHO_AGAIN, vec![rest.bind()]).await?;
        if came.unread.is_none() {
            history::drop_absent(tx, &rest, &came.read).await?;
        }
        let unread = IdSet::of(came.unread.iter().flatten().copied());
        tx.run(&DROP_BELOW, vec![rest.bind(), unread.bind()]).await?;
        ranges::forget(tx, &IdSet::of([*conversation])).await?;
        if let Some(to) = highest {
            ranges::cover(tx, &RangeSet::of(&[(*conversation, SeqRange { from, to })])).await?;
        }
    }
    Ok(())
}

/// Above every seq that a server gives.
const BEYOND: Seq = Seq::new((1 << 53) - 1);

/// Of each conversation of the page the range that it tells whole: from the lowest seq that came up to its last.
fn told_ranges(changes: &Changes) -> Vec<(Uuid, SeqRange)> {
    let mut lowest: HashMap<Uuid, Seq> = HashMap::new();
    for message in &changes.messages {
        let seq = lowest.entry(message.conversation_id.as_uuid()).or_insert(message.seq);
        *seq = message.seq.min(*seq);
    }
    // A page that says what it covers goes down to there, whatever a policy hides of it.
    let mut covered: HashMap<Uuid, SeqRange> = HashMap::new();
    for part in &changes.covered {
        let known = covered.entry(part.conversation_id.as_uuid()).or_insert(part.range);
        *known = SeqRange { from: known.from.min(part.range.from), to: known.to.max(part.range.to) };
    }
    let told = changes.conversations.iter().map(|conversation| {
        let id = conversation.id.as_uuid();
        let covered = covered.get(&id).filter(|range| range.to >= conversation.last_seq).map(|range| range.from);
        let from = lowest.get(&id).copied().into_iter().chain(covered).min().unwrap_or(conversation.last_seq.next());
        (id, SeqRange { from, to: conversation.last_seq })
    });
    told.collect()
}

/// The server lists a conversation as visible, which says more than any revocation that came before. The version of that
/// revocation stays, so that its late repetition is still recognised.
async fn lift_revocations(tx: &Tx, told: &[(Uuid, SeqRange)]) -> Res<()> {
    tx.run(&LIFT, vec![IdSet::of(told.iter().map(|(id, _)| *id)).bind()]).await.map(drop)
}

/// The messages of a page.
struct Came {
    read: Vec<Uuid>,
    /// Those that cannot be read, as far as they say their id; none if all can be.
    unread: Option<Vec<Uuid>>,
}

impl Came {
    fn of(changes: &Changes) -> Self {
        let unread = unreadable::messages_of(changes);
        Self {
            read: changes.messages.iter().map(|message| message.id.as_uuid()).collect(),
            unread: unread.map(|ids| ids.into_iter().map(|id| id.as_uuid()).collect()),
        }
    }
}

async fn sweep(
    tx: &Tx,
    ids: &dyn MutationIds,
    context: &PageContext,
    told: &[(Uuid, SeqRange)],
    came: &Came,
    read: &[(Uuid, SeqRange)],
) -> Res<()> {
    let ranges = RangeSet::of(told);
    tx.run(&ECHO_AGAIN, vec![ranges.bind()]).await?;
    if context.new_epoch {
        for (id, range) in told {
            lost::sweep(tx, ids, context, *id, range.from, Some(&RefusalCode::LostByServer)).await?;
        }
    }
    let ids = IdSet::of(told.iter().map(|(id, _)| *id));
    if came.unread.is_none() {
        history::drop_absent(tx, &ranges, &came.read).await?;
    }
    marks::discount(tx, context, read).await?;
    // After a change of epoch an earlier state of what cannot be read is one of another history.
    let confirmed = came.unread.iter().flatten().copied().filter(|_| !context.new_epoch);
    tx.run(&DROP_BELOW, vec![ranges.bind(), IdSet::of(confirmed).bind()]).await?;
    ranges::forget(tx, &ids).await?;
    ranges::cover(tx, &ranges).await?;
    tx.run(&DROP_UPGRADED, vec![ids.bind()]).await.map(drop)
}

hot! {
    LIFT: "revocations that are lifted", Plan::Bounded,
        written(lifted().filter(among(access::Column::ConversationId)).as_query());

    CAME_OF: "what came of a conversation", Plan::Bounded,
        "SELECT min(m.seq) AS lowest, max(m.seq) AS highest FROM messages AS m
        WHERE m.conversation_id = ? AND m.id IN (SELECT unhex(value) FROM json_each(?))";

    /// An own message below a told range whose send awaits its answer becomes a local echo again: the answer will tell.
    ECHO_AGAIN: "what awaits its answer below a told range", Plan::Bounded, "
WITH told AS (SELECT unhex(value ->> 0) AS id, value ->> 1 AS f FROM json_each(?))
UPDATE messages SET server_id = NULL, seq = NULL, position = o.position, status = 'queued', version = -1,
    deleted_at = NULL, omitted = NULL, created_at = coalesce(composed_at, created_at),
    content = CASE WHEN json_valid(o.payload) THEN o.payload ->> 'content' ELSE content END,
    metadata = CASE WHEN json_valid(o.payload) THEN o.payload -> 'metadata' ELSE metadata END,
    mentions = CASE WHEN json_valid(o.payload) THEN o.payload -> 'mentions' ELSE mentions END, base = NULL
FROM told JOIN outbox AS o ON o.conversation_id = told.id
WHERE messages.id = o.message_id AND messages.seq < told.f";

    /// Nobody vouches for what lies below a told range. What has no seq yet is not below anything.
    DROP_BELOW: "what lies below a told range", Plan::Bounded, "
WITH told AS (SELECT unhex(value ->> 0) AS id, value ->> 1 AS f FROM json_each(?))
DELETE FROM messages WHERE pk IN (
    SELECT m.pk FROM told JOIN messages AS m ON m.conversation_id = told.id AND m.seq < told.f
    WHERE m.id NOT IN (SELECT unhex(value) FROM json_each(?)))";

    /// Acknowledged messages of an upgraded file have no seq until they come from the server. Those that did not come with the
    /// recent ones cannot be placed among them; they come back as history, unless they were deleted since.
    DROP_UPGRADED: "what an upgraded file cannot place", Plan::Bounded, "
DELETE FROM messages WHERE seq IS NULL AND position IS NULL AND conversation_id IN (
    SELECT c.id FROM conversations AS c
    WHERE c.id IN (SELECT unhex(value) FROM json_each(?)) AND (c.range_to > 0 OR c.last_seq = 0))";
}

fn lifted() -> UpdateMany<access::Entity> {
    let lifted = access::Entity::update_many().col_expr(access::Column::Revoked, Expr::value(false));
    lifted.filter(access::Column::Revoked.eq(true))
}

/// What nobody confirmed leaves the store.
async fn leave_unconfirmed(
    tx: &Tx,
    ids: &dyn MutationIds,
    context: &PageContext,
    me: Option<&Person>,
) -> Res<Vec<ConversationId>> {
    let unconfirmed = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::ServerId.is_not_null())
        .filter(Column::Confirmed.lt(context.generation));
    let leaving = tx.find::<Leaving>(&unconfirmed).await?;
    let leaving: BTreeSet<_> = leaving.into_iter().map(|leaving| leaving.id.0).collect();
    for conversation in &leaving {
        let fate = if context.new_epoch { lost::fate_of_unlisted(tx, context, *conversation, me).await? } else { None };
        if fate != Some(RefusalCode::LostByServer) {
            park::doubt_losses(tx, *conversation).await?;
        }
        if context.new_epoch {
            lost::sweep(tx, ids, context, *conversation, Seq::ZERO, fate.as_ref()).await?;
        }
        park::purge(tx, *conversation, &RefusalCode::AccessLost).await?;
    }
    people::leave_unconfirmed(tx, context).await?;
    tracing::debug!(conversations = leaving.len(), signed_in = context.viewer.is_some(), "a bootstrap is complete");
    Ok(leaving.into_iter().map(ConversationId::from_uuid).collect())
}

#[derive(Debug, FromQueryResult)]
struct Leaving {
    id: Id,
}
