//! People of a page. Somebody has a row for each org that she is or was a member of, and their versions are not comparable.
//!
//! SQL by hand: sets of rows (`apply`).

use crate::{
    entity::people::{Column as P, Entity},
    error::Res,
    hot::{Plan, hot},
    replica::context::PageContext,
    rows::json,
    sql::{Field, IdSet, Insert, Tx, among, given, id, int, opt_id, set_excluded, text, written},
    version::UNKNOWN_TO_SERVER,
};
use fieldpost_domain::{Person, PersonId};
use fieldpost_storage::ChangeSet;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryTrait, sea_query::Expr};
use std::{collections::BTreeSet, sync::LazyLock};

/// Upserts them and says how many changed.
pub(crate) async fn put(tx: &Tx, context: &PageContext, people: &[Person]) -> Res<u64> {
    if people.is_empty() {
        return Ok(0);
    }
    let changed = UPSERT.run(tx, people, context).await?;
    if changed > 0 {
        // Names and roles are in every line of the list.
        tx.changed(ChangeSet::everything()).await;
    }
    if context.bootstrapping {
        let row = |person: &Person| {
            let (id, org) = (person.id.as_uuid(), person.org_id.as_uuid());
            format!("[\"{}\",\"{}\"]", id.simple(), org.simple())
        };
        let rows = format!("[{}]", people.iter().map(row).collect::<Vec<_>>().join(","));
        tx.run(&CONFIRM, vec![int(context.generation), text(rows)]).await?;
    }
    Ok(changed)
}

const COLUMNS: [Field<Entity, Person, PageContext>; 9] = [
    (P::Id, |person, _| id(person.id.as_uuid())),
    (P::OrgId, |person, _| id(person.org_id.as_uuid())),
    (P::Role, |person, _| text(person.role.as_str())),
    (P::FirstName, |person, _| text(person.first_name.as_str())),
    (P::LastName, |person, _| text(person.last_name.as_str())),
    (P::MedicId, |person, _| opt_id(person.medic_id.map(|id| id.as_uuid()))),
    (P::Removed, |person, _| int(person.removed.into())),
    (P::Version, |person, context| context.epoch.bind(person.version)),
    (P::Extra, |person, _| json::extra(&person.extra)),
];

static UPSERT: LazyLock<Insert<Person, PageContext>> = LazyLock::new(|| {
    let told: Vec<_> = COLUMNS.iter().map(|(column, _)| *column).collect();
    // The first two are the key.
    let told = set_excluded(told.get(2..).unwrap_or_default());
    let newer = format!("ON CONFLICT (id, org_id) DO UPDATE SET {told} WHERE excluded.version > version");
    Insert::into::<Entity>(&COLUMNS, newer)
});

hot! {
    CONFIRM: "people that a bootstrap confirms", Plan::Bounded,
        "UPDATE people SET confirmed = ?
        WHERE (id, org_id) IN (SELECT unhex(value ->> 0), unhex(value ->> 1) FROM json_each(?))";
    /// Those whose rows cannot be read stay as they were, in whatever org.
    SPARE: "people whose rows cannot be read", Plan::Bounded,
        written(Entity::update_many().col_expr(P::Confirmed, given()).filter(among(P::Id)).as_query());
}

/// Keeps those whose rows cannot be read.
pub(crate) async fn confirm_unreadable(tx: &Tx, context: &PageContext, people: &BTreeSet<PersonId>) -> Res<()> {
    let ids = IdSet::of(people.iter().map(|id| id.as_uuid()));
    tx.run(&SPARE, vec![int(context.generation), ids.bind()]).await.map(drop)
}

/// With the last page of a bootstrap: who has not come leaves. A row that a message here names as its sender stays as one of
/// the past, unless another one of hers has come.
pub(crate) async fn leave_unconfirmed(tx: &Tx, context: &PageContext) -> Res<()> {
    tx.run(FORGET, vec![int(context.generation), int(context.generation)]).await?;
    // Any later word of the server about them is news.
    let former = Entity::update_many()
        .col_expr(P::Removed, Expr::value(true))
        .col_expr(P::Version, Expr::value(UNKNOWN_TO_SERVER))
        .filter(P::Confirmed.lt(context.generation));
    tx.execute(&former).await.map(drop)
}

const FORGET: &str = "
DELETE FROM people WHERE confirmed < ? AND (
    NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.sender_id = people.id)
    OR EXISTS (SELECT 1 FROM people AS q WHERE q.id = people.id AND q.confirmed >= ?))";
