//! People as stored.

use crate::{error::Res, row::Row, rows::json, version::told};
use fieldpost_domain::{MedicId, OrgId, Person, PersonId, Role};

/// The columns that [`from_row`] reads, of `people AS p`.
pub(crate) const PERSON: &str =
    "p.id, p.org_id, p.role, p.first_name, p.last_name, p.medic_id, p.removed, p.version, p.extra";

pub(crate) fn from_row(row: &Row, at: usize) -> Res<Person> {
    Ok(Person {
        id: PersonId::from_uuid(row.id(at)?),
        org_id: OrgId::from_uuid(row.id(at + 1)?),
        role: Role::from(row.get::<String>(at + 2)?),
        first_name: row.get(at + 3)?,
        last_name: row.get(at + 4)?,
        medic_id: row.opt_id(at + 5)?.map(MedicId::from_uuid),
        removed: row.get::<i64>(at + 6)? != 0,
        version: told(row.get(at + 7)?),
        extra: json::read_extra(row.get(at + 8)?)?,
    })
}

/// Of a join: none if there is no such person.
pub(crate) fn joined(row: &Row, at: usize) -> Res<Option<Person>> {
    if row.opt_id(at)?.is_none() {
        return Ok(None);
    }
    from_row(row, at).map(Some)
}
