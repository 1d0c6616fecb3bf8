//! A file of the older app, imported and synced with a real project: each is on the server once.

use fieldpost_tests::{OldApp, Phone, Stack, sql};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_an_older_app_had_not_sent_is_on_the_server_once() {
    // Given
    let stack = Stack::running();
    let org = stack.provision(&json!({"medics": 1, "conversations": true, "messages": 3}));
    let (medic, conversation) = (&org.medics[0], org.rest["conversations"][0]["id"].as_str().unwrap());
    let app = OldApp::new();
    app.belong_to(&org.org_id, &medic.user_id, conversation).await;
    let phone = Phone::new(&stack.url, &stack.anon_key);

    // When
    let report = phone.import(&app.file()).await.unwrap();
    let client = phone.start_with_records().await;
    client.sign_in(&medic.email, &medic.password).await.unwrap();
    for _ in 0..3 {
        let report = client.trigger_sync().await.unwrap();
        report.messages.unwrap();
        report.records.unwrap();
    }

    // Then
    assert_eq!(report.queued.messages, 3);
    for text in ["on my way", "trimmed", "third"] {
        let query =
            format!("select id from public.messages where conversation_id = '{conversation}' and content = '{text}'");
        assert_eq!(sql(&query).as_array().unwrap().len(), 1, "{text}");
    }
    let counts = client.record_counts().await.unwrap();
    assert_eq!((counts.pending, counts.failed), (0, 0), "{:?}", client.record_queue(10).await.unwrap());
    for table in ["treatments", "workers", "near_misses", "safety_checks"] {
        let rows = sql(&format!("select id, client_id from public.{table} where org_id = '{}'", org.org_id));
        assert_eq!(rows.as_array().unwrap().len(), 1, "{table}: {rows}");
    }
    let followed = format!(
        "select t.id from public.treatments t join public.workers w on w.id = t.worker_id where t.org_id = '{}'",
        org.org_id
    );
    assert_eq!(sql(&followed).as_array().unwrap().len(), 1, "the reference follows");
    client.close().await.unwrap();
}
