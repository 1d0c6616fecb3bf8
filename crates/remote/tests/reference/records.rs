//! Records on the reference server: what the contract does not show.

use fieldpost_domain::{
    AccessToken, Cursor, MutationId, OrgId, PersonId, RetryCode,
    records::{
        ConflictRule, Fields, Modified, RecordId, RecordOperation, RecordOutcome, RecordTable, TableName,
        clinical::{Model, Worker},
    },
};
use fieldpost_remote::{
    Auth, Credentials, ExpiredReason, OutgoingRecord, RecordPullRequest, RecordsApi, RemoteErrorKind,
    reference::{Locked, Profile, ReferenceBuilder, ReferenceServer},
};
use std::time::Duration;

pub(crate) fn workers() -> TableName {
    TableName::new("workers").unwrap()
}

pub(crate) fn record(number: u128) -> RecordId {
    RecordId::from_uuid(uuid::Uuid::from_u128(number))
}

fn worker(name: &str) -> Fields {
    Worker::new("Ada", name, "Crane Ltd", "rigger").to_fields()
}

pub(crate) struct Given {
    pub(crate) server: ReferenceServer,
    pub(crate) org: OrgId,
    pub(crate) token: AccessToken,
    pub(crate) person: PersonId,
}

pub(crate) async fn given(builder: ReferenceBuilder) -> Given {
    let server = builder.build();
    server.offer_clinical_tables();
    let org = server.add_org("Walk");
    let (email, password) = ("ada@walk.test", "pw");
    let person = server.add_admin(org, Profile { first_name: "A", last_name: "B", email, password });
    let credentials = Credentials { email: email.to_owned(), password: password.into() };
    let token = server.sign_in(&credentials).await.unwrap().access_token;
    Given { server, org, token, person }
}

pub(crate) fn change(mutation: u128, id: RecordId, operation: RecordOperation, org: OrgId) -> OutgoingRecord {
    OutgoingRecord {
        id: MutationId::from_uuid(uuid::Uuid::from_u128(mutation)),
        table: workers(),
        record_id: id,
        operation,
        org_id: Some(org),
        fields: worker("Moss"),
        modified: Modified::Ago(Duration::ZERO),
        after: None,
        rule: ConflictRule::LastWriteWins,
    }
}

impl Given {
    fn create(&self, number: u128) -> OutgoingRecord {
        change(number, record(number), RecordOperation::Create, self.org)
    }

    fn update(&self, number: u128, of: u128) -> OutgoingRecord {
        change(number, record(of), RecordOperation::Update, self.org)
    }

    async fn push(&self, change: OutgoingRecord) -> RecordOutcome {
        self.server.push_records(&self.token, &[change]).await.unwrap().results.remove(0).outcome
    }

    async fn load(&self) -> Cursor {
        self.server.pull_records(&self.token, request(&[workers()], None)).await.unwrap().cursor
    }

    async fn expired(&self, tables: &[TableName], cursor: &Cursor) -> Option<RemoteErrorKind> {
        let answer = self.server.pull_records(&self.token, request(tables, Some(cursor))).await;
        answer.err().map(|error| error.kind())
    }
}

fn request(tables: &[TableName], cursor: Option<&Cursor>) -> RecordPullRequest {
    RecordPullRequest { tables: tables.to_vec(), cursor: cursor.cloned(), limit: None, bytes: None }
}

const fn expired(reason: ExpiredReason) -> Option<RemoteErrorKind> {
    Some(RemoteErrorKind::CursorExpired(reason))
}

#[tokio::test]
async fn a_restored_backup_has_the_records_of_its_time_and_another_epoch() {
    let given = given(ReferenceServer::builder()).await;
    given.push(given.create(1)).await;
    let backup = given.server.backup();
    given.push(given.create(2)).await;
    let cursor = given.load().await;
    given.server.restore(&backup);
    assert_eq!(given.server.records_of(&workers()).len(), 1);
    assert_eq!(given.expired(&[workers()], &cursor).await, expired(ExpiredReason::Epoch));
}

#[tokio::test]
async fn cursors_from_before_a_compaction_have_expired() {
    let given = given(ReferenceServer::builder()).await;
    given.push(given.create(1)).await;
    let old = given.load().await;
    given.server.delete_record(&workers(), record(1));
    given.server.compact();
    assert_eq!(given.expired(&[workers()], &old).await, expired(ExpiredReason::Compacted));
    assert_eq!(given.expired(&[workers()], &given.load().await).await, None);
}

#[tokio::test]
async fn a_table_that_is_offered_later_asks_for_a_new_load() {
    let given = given(ReferenceServer::builder()).await;
    let visits = TableName::new("visits").unwrap();
    let tables = [workers(), visits.clone()];
    let before = given.server.pull_records(&given.token, request(&tables, None)).await.unwrap();
    assert_eq!(before.unknown_tables, std::slice::from_ref(&visits));
    given.server.offer_table(&RecordTable::new(visits));
    assert_eq!(given.expired(&tables, &before.cursor).await, expired(ExpiredReason::Tables));
}

#[tokio::test]
async fn a_server_without_the_functions_says_so() {
    let given = given(ReferenceServer::builder().without_records()).await;
    let kinds = [
        given.server.pull_records(&given.token, request(&[], None)).await.unwrap_err().kind(),
        given.server.push_records(&given.token, &[]).await.unwrap_err().kind(),
        given.server.push_audit(&given.token, &[]).await.unwrap_err().kind(),
    ];
    assert_eq!(kinds, [RemoteErrorKind::NotFieldpost; 3]);
    assert!(!given.server.has_records());
}

#[tokio::test]
async fn a_record_that_another_transaction_writes_must_be_retried() {
    let given = given(ReferenceServer::builder()).await;
    given.push(given.create(1)).await;
    let open = given.server.begin();
    open.update_record(&workers(), record(1), Fields::new().with("phone", "1")).unwrap();
    assert_eq!(given.server.begin().delete_record(&workers(), record(1)), Err(Locked));
    assert_eq!(given.push(given.update(2, 1)).await, RecordOutcome::Retry(RetryCode::Conflict));
    assert!(matches!(given.push(given.create(3)).await, RecordOutcome::Won { .. }));
    open.roll_back();
    assert!(matches!(given.push(given.update(2, 1)).await, RecordOutcome::Won { .. }));
    let row = given.server.record(&workers(), record(1)).unwrap();
    assert!(row.fields.get("phone").is_some_and(serde_json::Value::is_null), "what was rolled back left nothing");
}

#[tokio::test]
async fn a_push_may_begin_before_another_one_and_commit_after_it() {
    let given = given(ReferenceServer::builder()).await;
    let cursor = given.load().await;
    let slow = given.server.begin();
    given.push(given.create(1)).await;
    let first = given.server.pull_records(&given.token, request(&[workers()], Some(&cursor))).await.unwrap();
    assert_eq!(first.rows.len(), 1);
    let answer = slow.push_records(&given.token, &[given.create(2)]).unwrap();
    assert!(matches!(answer.results[0].outcome, RecordOutcome::Won { .. }));
    let next = given.server.pull_records(&given.token, request(&[workers()], Some(&first.cursor))).await.unwrap();
    assert_eq!(next.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [record(2)]);
}

#[tokio::test]
async fn what_is_visible_is_what_a_load_brings() {
    let given = given(ReferenceServer::builder()).await;
    given.push(given.create(1)).await;
    let page = given.server.pull_records(&given.token, request(&[workers()], None)).await.unwrap();
    assert_eq!(given.server.records_visible_to(given.person), page.rows);
}
