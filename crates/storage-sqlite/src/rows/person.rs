//! People as stored.

use crate::{
    entity::people,
    error::{Fault, Res},
    rows::json,
    version::told,
};
use fieldpost_domain::{MedicId, OrgId, Person, PersonId, Role};

impl TryFrom<people::Model> for Person {
    type Error = Fault;

    fn try_from(row: people::Model) -> Res<Self> {
        Ok(Self {
            id: PersonId::from_uuid(row.id.0),
            org_id: OrgId::from_uuid(row.org_id.0),
            role: Role::from(row.role),
            first_name: row.first_name,
            last_name: row.last_name,
            medic_id: row.medic_id.map(|id| MedicId::from_uuid(id.0)),
            removed: row.removed,
            version: told(row.version),
            extra: json::read_extra(row.extra)?,
        })
    }
}
