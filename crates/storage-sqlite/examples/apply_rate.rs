//! A first rough measure: how many rows a second a page of a pull takes, in an empty file and in a full one.
//!
//! `cargo run --release -p fieldpost-storage-sqlite --example apply_rate -- [messages already there] [pages]`
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a tool for people at a terminal")]

use fieldpost_domain::{
    BootstrapPage, Changes, Conversation, ConversationId, ConversationKind, Cursor, Extra, MedicId, Message, MessageId,
    MessageKind, MessageStatus, OrgId, Person, PersonId, PullPage, Role, Seq, ServerLimits, Time, Version,
};
use fieldpost_storage::{BootstrapReason, Conversations, Messages, Replica, Store, Window};
use fieldpost_storage_sqlite::SqliteStore;
use std::time::Instant;
use uuid::Uuid;

const PAGE: u64 = 2_500;
const CONVERSATIONS: u64 = 200;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<u64>().ok());
    let (before, pages) = (arguments.next().unwrap_or(0), arguments.next().unwrap_or(40));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("fieldpost.db");
    let store = SqliteStore::open(path.clone()).await.expect("open");
    store.begin_bootstrap(BootstrapReason::First).await.expect("begin");
    store.apply_bootstrap(None, bootstrap()).await.expect("bootstrap");
    let mut next = 0;
    while next < before {
        apply(&store, &mut next).await;
    }
    let mut times: Vec<f64> = Vec::new();
    for _ in 0..pages {
        times.push(apply(&store, &mut next).await);
    }
    times.sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    println!("{before} there: {:.0} rows/s (median page {:.1} ms)", PAGE as f64 / median, median * 1e3);
    let list = Instant::now();
    let shown = store.conversations(50).await.expect("list").len();
    println!("list of {shown}: {:.2} ms", list.elapsed().as_secs_f64() * 1e3);
    let window = Instant::now();
    let shown = store.messages(conversation_id(1), Window::newest(50)).await.expect("window").messages.len();
    println!("window of {shown}: {:.2} ms", window.elapsed().as_secs_f64() * 1e3);
    store.close().await.expect("close");
    let size = std::fs::metadata(&path).expect("size").len();
    println!("{} bytes per message", size / next);
}

async fn apply(store: &SqliteStore, next: &mut u64) -> f64 {
    let (page, from) = (pull(*next), cursor(*next));
    *next += PAGE;
    let start = Instant::now();
    store.apply_pull(&from, page).await.expect("pull");
    start.elapsed().as_secs_f64()
}

fn cursor(at: u64) -> Cursor {
    Cursor::new(format!("at:{at}")).expect("a cursor")
}

fn at(micros: u64) -> Time {
    Time::from_timestamp_micros(1_700_000_000_000_000 + micros.cast_signed()).expect("a time")
}

fn conversation_id(number: u64) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 + u128::from(number)))
}

fn person(number: u64) -> PersonId {
    PersonId::from_uuid(Uuid::from_u128(u128::from(number) + 1))
}

fn me() -> Person {
    Person {
        id: person(0),
        org_id: OrgId::from_uuid(Uuid::from_u128(9)),
        role: Role::OrgAdmin,
        first_name: "Ada".to_owned(),
        last_name: "Moss".to_owned(),
        medic_id: None,
        removed: false,
        version: Version::new(1),
        extra: Extra::new(),
    }
}

fn conversation(number: u64, last_seq: u64) -> Conversation {
    Conversation {
        id: conversation_id(number),
        org_id: OrgId::from_uuid(Uuid::from_u128(9)),
        kind: ConversationKind::Direct,
        subject: None,
        medic_id: Some(MedicId::from_uuid(Uuid::from_u128(u128::from(number) + 77))),
        medic_name: Some("Jo Birk".to_owned()),
        created_by: person(0),
        created_at: at(number),
        updated_at: at(number),
        last_seq: Seq::new(last_seq),
        last_message_at: Some(at(last_seq)),
        last_message_preview: Some("on my way".to_owned()),
        unread: last_seq,
        version: Version::new(1),
        extra: Extra::new(),
    }
}

fn bootstrap() -> BootstrapPage {
    let conversations = (0..CONVERSATIONS).map(|number| conversation(number, 0)).collect();
    BootstrapPage {
        me: Some(me()),
        total_conversations: CONVERSATIONS,
        changes: Changes { conversations, ..Changes::default() },
        cursor: cursor(0),
        next_after: None,
        digest: None,
        server_time: at(0),
        limits: ServerLimits::default(),
    }
}

fn pull(first: u64) -> PullPage {
    let messages: Vec<Message> = (first..first + PAGE).map(message).collect();
    let last_seq = |number: u64| (first + PAGE - 1 - number) / CONVERSATIONS + 1;
    let conversations = (0..CONVERSATIONS).map(|number| conversation(number, last_seq(number))).collect();
    PullPage {
        changes: Changes { conversations, messages, ..Changes::default() },
        cursor: cursor(first + PAGE),
        more: true,
        digest: None,
        server_time: at(first),
        limits: ServerLimits::default(),
    }
}

fn message(number: u64) -> Message {
    let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let id = (u128::from(number / 100) << 80) | 0x7000_8000_0000_0000_0000 | u128::from(scattered);
    Message {
        id: MessageId::from_uuid(Uuid::from_u128(id)),
        conversation_id: conversation_id(number % CONVERSATIONS),
        sender_id: person(number % 7),
        kind: MessageKind::Text,
        content: Some(format!("Patient {number} is stable, bandage changed, next check in two hours at gate B")),
        metadata: None,
        reply_to: None,
        status: MessageStatus::Sent,
        seq: Seq::new(number / CONVERSATIONS + 1),
        composed_at: Some(at(number)),
        created_at: at(number),
        updated_at: at(number),
        deleted_at: None,
        version: Version::new(number + 1),
        extra: Extra::new(),
    }
}
