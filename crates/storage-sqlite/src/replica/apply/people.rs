//! People of a page.

use crate::{
    error::Res,
    replica::position::Standing,
    rows::json,
    sql::{IdSet, Insert, Tx, id, int, opt_id, text},
};
use fieldpost_domain::Person;
use std::collections::HashSet;

/// Upserts them and says how many changed.
pub(crate) async fn put(tx: &Tx, standing: &Standing, people: &[Person]) -> Res<u64> {
    if people.is_empty() {
        return Ok(0);
    }
    if standing.bootstrapping {
        follow_out_of_sight(tx, standing, people).await?;
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
    if standing.bootstrapping {
        let ids = IdSet::of(people.iter().map(|person| person.id.as_uuid()));
        tx.run(CONFIRM, vec![int(standing.generation), ids.bind()]).await?;
    }
    Ok(changed)
}

/// A removed member takes the place of a row of another org only as a bootstrap's first word about somebody: the other org may
/// be out of sight by now.
async fn follow_out_of_sight(tx: &Tx, standing: &Standing, people: &[Person]) -> Res<()> {
    let mut met = HashSet::new();
    for person in people.iter().filter(|person| met.insert(person.id)).filter(|person| person.removed) {
        let org = id(person.org_id.as_uuid());
        let values = vec![org.clone(), id(person.id.as_uuid()), org, int(standing.generation)];
        tx.run(OTHER_ORG, values).await?;
    }
    Ok(())
}

const OTHER_ORG: &str = "UPDATE people SET org_id = ?, version = -1 WHERE id = ? AND org_id <> ? AND confirmed < ?";

const UPSERT: Insert = Insert {
    head: "INSERT INTO people (id, org_id, role, first_name, last_name, medic_id, removed, version, extra) VALUES",
    columns: 9,
    tail: "ON CONFLICT (id) DO UPDATE SET org_id = excluded.org_id, role = excluded.role,
            first_name = excluded.first_name, last_name = excluded.last_name, medic_id = excluded.medic_id,
            removed = excluded.removed, version = excluded.version, extra = excluded.extra
        WHERE CASE WHEN excluded.org_id = org_id THEN excluded.version > version ELSE NOT excluded.removed END",
};

pub(crate) const CONFIRM: &str = "UPDATE people SET confirmed = ? WHERE id IN (SELECT unhex(value) FROM json_each(?))";
