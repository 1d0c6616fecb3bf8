//! Old and new clients with old and new servers: each works without what the other does not know.

#![expect(clippy::expect_used, reason = "helpers of tests: a failure here is the test's failure")]

use crate::client::{ada, call};
use fieldpost_devserver::DevServer;
use fieldpost_domain::Capability;
use fieldpost_remote::reference::ReferenceServer;
use serde_json::{Value, json};

/// A new server, or one without message edits.
async fn server(edits: bool) -> DevServer {
    let builder = ReferenceServer::builder();
    let reference = if edits { builder } else { builder.without(&Capability::EditMessage) }.build();
    reference.add_demo();
    DevServer::builder().reference(reference).start().await.expect("a free port")
}

/// The capabilities of a new client or an old one.
fn capabilities(new: bool) -> Value {
    if new { json!(["set_digest", "ranges"]) } else { json!([]) }
}

fn id(number: u32) -> String {
    format!("0198c0de-0000-7000-8000-{number:012x}")
}

struct Client<'a> {
    server: &'a DevServer,
    token: String,
    new: bool,
}

impl<'a> Client<'a> {
    async fn sign_in(server: &'a DevServer, new: bool) -> Self {
        Self { server, token: ada(server).await, new }
    }

    async fn call(&self, function: &str, mut arguments: Value) -> Value {
        arguments["p_capabilities"] = capabilities(self.new);
        let answer = call(self.server, &self.token, function, arguments).send().await;
        assert_eq!(answer.status, 200, "no function is missing an argument");
        let answer = answer.json();
        assert_eq!(answer.get("error"), None);
        answer
    }

    async fn push(&self, mutations: Value) -> Value {
        self.call("fieldpost_push", json!({"p_mutations": mutations})).await
    }

    /// Opens her conversation and sends a message in it.
    async fn say(&self, message: u32) -> Value {
        let opening = json!({"id": id(1), "kind": "open_direct", "conversation_id": id(9)});
        let row = self.push(json!([opening])).await["results"][0]["conversation"].clone();
        let opened = row["id"].clone();
        let send = json!({"id": id(2), "kind": "send_message", "conversation_id": opened, "message_id": id(message),
                          "content": "Hall A", "mentions": [row["created_by"]]});
        assert_eq!(self.push(json!([send])).await["results"][0]["status"], "applied");
        opened
    }

    async fn edit(&self, conversation: &Value, message: u32) -> Value {
        let edit = json!({"id": id(3), "kind": "edit_message", "conversation_id": conversation, "message_id": id(message),
                          "content": "Hall B"});
        self.push(json!([edit])).await["results"][0].clone()
    }
}

/// Given every pair of ages, then the server says whether it supports edits, both agree on the digest, and a server
/// without edits refuses an edit on its own, without affecting the rest.
#[tokio::test]
async fn every_pair_of_ages_gets_along() {
    for edits in [false, true] {
        let server = server(edits).await;
        for (message, new) in [(100, false), (101, true)] {
            let client = Client::sign_in(&server, new).await;
            let load = client.call("fieldpost_bootstrap", json!({})).await;
            let said = load["capabilities"].as_array().unwrap();
            assert_eq!(said.contains(&json!("edit_message")), edits, "the server says what it can, whoever asks");
            assert_eq!(load["digest"].get("set").is_some(), new, "a client is answered with what it named");
            assert_eq!(load["digest"].get("sha256").is_some(), !new);

            let conversation = client.say(message).await;
            let result = client.edit(&conversation, message).await;
            let page = client.call("fieldpost_pull", json!({"p_cursor": load["cursor"]})).await;
            let rows = page["messages"].as_array().unwrap();
            let row = rows.iter().rfind(|row| row["id"] == json!(id(message))).unwrap();
            if edits {
                assert_eq!((&result["status"], &result["message"]), (&json!("applied"), row));
                assert_eq!((&row["content"], &row["version"]), (&json!("Hall B"), &json!(2)));
                assert!(row["edited_at"].is_string(), "a field that an old client keeps without knowing it");
            } else {
                let refused = json!({"id": id(3), "status": "rejected", "code": "unknown_kind"});
                assert_eq!(result, refused, "which is why a client waits until the server has named it");
                assert_eq!((&row["content"], row.get("edited_at")), (&json!("Hall A"), None));
            }
        }
    }
}

/// Given a server that has learned to edit, when the client calls next, then the response says so and the waiting edit
/// goes through.
#[tokio::test]
async fn what_waited_for_a_server_goes_through_when_it_has_learned() {
    let (before, after) = (server(false).await, server(true).await);
    for (server, status) in [(&before, "rejected"), (&after, "applied")] {
        let client = Client::sign_in(server, true).await;
        let conversation = client.say(100).await;
        assert_eq!(client.edit(&conversation, 100).await["status"], status);
    }
}
