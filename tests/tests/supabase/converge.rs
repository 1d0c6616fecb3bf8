//! Two phones and a stranger end up with the same.

use fieldpost::{Client, ConversationId, Role, Seq};
use fieldpost_tests::{Account, Org, Phone, Stack, node, thread};
use serde_json::{Value, json};

struct Site {
    org: Org,
    conversation: ConversationId,
    medic: (Phone, Client),
    admin: (Phone, Client),
}

async fn site() -> Site {
    let stack = Stack::running();
    let org = stack.provision(&json!({"medics": 1, "conversations": true, "messages": 3}));
    let conversation = org.rest["conversations"][0]["id"].as_str().unwrap().parse().unwrap();
    let phone = async |account: &Account| {
        let phone = Phone::new(&stack.url, &stack.anon_key);
        let client = phone.first_start(&account.email, &account.password).await;
        (phone, client)
    };
    let (medic, admin) = (phone(&org.medics[0]).await, phone(&org.admin).await);
    Site { org, conversation, medic, admin }
}

/// What somebody does with supabase-js.
fn stranger(account: &Account, steps: &Value) -> Value {
    node("stranger.mjs", &json!({"email": account.email, "password": account.password, "steps": steps}))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_phones_and_a_client_that_inserts_directly_converge() {
    let site = site().await;
    let (medic, admin) = (&site.medic.1, &site.admin.1);
    for text in ["one", "two", "three"] {
        medic.conversation(site.conversation).send(text).await.unwrap();
    }
    stranger(
        &site.org.admin,
        &json!([
            {"insert": {"conversation_id": site.conversation, "content": "from the dashboard"}},
            {"insert": {"conversation_id": site.conversation, "content": "and once more"}},
        ]),
    );
    admin.conversation(site.conversation).send("from the office").await.unwrap();
    for client in [medic, admin, medic, admin] {
        client.trigger_message_sync().await.unwrap();
    }
    let (left, right) = (thread(medic, site.conversation).await, thread(admin, site.conversation).await);
    assert_eq!(left, right);
    assert_eq!(left.iter().map(|row| row.0.unwrap()).collect::<Vec<_>>(), (1..=9).collect::<Vec<_>>());
    let seen = stranger(&site.org.admin, &json!([{"list": {"conversation_id": site.conversation}}]));
    let rows = |value: &Value| {
        let rows = value.as_array().unwrap().iter();
        rows.map(|row| (row["seq"].as_u64(), row["content"].as_str().map(str::to_owned))).collect::<Vec<_>>()
    };
    assert_eq!(rows(&seen[0]), left.iter().map(|row| (row.0, row.2.clone())).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_edits_and_deletes_arrive_and_a_deleted_text_leaves_the_phone() {
    let site = site().await;
    let medic = &site.medic.1;
    let inserted = stranger(
        &site.org.admin,
        &json!([
            {"insert": {"conversation_id": site.conversation, "content": "to be edited"}},
            {"insert": {"conversation_id": site.conversation, "content": "to be deleted"}},
        ]),
    );
    medic.trigger_message_sync().await.unwrap();
    stranger(
        &site.org.admin,
        &json!([
            {"edit": {"id": inserted[0]["id"], "content": "edited"}},
            {"soft_delete": {"id": inserted[1]["id"]}},
        ]),
    );
    medic.trigger_message_sync().await.unwrap();
    let texts: Vec<_> = thread(medic, site.conversation).await.into_iter().map(|row| row.2).collect();
    assert_eq!(texts[3..], [Some("edited".to_owned()), None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_counts_and_read_marks_agree_on_both_sides() {
    let site = site().await;
    let (medic, admin) = (&site.medic.1, &site.admin.1);
    medic.conversation(site.conversation).mark_read(Seq::new(u64::MAX)).await.unwrap();
    medic.trigger_message_sync().await.unwrap();
    admin.conversation(site.conversation).send("please confirm").await.unwrap();
    admin.trigger_message_sync().await.unwrap();
    medic.conversation(site.conversation).send("written before reading").await.unwrap();
    medic.trigger_message_sync().await.unwrap();
    assert_eq!(medic.total_unread().await.unwrap(), 1, "sending moves no marker");
    medic.conversation(site.conversation).mark_read(Seq::new(u64::MAX)).await.unwrap();
    assert_eq!(medic.total_unread().await.unwrap(), 0);
    medic.trigger_message_sync().await.unwrap();
    admin.trigger_message_sync().await.unwrap();
    let window = admin.conversation(site.conversation).messages(fieldpost::Window::newest(10)).await.unwrap();
    let mine: Vec<_> = window.messages.iter().filter(|message| message.mine).collect();
    assert!(mine.iter().all(|message| message.status.as_str() == "read"), "{mine:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_opened_offline_on_both_sides_becomes_one() {
    let stack = Stack::running();
    let org = stack.provision(&json!({"medics": 1}));
    let (phone, desk) = (Phone::new(&stack.url, &stack.anon_key), Phone::new(&stack.url, &stack.anon_key));
    let medic = phone.first_start(&org.medics[0].email, &org.medics[0].password).await;
    let admin = desk.first_start(&org.admin.email, &org.admin.password).await;
    let medic_id = medic.me().await.unwrap().unwrap().medic_id.unwrap();

    let on_phone = medic.open_direct(medic_id).await.unwrap();
    on_phone.send("hello?").await.unwrap();
    let on_desk = admin.open_direct(medic_id).await.unwrap();
    on_desk.send("hello!").await.unwrap();
    assert_ne!(on_phone.id(), on_desk.id());
    for client in [&medic, &admin, &medic, &admin] {
        client.trigger_message_sync().await.unwrap();
    }
    assert_eq!(medic.conversations().await.unwrap().len(), 1);
    assert_eq!(thread(&medic, on_phone.id()).await, thread(&admin, on_desk.id()).await, "the old ids still find it");
    assert_eq!(thread(&medic, on_phone.id()).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_9_an_admin_sees_the_medics_name_and_a_medic_sees_admin() {
    let site = site().await;
    let name = async |client: &Client| {
        client.conversation(site.conversation).summary().await.unwrap().unwrap().participant_name
    };
    assert_eq!(name(&site.admin.1).await, "Ada Moss");
    assert_eq!(name(&site.medic.1).await, "Admin");
    assert_eq!(site.medic.1.me().await.unwrap().unwrap().role, Role::Medic);
}
