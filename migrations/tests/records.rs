//! The clinical tables, the queue and the audit log of the older app, before and after version 11.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step of a test that fails has to fail the test")]

mod file;

use file::{File, empty, fixture};

const ORG: &str = "0198c0de-0000-7000-8000-000000000100";
const ADA: &str = "0198c0de-0000-7000-8000-000000000202";

/// A UUID that ends in these digits.
fn uuid(end: u32) -> String {
    format!("0198c0de-0000-7000-8000-{end:012x}")
}

/// The same as SQLite shows it.
fn hex(end: u32) -> String {
    uuid(end).replace('-', "").to_uppercase()
}

/// A file of version 10, in which the clinical tables lie as WatermelonDB made them.
async fn old() -> File {
    let file = empty().await;
    file.upgrade_to(10).await;
    file
}

impl File {
    /// A row of the older app.
    async fn row(&self, table: &str, values: &[(&str, &str)]) {
        let columns: Vec<_> = values.iter().map(|(column, _)| format!("\"{column}\"")).collect();
        let values: Vec<_> = values.iter().map(|(_, value)| (*value).to_owned()).collect();
        self.run(&format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), values.join(", "))).await;
    }

    async fn worker(&self, id: &str, more: &[(&str, &str)]) {
        let (id, org) = (format!("'{id}'"), format!("'{ORG}'"));
        let mut values = vec![
            ("id", id.as_str()),
            ("org_id", org.as_str()),
            ("_status", "'created'"),
            ("last_name", "'Moss'"),
            ("created_at", "1700000000123.0"),
            ("updated_at", "1700000000124.0"),
            ("last_modified_at", "1700000000125.0"),
        ];
        values.retain(|(column, _)| more.iter().all(|(other, _)| other != column));
        values.extend_from_slice(more);
        self.row("workers", &values).await;
    }

    async fn item(&self, id: &str, operation: &str, record: &str, more: &[(&str, &str)]) {
        let (id, operation, record) = (format!("'{id}'"), format!("'{operation}'"), format!("'{record}'"));
        let mut values = vec![
            ("id", id.as_str()),
            ("operation", operation.as_str()),
            ("table_name", "'workers'"),
            ("record_id", record.as_str()),
            ("payload", "'{}'"),
            ("priority", "1.0"),
            ("retry_count", "0.0"),
            ("created_at", "1700000000200.0"),
        ];
        values.retain(|(column, _)| more.iter().all(|(other, _)| other != column));
        values.extend_from_slice(more);
        self.row("sync_queue", &values).await;
    }

    async fn queue(&self) -> Vec<String> {
        self.rows("SELECT operation || ' ' || table_name || ' ' || fields FROM record_queue ORDER BY position").await
    }

    async fn reported(&self) -> Vec<String> {
        self.rows(
            "SELECT table_name || ' ' || row_id || ' ' || coalesce(column_name, '-') || ': ' || reason || ' ' || \
                coalesce(content, '-') FROM import_report ORDER BY pk",
        )
        .await
    }
}

#[tokio::test]
async fn clinical_rows_get_types_and_keep_everything() {
    for name in ["v4.db", "v5.db"] {
        let file = fixture(name).await;
        file.upgrade().await;
        let treatment = "SELECT hex(id) || ' ' || reference_number || ' ' || status || ' ' || treatment_types || ' ' || \
            is_riddor_reportable || ' ' || created_at || ' ' || modified_at || ' ' || version || ' ' || deleted \
            FROM treatments WHERE server_id = id";
        let expected = format!(
            "{} SITE-20260131-001 complete [\"cleaned\",\"dressed\"] 1 1700000000123000 1700000000125000 -1 0",
            hex(1)
        );
        assert_eq!(file.rows(treatment).await, [expected], "{name}");
        let worker = "SELECT first_name || ' ' || last_name || ' ' || company || ' ' || is_incomplete || consent_given || \
            ' ' || consent_date FROM workers WHERE server_id IS NULL";
        assert_eq!(file.rows(worker).await, ["Łukasz O'Brien 建設 01 1700000000123000"]);
        assert_eq!(file.rows("SELECT gps_lat || ' ' || gps_lng FROM near_misses").await, ["51.5 -0.1275"]);
        let check = "SELECT check_date || ' ' || items || ' ' || lower(substr(hex(org_id), -3)) FROM safety_checks";
        assert_eq!(file.rows(check).await, ["2026-01-31 [{\"ok\":true}] 100"]);
        let odd = "SELECT row_id FROM import_report WHERE table_name NOT IN ('conversations', 'messages')";
        assert_eq!(file.rows(odd).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_queued_create_has_its_key_as_id_and_sends_what_the_row_has() {
    let file = fixture("v5.db").await;
    file.upgrade().await;
    let entry = "SELECT hex(q.record_id) || ' ' || q.priority || ' ' || q.failures || ' ' || q.next_at || ' ' || \
        q.modified_at || ' ' || hex(q.org_id) FROM record_queue AS q JOIN treatments AS t ON t.id = q.record_id";
    let expected =
        format!("{} 0 3 1700000060123000 1700000000123000 {}", hex(0x11), ORG.replace('-', "").to_uppercase());
    assert_eq!(file.rows(entry).await, [expected]);
    let fields = "SELECT (fields ->> 'a') || ' ' || (fields ->> 'reference_number') || ' ' || \
        (fields ->> 'is_riddor_reportable') || ' ' || length(fields ->> 'worker_id') \
        FROM record_queue WHERE table_name = 'treatments'";
    assert_eq!(file.rows(fields).await, ["é SITE-20260131-002 0 36"]);
}

#[tokio::test]
async fn references_follow_their_records() {
    let file = fixture("v5.db").await;
    file.upgrade().await;
    let treated = "SELECT count(*) || '' FROM treatments AS t JOIN workers AS w ON w.id = t.worker_id";
    assert_eq!(file.one(treated).await, "2");
    let sent = "SELECT count(*) || '' FROM record_queue AS q JOIN workers AS w \
        ON lower(hex(w.id)) = replace(q.fields ->> 'worker_id', '-', '')";
    assert_eq!(file.one(sent).await, "1");
    let audited = "SELECT operation || ' ' || table_name || ' ' || at || ' ' || lower(hex(person_id)) \
        FROM audit_log AS a JOIN workers AS w ON w.id = a.record_id";
    assert_eq!(file.rows(audited).await, [format!("READ workers 1700000000123000 {}", ADA.replace('-', ""))]);
}

#[tokio::test]
async fn what_the_queue_had_lost_is_queued_and_a_worker_goes_ahead_of_an_urgent_treatment() {
    let file = fixture("v5.db").await;
    file.upgrade().await;
    let lost = "SELECT table_name FROM record_queue WHERE failures = 0 ORDER BY position";
    assert_eq!(file.rows(lost).await, ["workers", "near_misses", "safety_checks"]);
    // The treatment has priority 0.
    let urgent = "SELECT table_name FROM record_queue WHERE priority = 0 ORDER BY position";
    assert_eq!(file.rows(urgent).await, ["workers", "treatments"]);
    assert_eq!(file.one("SELECT pending || ' ' || immediate || ' ' || audit FROM record_counts").await, "4 2 1");
}

#[tokio::test]
async fn what_was_deleted_before_it_was_sent_leaves() {
    let file = fixture("v5.db").await;
    file.upgrade().await;
    assert_eq!(file.one("SELECT count(*) || '' FROM treatments").await, "2");

    let file = old().await;
    file.worker("worker0000000001", &[("_status", "'deleted'")]).await;
    file.item("item000000000001", "create", "worker0000000001", &[]).await;
    file.item("item000000000002", "delete", "worker0000000001", &[]).await;
    file.upgrade().await;
    assert_eq!(file.queue().await, Vec::<String>::new());
    assert_eq!(file.one("SELECT count(*) || '' FROM workers").await, "0");
}

#[tokio::test]
async fn what_the_server_has_and_was_deleted_is_deleted_there_once() {
    let file = old().await;
    let (first, second) = (format!("'{}'", uuid(1)), format!("'{}'", uuid(2)));
    file.worker("worker0000000001", &[("_status", "'deleted'"), ("server_id", &first)]).await;
    file.worker("worker0000000002", &[("_status", "'deleted'"), ("server_id", &second)]).await;
    file.item("item000000000001", "update", "worker0000000001", &[("payload", "'{\"phone\":\"1\"}'")]).await;
    file.item("item000000000002", "delete", "worker0000000002", &[]).await;

    file.upgrade().await;

    let queue = "SELECT operation || ' ' || substr(hex(record_id), -1) FROM record_queue ORDER BY position";
    assert_eq!(file.rows(queue).await, ["update 1", "delete 2", "delete 1"]);
    let rows = "SELECT deleted || ' ' || (base ->> '$.fields.last_name') FROM workers ORDER BY id";
    assert_eq!(file.rows(rows).await, ["1 Moss", "1 Moss"]);
}

#[tokio::test]
async fn a_create_that_may_have_arrived_and_was_deleted_since_is_deleted_by_its_key() {
    let file = old().await;
    let key = format!("'{}'", uuid(7));
    file.worker("worker0000000001", &[("_status", "'deleted'")]).await;
    let tried = [("idempotency_key", key.as_str()), ("retry_count", "2.0")];
    file.item("item000000000001", "create", "worker0000000001", &tried).await;

    file.upgrade().await;

    let queue = "SELECT operation || ' ' || hex(record_id) FROM record_queue";
    assert_eq!(file.rows(queue).await, [format!("delete {}", hex(7))]);
}

#[tokio::test]
async fn an_update_sends_its_payload_alone_under_the_new_ids() {
    let file = old().await;
    let server_id = format!("'{}'", uuid(1));
    file.worker("worker0000000001", &[("server_id", &server_id)]).await;
    let payload = "'{\"id\":\"x\",\"updated_at\":1,\"phone\":\"112\",\"consent_given\":1,\"consent_date\":1700000000123,\
        \"certifications\":\"[\\\"a\\\"]\",\"boss\":\"worker0000000001\",\"is_incomplete\":\"perhaps\"}'";
    file.item("item000000000001", "update", "worker0000000001", &[("payload", payload)]).await;

    file.upgrade().await;

    let fields = format!(
        "{{\"boss\":\"{}\",\"certifications\":[\"a\"],\"consent_date\":\"2023-11-14T22:13:20.123000Z\",\
         \"consent_given\":true,\"is_incomplete\":\"perhaps\",\"phone\":\"112\"}}",
        uuid(1)
    );
    assert_eq!(file.queue().await, [format!("update workers {fields}")]);
    let odd = "sync_queue item000000000001 is_incomplete: it is neither true nor false \"perhaps\"";
    assert_eq!(file.reported().await, [odd]);
}

#[tokio::test]
async fn a_payload_that_cannot_be_read_is_reported_and_the_row_is_sent() {
    let file = old().await;
    let server_id = format!("'{}'", uuid(1));
    file.worker("worker0000000001", &[("server_id", &server_id)]).await;
    file.item("item000000000001", "update", "worker0000000001", &[("payload", "'{\"phone\":'")]).await;
    file.upgrade().await;
    assert_eq!(file.queue().await, ["update workers {\"last_name\":\"Moss\"}"]);
    let reported = "sync_queue item000000000001 payload: it is no JSON object; the row is sent instead {\"phone\":";
    assert_eq!(file.reported().await, [reported]);
}

#[tokio::test]
async fn values_that_do_not_fit_are_kept_and_reported() {
    let file = old().await;
    let odd =
        [("consent_given", "'perhaps'"), ("certifications", "'[1'"), ("consent_date", "'soon'"), ("phone", "112")];
    file.worker("worker0000000001", &odd).await;
    file.upgrade().await;
    let kept = "SELECT coalesce(consent_given, '-') || ' ' || phone || ' ' || extra FROM workers";
    let extra = "- 112 {\"certifications\":\"[1\",\"consent_date\":\"soon\",\"consent_given\":\"perhaps\"}";
    assert_eq!(file.rows(kept).await, [extra]);
    let reported = [
        "workers worker0000000001 certifications: it is no JSON [1",
        "workers worker0000000001 consent_given: it is neither true nor false perhaps",
        "workers worker0000000001 consent_date: it is no time soon",
    ];
    assert_eq!(file.reported().await, reported);
    assert_eq!(file.queue().await, ["create workers {\"last_name\":\"Moss\",\"phone\":\"112\"}"]);
}

#[tokio::test]
async fn two_rows_with_one_server_id_are_one_record() {
    let file = old().await;
    let server_id = format!("'{}'", uuid(1));
    file.worker("worker0000000001", &[("server_id", &server_id)]).await;
    file.worker("worker0000000002", &[("server_id", &server_id), ("last_name", "'Twin'")]).await;
    file.item("item000000000001", "update", "worker0000000002", &[("payload", "'{\"phone\":\"112\"}'")]).await;
    file.upgrade().await;
    assert_eq!(file.rows("SELECT last_name FROM workers").await, ["Moss"]);
    assert_eq!(file.one("SELECT hex(record_id) FROM record_queue").await, hex(1));
    let [reported] = &file.reported().await[..] else { panic!("one row could not come over") };
    assert!(reported.contains("another row is the same record") && reported.contains("\"last_name\":\"Twin\""));
}

#[tokio::test]
async fn an_item_without_its_row_is_sent_if_the_server_can_know_the_record() {
    let file = old().await;
    let key = format!("'{}'", uuid(3));
    let create = [("idempotency_key", key.as_str()), ("payload", "'{\"last_name\":\"Lind\",\"consent_given\":1}'")];
    file.item("item000000000001", "create", "worker0000000001", &create).await;
    file.item("item000000000002", "delete", &uuid(4), &[]).await;
    file.item("item000000000003", "update", "worker0000000009", &[("payload", "'{\"phone\":\"1\"}'")]).await;
    file.upgrade().await;
    let queue = "SELECT operation || ' ' || hex(record_id) FROM record_queue ORDER BY position";
    assert_eq!(file.rows(queue).await, [format!("create {}", hex(3)), format!("delete {}", hex(4))]);
    assert_eq!(
        file.rows("SELECT last_name || consent_given || hex(id) FROM workers").await,
        [format!("Lind1{}", hex(3))]
    );
    let [reported] = &file.reported().await[..] else { panic!("one item could not come over") };
    assert!(reported.starts_with("sync_queue item000000000003 record_id: no such record is here"), "{reported}");
}

#[tokio::test]
async fn items_of_other_tables_are_carried_untouched_but_for_ids() {
    let file = old().await;
    let server_id = format!("'{}'", uuid(1));
    file.worker("worker0000000001", &[("server_id", &server_id)]).await;
    let payload = "'{ \"record\": \"worker0000000001\",  \"uri\": \"file:///worker0000000001/a b.jpg\", \"n\": 1.50 }'";
    let photo = [("table_name", "'photo_uploads'"), ("payload", payload), ("idempotency_key", "'k-7'")];
    file.item("item000000000001", "create", "worker0000000001", &photo).await;

    file.upgrade().await;

    let carried = "SELECT id || ' ' || record_id || ' ' || idempotency_key || ' ' || payload || ' ' || created_at \
        FROM carried_items";
    let expected = format!(
        "item000000000001 {0} k-7 {{ \"record\": \"{0}\",  \"uri\": \"file:///worker0000000001/a b.jpg\", \"n\": 1.50 }} \
         1700000000200000",
        uuid(1)
    );
    assert_eq!(file.rows(carried).await, [expected]);
    assert_eq!(file.queue().await, Vec::<String>::new());
    assert_eq!(file.one("SELECT carried || '' FROM record_counts").await, "1");
}

#[tokio::test]
async fn a_treatment_names_its_worker_by_either_id() {
    let file = old().await;
    let server_id = format!("'{}'", uuid(1));
    file.worker("worker0000000001", &[("server_id", &server_id)]).await;
    let org = format!("'{ORG}'");
    for (id, worker) in [("t1", "'worker0000000001'"), ("t2", server_id.as_str()), ("t3", "'worker0000000009'")] {
        let id = format!("'{id}'");
        file.row("treatments", &[("id", &id), ("org_id", &org), ("worker_id", worker), ("_status", "'created'")]).await;
    }
    file.upgrade().await;
    let named = "SELECT coalesce(nullif(hex(worker_id), ''), extra) FROM treatments ORDER BY 1";
    assert_eq!(file.rows(named).await, [hex(1), hex(1), "{\"worker_id\":\"worker0000000009\"}".to_owned()]);
    let reported = "treatments t3 worker_id: no such worker is here worker0000000009";
    assert_eq!(file.reported().await, [reported]);
}

#[tokio::test]
async fn what_was_audited_and_uploaded_leaves() {
    let file = old().await;
    for (id, synced) in [("a1", "1.0"), ("a2", "0.0"), ("a3", "NULL")] {
        let (id, ada, record) = (format!("'{id}'"), format!("'{ADA}'"), format!("'{}'", uuid(1)));
        let values = [
            ("id", id.as_str()),
            ("user_id", &ada),
            ("table_name", "'workers'"),
            ("record_id", &record),
            ("operation", "'READ'"),
            ("context", id.as_str()),
            ("synced", synced),
            ("created_at", "1700000000123.0"),
        ];
        file.row("audit_log", &values).await;
    }
    file.upgrade().await;
    assert_eq!(
        file.rows("SELECT context || hex(record_id) FROM audit_log").await,
        [format!("a2{}", hex(1)), format!("a3{}", hex(1))]
    );
}

#[tokio::test]
async fn many_rows_come_over() {
    let file = old().await;
    file.run(&format!(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1201)
         INSERT INTO workers (id, org_id, last_name, created_at) SELECT 'worker' || n, '{ORG}', 'Moss ' || n, n FROM n;
         INSERT INTO sync_queue (id, operation, table_name, record_id, payload, created_at)
         SELECT 'item' || id, 'create', 'workers', id, '{{}}', created_at FROM workers"
    ))
    .await;
    file.upgrade().await;
    let sent =
        "SELECT count(*) || ' ' || count(DISTINCT record_id) || ' ' || max(fields ->> 'last_name') FROM record_queue";
    assert_eq!(file.one(sent).await, "1201 1201 Moss 999");
}
