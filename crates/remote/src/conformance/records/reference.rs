//! The reference server as a backend with records, alone or behind something else.

use super::{Held, RecordAction, RecordsBackend, StoredAudit, visits};
use crate::{
    RecordsApi,
    conformance::{Unsupported, Verdict, reference::ReferenceBackend},
    reference::{OpenTransaction, Project, ReferenceServer},
};
use async_trait::async_trait;
use fieldpost_domain::{
    AuditId, PersonId, Role,
    records::{RecordRefusal, RecordRefusalCode, RecordRow},
};
use serde_json::Value;

/// A server that offers the tables of the suite, with their rules.
#[must_use]
pub fn server() -> ReferenceServer {
    let server = ReferenceServer::builder().project(Visits).build();
    server.offer_clinical_tables();
    server.offer_table(&visits());
    server
}

/// A backend over such a server.
#[must_use]
pub fn backend() -> ReferenceBackend {
    ReferenceBackend { server: server() }
}

/// The rules of [`visits`].
#[derive(Debug, Clone, Copy)]
pub struct Visits;

impl Visits {
    fn applies(row: &RecordRow) -> bool {
        row.table.as_str() == "visits"
    }

    fn says(row: &RecordRow, column: &str) -> bool {
        row.fields.get(column) == Some(&Value::Bool(true))
    }
}

impl Project for Visits {
    fn shows_record(&self, row: &RecordRow, _: PersonId, role: &Role) -> bool {
        !Self::applies(row) || !Self::says(row, "private") || *role == Role::OrgAdmin
    }

    fn stores_record(
        &self,
        before: Option<&RecordRow>,
        row: &mut RecordRow,
        (_, role): (PersonId, &Role),
    ) -> Result<(), RecordRefusal> {
        let refuse = |code, detail: Option<&str>| Err(RecordRefusal { code, detail: detail.map(str::to_owned) });
        if !Self::applies(row) {
            return Ok(());
        }
        if *role != Role::OrgAdmin && before.is_some_and(|before| Self::says(before, "done")) {
            return refuse(RecordRefusalCode::Forbidden, None);
        }
        if row.fields.get("site").and_then(Value::as_str) == Some("closed") {
            return refuse(RecordRefusalCode::Refused, Some("The site is closed (P0001)"));
        }
        if row.fields.get("minutes").and_then(Value::as_i64).is_some_and(|minutes| minutes < 0) {
            let words = "new row for relation \"visits\" violates check constraint \"visits_minutes_check\" (23514)";
            return refuse(RecordRefusalCode::Refused, Some(words));
        }
        Ok(())
    }
}

#[async_trait]
impl RecordsBackend for ReferenceBackend {
    fn records(&self) -> &dyn RecordsApi {
        &self.server
    }

    async fn perform_on_records(&self, action: RecordAction) -> Verdict {
        perform(&self.server, action)
    }

    async fn hold(&self, action: RecordAction) -> Result<Box<dyn Held>, Unsupported> {
        hold(&self.server, action)
    }

    async fn stored_audit(&self, id: AuditId) -> Result<Option<StoredAudit>, Unsupported> {
        Ok(stored_audit(&self.server, id))
    }
}

/// Performs an action on a reference server; for backends that put something in front of it.
pub fn perform(server: &ReferenceServer, action: RecordAction) -> Verdict {
    let done = match action {
        RecordAction::InsertRecord { table, id, client_id, org_id, fields } => {
            server.insert_record(&table, (id, client_id), org_id, &fields)
        }
        RecordAction::UpdateRecord { table, id, fields } => server.update_record(&table, id, &fields),
        RecordAction::MoveRecord { table, id, org_id } => server.move_record(&table, id, org_id),
        RecordAction::DeleteRecord { table, id } => server.delete_record(&table, id),
        RecordAction::RetryNextRecord { record_id, code } => {
            server.retry_next_record(Some(record_id), code);
            true
        }
        RecordAction::ChangePolicies { .. } => {
            server.change_record_policies();
            true
        }
    };
    assert!(done, "the action found nothing to act on");
    Ok(())
}

/// Performs an action in a transaction that stays open.
pub fn hold(server: &ReferenceServer, action: RecordAction) -> Result<Box<dyn Held>, Unsupported> {
    let open = server.begin();
    let written = match action {
        RecordAction::InsertRecord { table, id, client_id, org_id, fields } => {
            open.insert_record(&table, (id, client_id), org_id, fields)
        }
        RecordAction::UpdateRecord { table, id, fields } => open.update_record(&table, id, fields),
        RecordAction::MoveRecord { table, id, org_id } => open.move_record(&table, id, org_id),
        RecordAction::DeleteRecord { table, id } => open.delete_record(&table, id),
        _ => return Err(Unsupported("do this in a transaction")),
    };
    written.expect("nobody else has locked it");
    Ok(Box::new(HeldOpen(open)))
}

struct HeldOpen(OpenTransaction);

#[async_trait]
impl Held for HeldOpen {
    async fn commit(self: Box<Self>) {
        assert!(self.0.commit(), "the transaction breaks a rule of the tables");
    }
}

/// An entry of a reference server's audit log.
#[must_use]
pub fn stored_audit(server: &ReferenceServer, id: AuditId) -> Option<StoredAudit> {
    let row = server.audit_row(id)?;
    let table = row.table.as_str().to_owned();
    Some(StoredAudit {
        person_id: row.person_id,
        table,
        record_id: row.record_id,
        operation: row.operation,
        context: row.context,
        at: row.at,
    })
}
