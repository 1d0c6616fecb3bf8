//! Both readings of a page agree: they differ only in how they treat an unreadable row.

use super::answer::{Read, read};
use crate::http::Reply;
use fieldpost_domain::Changes;
use proptest::prelude::*;
use reqwest::StatusCode;
use serde_json::{Value, json};

const A: &str = "0198c0de-0000-7000-8000-00000000000a";

fn changes(body: &Value) -> Changes {
    let body = body.to_string().into_bytes();
    let reply = Reply {
        status: StatusCode::OK,
        html: false,
        json: true,
        date: None,
        retry_after: None,
        body,
        took: std::time::Duration::ZERO,
    };
    let Ok(Read { changes, .. }) = read("pull", &reply) else { panic!("it is read") };
    changes
}

fn message() -> impl Strategy<Value = Value> {
    let optional = |name: &'static str, value: Value| prop::option::of(Just((name, value)));
    let more = (
        optional("reply_to", json!(A)),
        optional("metadata", json!({"a": [1, null]})),
        optional("deleted_at", json!("2026-01-31T08:15:00Z")),
        optional("stars", json!(5)),
    );
    let kind = prop_oneof![Just("text"), Just("system"), Just("poll")];
    (1_u64..1 << 53, 0_u64..1 << 53, "\\PC{0,40}", kind, more).prop_map(|(seq, version, content, kind, more)| {
        let t = "2026-01-31T08:15:00.123456+00:00";
        let mut row = json!({"id": A, "conversation_id": A, "sender_id": A, "kind": kind, "content": content,
            "status": "sent", "seq": seq, "created_at": t, "updated_at": t, "version": version});
        for (name, value) in [more.0, more.1, more.2, more.3].into_iter().flatten() {
            row[name] = value;
        }
        row
    })
}

proptest! {
    #[test]
    fn a_bad_row_changes_nothing_about_the_others(
        rows in prop::collection::vec(message(), 0..8),
        at in any::<prop::sample::Index>(),
    ) {
        let good = changes(&json!({"protocol": 1, "messages": rows}));
        prop_assert_eq!(good.messages.len(), rows.len());
        prop_assert!(good.unreadable.is_empty());

        let mut with_bad = rows;
        with_bad.insert(at.index(with_bad.len() + 1), json!({"id": "no id"}));
        let careful = changes(&json!({"protocol": 1, "messages": with_bad}));
        prop_assert_eq!(careful.unreadable.len(), 1);
        prop_assert_eq!(careful.messages, good.messages);
    }
}
