//! Records at the terminal: written offline, sent by priority, refused, lost, and decided about.

use crate::terminal::{ADA, PASSWORD, Terminal, server};
use fieldpost::records::{Fields, RecordTable, TableName};
use fieldpost_devserver::DevServer;
use serde_json::{Value, json};

async fn two_medics() -> (DevServer, Terminal, Terminal) {
    let server = server().await;
    let ada = Terminal::of_ada(&server);
    let other = Terminal::with(server.url(), server.anon_key());
    other.login(ADA, PASSWORD);
    other.run(&["sync"]);
    (server, ada, other)
}

fn worker(terminal: &Terminal) -> String {
    let fields = ["first_name=Sam", "last_name=Reyes", "company=Crane Ltd", "role=rigger"];
    let made = terminal.run(&[&["--json", "--offline", "records", "create", "workers"][..], &fields].concat());
    assert_eq!(made.code, 0, "{made:?}");
    made.json()[0]["id"].as_str().unwrap().to_owned()
}

fn treatment(terminal: &Terminal, worker: &str, number: &str, more: &[&str]) -> Value {
    let (worker, number) = (format!("worker_id={worker}"), format!("reference_number={number}"));
    let medic = "medic_id=0198c0de-0000-7000-8000-000000000302";
    let fields = [&worker, &number, medic, "status=draft", "injury_type=burn", "severity=minor"];
    let arguments = [&["--json", "--offline", "records", "create", "treatments"][..], &fields, more].concat();
    let made = terminal.run(&arguments);
    assert_eq!(made.code, 0, "{made:?}");
    made.json()[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_written_offline_is_queued_by_priority_and_reaches_the_other_device() {
    // Given
    let (_server, ada, other) = two_medics().await;
    let sam = worker(&ada);
    treatment(&ada, &sam, "SITE-1", &[]);

    // When
    let urgent = treatment(&ada, &sam, "SITE-2", &["is_riddor_reportable=true"]);

    // Then
    assert_eq!((&urgent["state"], &urgent["server_id"]), (&json!("queued"), &Value::Null));
    let queue = ada.run(&["--json", "--offline", "queue"]).json();
    let order: Vec<_> = queue.iter().map(|entry| (entry["table"].clone(), entry["priority"].clone())).collect();
    let expected = [("workers", 0), ("treatments", 0), ("treatments", 1)];
    assert_eq!(order, expected.map(|(table, priority)| (json!(table), json!(priority))));
    let status = ada.run(&["--json", "--offline", "status"]).json().remove(0);
    assert_eq!((&status["records"]["pending"], &status["records"]["immediate"]), (&json!(3), &json!(2)));

    // When
    let synced = ada.run(&["--json", "sync"]).json().remove(0);
    assert_eq!((&synced["records"]["won"], &synced["records"]["failed"]), (&json!(3), &json!(0)));

    // Then
    assert_eq!(other.run(&["records", "tables"]).code, 0);
    assert_eq!(other.run(&["sync"]).code, 0);
    let there =
        other.run(&["--json", "--offline", "records", "list", "treatments", "--where", "reference_number=SITE-2"]);
    assert_eq!(there.json()[0]["id"], urgent["id"]);
    let tables = other.run(&["--offline", "records", "tables"]);
    assert!(tables.out.lines().any(|line| line.starts_with("treatments") && line.ends_with('2')), "{tables:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lost_is_shown_and_can_be_applied_again() {
    // Given
    let (_server, ada, other) = two_medics().await;
    let sam = worker(&ada);
    ada.run(&["sync"]);
    other.run(&["records", "tables"]);
    other.run(&["sync"]);

    // When
    assert_eq!(ada.run(&["--offline", "records", "update", "workers", &sam, "phone=1"]).code, 0);
    assert_eq!(other.run(&["records", "update", "workers", &sam, "phone=2"]).code, 0);
    let synced = ada.run(&["--json", "sync"]).json().remove(0);

    // Then
    assert_eq!(synced["records"]["lost"], 1, "{synced}");
    let lost = ada.run(&["--json", "--offline", "records", "conflicts"]).json().remove(0);
    assert_eq!((&lost["lost"]["phone"], &lost["won"]["phone"]), (&json!("1"), &json!("2")));
    let shown = ada.run(&["--json", "--offline", "records", "show", "workers", &sam]).json().remove(0);
    assert_eq!(shown["fields"]["phone"], "2");

    // When
    let id = lost["mutation_id"].as_str().unwrap();
    assert_eq!(ada.run(&["records", "conflicts", "reapply", id]).code, 0);

    // Then
    assert!(ada.run(&["--json", "--offline", "records", "conflicts"]).json().is_empty());
    other.run(&["sync"]);
    let there = other.run(&["--json", "--offline", "records", "show", "workers", &sam]).json().remove(0);
    assert_eq!(there["fields"]["phone"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_waits_for_a_decision() {
    // Given
    let (server, ada, _other) = two_medics().await;
    let nobody = "0198c0de-0000-7000-8000-00000000dead";
    let refused = treatment(&ada, nobody, "SITE-3", &[]);
    let id = refused["id"].as_str().unwrap();

    // When
    assert_eq!(ada.run(&["sync"]).code, 0, "a refused record is no failed sync");

    // Then
    let entry = ada.run(&["--json", "--offline", "queue"]).json().remove(0);
    assert_eq!((&entry["state"], &entry["record_id"]), (&json!("failed"), &json!(id)), "{entry}");
    assert!(ada.run(&["--offline", "status"]).out.contains("1 refused"), "the status says so");

    // When
    let workers = TableName::new("workers").unwrap();
    let org = ada.run(&["--json", "--offline", "records", "show", "treatments", id]).json()[0]["org_id"].clone();
    let fields =
        Fields::new().with("first_name", "No").with("last_name", "Body").with("company", "X").with("role", "y");
    let org = org.as_str().unwrap().parse().unwrap();
    assert!(server.reference().insert_record(&workers, (nobody.parse().unwrap(), None), org, &fields));
    assert_eq!(ada.run(&["queue", "retry", "--all"]).code, 0);

    // Then
    assert!(ada.run(&["--json", "--offline", "queue"]).json().is_empty());

    // When
    let second = treatment(&ada, "0198c0de-0000-7000-8000-00000000beef", "SITE-4", &[]);
    ada.run(&["sync"]);
    let mutation = ada.run(&["--json", "--offline", "queue"]).json()[0]["mutation_id"].as_str().unwrap().to_owned();
    assert_eq!(ada.run(&["queue", "cancel", &mutation]).code, 0);

    // Then
    let gone = ada.run(&["--offline", "records", "show", "treatments", second["id"].as_str().unwrap()]);
    assert_eq!(gone.code, 1, "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn showing_a_record_is_audited_and_the_log_is_uploaded() {
    let (server, ada, _other) = two_medics().await;
    let sam = worker(&ada);
    ada.run(&["--offline", "records", "show", "workers", &sam]);
    assert_eq!(ada.run(&["--json", "--offline", "audit"]).json()[0]["pending"], 1);
    assert_eq!(ada.run(&["sync"]).code, 0);
    assert_eq!(ada.run(&["--json", "--offline", "audit"]).json()[0]["pending"], 0);
    assert_eq!(server.reference().audit_log().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apps_own_tables_come_from_a_file_and_the_database_remembers_them() {
    // Given
    let (server, ada, _other) = two_medics().await;
    let file = ada.folder().join("tables.json");
    let column = json!({"name": "place", "server_name": "place", "kind": "text", "required": true, "indexed": false});
    let table = json!({"name": "visits", "server_name": "site_visits", "columns": [column],
        "priority": {"usual": "low"}, "conflict": "last_write_wins"});
    std::fs::write(&file, json!([table]).to_string()).unwrap();
    let declared: Vec<RecordTable> = serde_json::from_value(json!([table])).unwrap();
    server.reference().offer_table(&declared[0]);

    // When
    let file = file.display().to_string();
    let made = ada.run(&["--json", "--tables", &file, "records", "create", "visits", "place=Gate 3"]);

    // Then
    assert_eq!((made.code, &made.json()[0]["state"]), (0, &json!("synced")), "{made:?}");
    let listed = ada.run(&["--json", "--offline", "records", "list", "visits"]).json();
    assert_eq!(listed[0]["fields"]["place"], "Gate 3");
    let wrong = ada.run(&["--offline", "records", "create", "visits", "colour=red"]);
    assert!(wrong.code == 2 && wrong.err.contains("it has place"), "{wrong:?}");
    let unknown = ada.run(&["--offline", "records", "list", "nothing"]);
    assert!(unknown.code == 2 && unknown.err.contains("visits"), "{unknown:?}");
}
