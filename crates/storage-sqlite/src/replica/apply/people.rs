//! People of a page. Somebody has a row for each org that she is or was a member of, and their versions are not comparable.

use crate::{
    error::Res,
    replica::position::Standing,
    rows::json,
    sql::{IdSet, Insert, Tx, id, int, opt_id, text},
};
use fieldpost_domain::{Person, PersonId};
use fieldpost_storage::ChangeSet;
use std::collections::BTreeSet;

/// Upserts them and says how many changed.
pub(crate) async fn put(tx: &Tx, standing: &Standing, people: &[Person]) -> Res<u64> {
    if people.is_empty() {
        return Ok(0);
    }
    let changed = UPSERT
        .run(tx, people, |person, values| {
            values.extend([
                id(person.id.as_uuid()),
                id(person.org_id.as_uuid()),
                text(person.role.as_str()),
                text(person.first_name.as_str()),
                text(person.last_name.as_str()),
                opt_id(person.medic_id.map(|id| id.as_uuid())),
                int(person.removed.into()),
                standing.epoch.bind(person.version),
                json::extra(&person.extra),
            ]);
        })
        .await?;
    if changed > 0 {
        // Names and roles are in every line of the list.
        tx.changed(ChangeSet::everything()).await;
    }
    if standing.bootstrapping {
        let row = |person: &Person| {
            let (id, org) = (person.id.as_uuid(), person.org_id.as_uuid());
            format!("[\"{}\",\"{}\"]", id.simple(), org.simple())
        };
        let rows = format!("[{}]", people.iter().map(row).collect::<Vec<_>>().join(","));
        tx.run(CONFIRM, vec![int(standing.generation), text(rows)]).await?;
    }
    Ok(changed)
}

const UPSERT: Insert = Insert {
    head: "INSERT INTO people (id, org_id, role, first_name, last_name, medic_id, removed, version, extra) VALUES",
    columns: 9,
    tail: "ON CONFLICT (id, org_id) DO UPDATE SET role = excluded.role, first_name = excluded.first_name,
            last_name = excluded.last_name, medic_id = excluded.medic_id, removed = excluded.removed,
            version = excluded.version, extra = excluded.extra
        WHERE excluded.version > version",
};

const CONFIRM: &str = "
UPDATE people SET confirmed = ?
WHERE (id, org_id) IN (SELECT unhex(value ->> 0), unhex(value ->> 1) FROM json_each(?))";

/// Those whose rows cannot be read stay as they were, in whatever org.
pub(crate) async fn spare(tx: &Tx, standing: &Standing, people: &BTreeSet<PersonId>) -> Res<()> {
    let sql = "UPDATE people SET confirmed = ? WHERE id IN (SELECT unhex(value) FROM json_each(?))";
    let ids = IdSet::of(people.iter().map(|id| id.as_uuid()));
    tx.run(sql, vec![int(standing.generation), ids.bind()]).await.map(drop)
}

/// With the last page of a bootstrap: who has not come leaves. A row that a message here names as its sender stays as one of
/// the past, unless another one of hers has come.
pub(crate) async fn leave_unconfirmed(tx: &Tx, standing: &Standing) -> Res<()> {
    tx.run(FORGET, vec![int(standing.generation), int(standing.generation)]).await?;
    tx.run(FORMER, vec![int(standing.generation)]).await.map(drop)
}

const FORGET: &str = "
DELETE FROM people WHERE confirmed < ? AND (
    NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.sender_id = people.id)
    OR EXISTS (SELECT 1 FROM people AS q WHERE q.id = people.id AND q.confirmed >= ?))";

/// Any later word of the server about them is news.
const FORMER: &str = "UPDATE people SET removed = 1, version = -1 WHERE confirmed < ?";
