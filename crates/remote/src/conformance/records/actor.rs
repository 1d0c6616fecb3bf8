//! A signed-in person who works with records: the verbs of the stories.

use super::{RecordAction, RecordsBackend, backend::table};
use crate::{
    AuditAnswer, OutgoingAudit, OutgoingRecord, RecordPullRequest, RecordPushAnswer, RemoteResult,
    conformance::{Actor, Scene, Unsupported, Verdict, fresh},
};
use fieldpost_domain::{
    AccessToken, AuditId, Cursor, MedicId, OrgId, PersonId, Time, Version,
    records::{
        AuditOperation, ConflictRule, Fields, Modified, RecordId, RecordOperation, RecordOutcome, RecordPage,
        RecordRefusal, RecordRefusalCode, RecordResult, RecordRow, RecordTombstone, TableName,
        clinical::{Model, Severity, Treatment, Worker},
    },
};
use std::time::Duration;

/// A signed-in person and the org that she works in.
pub struct Clerk<'b> {
    backend: &'b dyn RecordsBackend,
    actor: Actor<'b>,
    org_id: OrgId,
}

/// Everything that a load or a pass fetched.
#[derive(Debug)]
pub struct Loaded {
    /// The rows of all pages, in order.
    pub rows: Vec<RecordRow>,
    /// The tombstones of all pages, in order.
    pub tombstones: Vec<RecordTombstone>,
    /// Where the next pass starts.
    pub cursor: Cursor,
    /// The rows and tombstones of each page.
    pub sizes: Vec<usize>,
}

impl Loaded {
    /// A row by its primary key.
    #[must_use]
    pub fn row(&self, id: RecordId) -> Option<&RecordRow> {
        self.rows.iter().find(|row| row.id == id)
    }
}

impl<'b> Clerk<'b> {
    /// The admin of a scene.
    pub async fn admin(backend: &'b dyn RecordsBackend, scene: &Scene<'b>) -> Self {
        Self { backend, actor: scene.admin().await, org_id: scene.world.org_id }
    }

    /// A medic of a scene.
    pub async fn medic(backend: &'b dyn RecordsBackend, scene: &Scene<'b>, index: usize) -> Self {
        Self { backend, actor: scene.medic(index).await, org_id: scene.world.org_id }
    }

    /// Her id.
    #[must_use]
    pub const fn id(&self) -> PersonId {
        self.actor.id
    }

    /// Her org.
    #[must_use]
    pub const fn org_id(&self) -> OrgId {
        self.org_id
    }

    /// Her token.
    #[must_use]
    pub const fn token(&self) -> &AccessToken {
        self.actor.token()
    }

    /// Sends a batch, and returns the whole answer.
    pub async fn try_push(&self, changes: &[OutgoingRecord]) -> RemoteResult<RecordPushAnswer> {
        self.backend.records().push_records(self.token(), changes).await
    }

    /// Sends a batch and returns one result per change, in order and with its id.
    pub async fn push(&self, changes: &[OutgoingRecord]) -> Vec<RecordResult> {
        let answer = self.try_push(changes).await.expect("an answer to a push");
        let (asked, answered): (Vec<_>, Vec<_>) =
            (changes.iter().map(|it| it.id).collect(), answer.results.iter().map(|it| it.mutation_id).collect());
        assert_eq!(asked, answered, "one result per change, in order, under the same id");
        answer.results
    }

    /// Sends one change.
    pub async fn push_one(&self, change: &OutgoingRecord) -> RecordOutcome {
        self.push(std::slice::from_ref(change)).await.remove(0).outcome
    }

    /// The server's clock.
    pub async fn server_time(&self) -> Time {
        self.try_push(&[]).await.expect("an empty batch is answered").server_time
    }

    /// A create that she makes now, in her org.
    #[must_use]
    pub fn create(&self, table_name: &str, fields: Fields) -> OutgoingRecord {
        let change = change(RecordOperation::Create, table_name, fresh::record_id(), fields);
        OutgoingRecord { org_id: Some(self.org_id), ..change }
    }

    /// Creates a record now. It must be stored.
    pub async fn created(&self, table_name: &str, fields: Fields) -> RecordId {
        self.created_ago(0, table_name, fields).await
    }

    /// Creates a record so many seconds ago. It must be stored.
    pub async fn created_ago(&self, seconds: u64, table_name: &str, fields: Fields) -> RecordId {
        let change = OutgoingRecord { modified: ago(seconds), ..self.create(table_name, fields) };
        let (server_id, version) = won(&self.push_one(&change).await);
        assert!(version.is_some(), "it is there");
        server_id
    }

    /// Changes a record so many seconds ago. It must be stored.
    pub async fn updated_ago(&self, seconds: u64, table_name: &str, id: RecordId, fields: Fields) -> Version {
        let change = OutgoingRecord { modified: ago(seconds), ..update(table_name, id, fields) };
        won(&self.push_one(&change).await).1.expect("it is there")
    }

    /// One page.
    pub async fn page(&self, request: RecordPullRequest) -> RemoteResult<RecordPage> {
        self.backend.records().pull_records(self.token(), request).await
    }

    /// A whole first load.
    pub async fn load(&self, tables: &[&str]) -> Loaded {
        self.load_by(tables, None).await
    }

    /// A whole first load in pages of the given size.
    pub async fn load_by(&self, tables: &[&str], limit: Option<u32>) -> Loaded {
        self.pass(RecordPullRequest { limit, ..asked(tables, None) }, true).await
    }

    /// A whole pass over what was committed since a cursor.
    pub async fn catch_up(&self, tables: &[&str], cursor: &Cursor) -> Loaded {
        self.pass(asked(tables, Some(cursor)), false).await
    }

    /// All pages from a request on. All belong to a first load, or none.
    pub async fn pass(&self, mut request: RecordPullRequest, loading: bool) -> Loaded {
        let (mut rows, mut tombstones, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            assert!(sizes.len() < 2000, "a pass must come to an end");
            let mut page = self.page(request.clone()).await.expect("a page");
            assert_eq!((page.unreadable, page.loading), (0, loading));
            sizes.push(page.rows.len() + page.tombstones.len());
            rows.append(&mut page.rows);
            tombstones.append(&mut page.tombstones);
            if !page.more {
                return Loaded { rows, tombstones, cursor: page.cursor, sizes };
            }
            request.cursor = Some(page.cursor);
        }
    }

    /// A row that she sees, by its primary key.
    pub async fn row(&self, table_name: &str, id: RecordId) -> Option<RecordRow> {
        self.load(&[table_name]).await.rows.into_iter().find(|row| row.id == id)
    }

    /// Uploads entries of the audit log.
    pub async fn try_audit(&self, entries: &[OutgoingAudit]) -> RemoteResult<AuditAnswer> {
        self.backend.records().push_audit(self.token(), entries).await
    }

    /// Performs an action outside the contract.
    pub async fn perform(&self, action: RecordAction) -> Verdict {
        self.backend.perform_on_records(action).await
    }

    /// Another client inserts a row in her org; it has no client's id.
    pub async fn stranger_inserts(&self, table_name: &str, fields: Fields) -> Result<RecordId, Unsupported> {
        let (table, id, client_id, org_id) = (table(table_name), fresh::record_id(), None, self.org_id);
        self.perform(RecordAction::InsertRecord { table, id, client_id, org_id, fields }).await?;
        Ok(id)
    }

    /// An older version of the app has stored a record: the server made its primary key. Returns that and the client's
    /// id.
    pub async fn older_app_inserts(
        &self,
        table_name: &str,
        fields: Fields,
    ) -> Result<(RecordId, RecordId), Unsupported> {
        let (table, id, client_id) = (table(table_name), fresh::record_id(), fresh::record_id());
        let org_id = self.org_id;
        self.perform(RecordAction::InsertRecord { table, id, client_id: Some(client_id), org_id, fields }).await?;
        Ok((id, client_id))
    }

    /// Another client changes a row.
    pub async fn stranger_updates(&self, table_name: &str, id: RecordId, fields: Fields) -> Verdict {
        self.perform(RecordAction::UpdateRecord { table: table(table_name), id, fields }).await
    }

    /// Another client deletes a row.
    pub async fn stranger_deletes(&self, table_name: &str, id: RecordId) -> Verdict {
        self.perform(RecordAction::DeleteRecord { table: table(table_name), id }).await
    }
}

/// A request without limits.
pub(super) fn asked(tables: &[&str], cursor: Option<&Cursor>) -> RecordPullRequest {
    let tables = tables.iter().map(|name| table(name)).collect();
    RecordPullRequest { tables, cursor: cursor.cloned(), limit: None, bytes: None }
}

/// A change that is made now.
pub(super) fn change(
    operation: RecordOperation,
    table_name: &str,
    record_id: RecordId,
    fields: Fields,
) -> OutgoingRecord {
    OutgoingRecord {
        id: fresh::mutation_id(),
        table: table(table_name),
        record_id,
        operation,
        org_id: None,
        fields,
        modified: ago(0),
        after: None,
        rule: ConflictRule::LastWriteWins,
    }
}

/// An update that is made now.
pub(super) fn update(table_name: &str, record_id: RecordId, fields: Fields) -> OutgoingRecord {
    change(RecordOperation::Update, table_name, record_id, fields)
}

/// A delete that is made now.
pub(super) fn delete(table_name: &str, record_id: RecordId) -> OutgoingRecord {
    change(RecordOperation::Delete, table_name, record_id, Fields::new())
}

/// So many seconds before the call.
pub(super) const fn ago(seconds: u64) -> Modified {
    Modified::Ago(Duration::from_secs(seconds))
}

/// The fields of a worker.
pub(super) fn worker(last_name: &str) -> Fields {
    Worker::new("Ada", last_name, "Crane Ltd", "rigger").to_fields()
}

/// The fields of a treatment.
pub(super) fn treatment(worker_id: RecordId, medic_id: MedicId) -> Fields {
    Treatment::new(worker_id, medic_id.as_uuid(), "SITE-20260131-001", "cut", Severity::Minor).to_fields()
}

/// The fields of a visit.
pub(super) fn visit(site: &str) -> Fields {
    Fields::new().with("site", site)
}

/// The field with this one value.
pub(super) fn one(column: &str, value: impl fieldpost_domain::records::IntoValue) -> Fields {
    Fields::new().with(column, value)
}

/// A field's text in a row.
pub(super) fn text<'r>(row: &'r RecordRow, column: &str) -> Option<&'r str> {
    row.fields.get(column).and_then(serde_json::Value::as_str)
}

/// The primary key and the version of a change that the server has.
pub(super) fn won(outcome: &RecordOutcome) -> (RecordId, Option<Version>) {
    match outcome {
        RecordOutcome::Won { server_id, version, .. } => (*server_id, *version),
        other => panic!("expected a change that the server has, got {other:?}"),
    }
}

/// When the server says that a change was made.
pub(super) fn stamped(outcome: &RecordOutcome) -> Time {
    match outcome {
        RecordOutcome::Won { modified_at, .. } => *modified_at,
        other => panic!("expected a change that the server has, got {other:?}"),
    }
}

/// The row that won.
pub(super) fn lost(outcome: &RecordOutcome) -> RecordRow {
    match outcome {
        RecordOutcome::Lost { winner } => (**winner).clone(),
        other => panic!("expected a change that lost, got {other:?}"),
    }
}

/// Why a change was refused.
pub(super) fn refusal(outcome: &RecordOutcome) -> RecordRefusal {
    match outcome {
        RecordOutcome::Refused(refusal) => refusal.clone(),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// The code of a refusal.
pub(super) fn refused(outcome: &RecordOutcome) -> RecordRefusalCode {
    refusal(outcome).code
}

/// The ids of some rows, sorted.
pub(super) fn ids(rows: &[RecordRow]) -> Vec<RecordId> {
    let mut ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    ids.sort();
    ids
}

/// These ids, sorted.
pub(super) fn sorted(ids: impl IntoIterator<Item = RecordId>) -> Vec<RecordId> {
    let mut ids: Vec<_> = ids.into_iter().collect();
    ids.sort();
    ids
}

/// An entry of the audit log that is made now.
pub(super) fn read_of(table_name: &str, record_id: RecordId) -> OutgoingAudit {
    OutgoingAudit {
        id: AuditId::from_parts(chrono::Utc::now(), fresh::fresh_bytes()),
        table: table(table_name),
        record_id,
        operation: AuditOperation::Read,
        context: Some("worker list".to_owned()),
        at: ago(0),
    }
}

/// The name of a table that no server offers.
pub(super) fn unknown_table() -> TableName {
    table("fieldpost_none_such")
}
