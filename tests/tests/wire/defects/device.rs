//! A device without the SDK: calls to the server's functions.

use crate::given::Site;
use fieldpost::{
    AccessToken, Auth as _, ConversationId, Credentials, MessageContent, MessageId, MessageKind, MessagingApi as _,
    MutationId, Password, PersonId, Time,
};
use fieldpost_devserver::fuzzing::Functions;
use fieldpost_domain::{Intent, Mentions, Mutation, NewMessage, PushOutcome};
use fieldpost_remote::{PushRequest, reference::DEMO_PASSWORD};
use fieldpost_remote_supabase::{SupabaseConfig, SupabaseRemote};
use serde_json::{Value, json};
use uuid::Uuid;

const MESSAGE: u128 = 0x0198_c0de_0000_7000_8000_0000_0000_0001;
const MUTATION: u128 = 0x0198_c0de_0000_7000_8000_0000_0000_0002;

/// Somebody's session.
pub(crate) struct Device {
    remote: SupabaseRemote,
    token: AccessToken,
    person: PersonId,
    functions: Functions,
}

impl Device {
    pub(crate) async fn of(site: &Site, email: &str) -> Self {
        let config = SupabaseConfig::new(site.network.url(), site.server.anon_key());
        let remote = SupabaseRemote::new(config).unwrap();
        let password = Password::new(DEMO_PASSWORD);
        let session = remote.sign_in(&Credentials { email: email.to_owned(), password }).await.unwrap();
        let person = site.reference.person_with(email).unwrap();
        let functions = Functions::new(site.reference.clone(), &session.access_token).unwrap();
        Self { remote, token: session.access_token, person, functions }
    }

    /// A message of this person.
    pub(crate) fn message(&self, thread: ConversationId, text: &str) -> Mutation {
        let message = NewMessage {
            id: MessageId::from_uuid(Uuid::from_u128(MESSAGE)),
            conversation_id: thread,
            sender_id: self.person,
            kind: MessageKind::Text,
            content: MessageContent::new(text).unwrap(),
            metadata: None,
            reply_to: None,
            mentions: Mentions::new(),
            composed_at: Time::UNIX_EPOCH,
        };
        let id = MutationId::from_uuid(Uuid::from_u128(MUTATION));
        Mutation { id, intent: Intent::SendMessage(message) }
    }

    /// Whether the server accepts it.
    pub(crate) async fn push(&self, mutation: &Mutation) -> bool {
        let answer = self.remote.push(&self.token, &PushRequest::of(vec![mutation.clone()])).await.unwrap();
        matches!(answer.results[0].outcome, PushOutcome::Acknowledged(_))
    }

    /// Sends a message that claims to be of `sender`, in a field that no client of Fieldpost has. Returns the status.
    pub(crate) async fn claim(&self, sender: PersonId, thread: ConversationId, text: &str) -> String {
        let message = json!({"id": Uuid::from_u128(MUTATION), "kind": "send_message", "conversation_id": thread,
            "message_id": Uuid::from_u128(MESSAGE), "message_type": "text", "content": text, "sender_id": sender,
            "composed_at": "2026-01-05T08:00:00.000000Z"});
        let body = json!({"p_protocol": 1, "p_app": "t", "p_capabilities": [], "p_mutations": [message]}).to_string();
        let (_, answer) = self.functions.call("fieldpost_push", body.as_bytes()).await;
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        answer["results"][0]["status"].as_str().unwrap().to_owned()
    }

    /// The texts that the server stores in a conversation.
    pub(crate) fn texts(site: &Site, thread: ConversationId) -> Vec<String> {
        site.reference.messages_of(thread).into_iter().filter_map(|message| message.content).collect()
    }
}
