//! A device without the SDK: calls to the server's functions, over the same sockets.

use crate::given::Site;
use fieldpost::{
    AccessToken, Auth as _, ConversationId, Credentials, MessageContent, MessageId, MessageKind, MessagingApi as _,
    MutationId, Password, PersonId, Time,
};
use fieldpost_domain::{Intent, Mentions, Mutation, NewMessage, PushOutcome};
use fieldpost_remote::reference::DEMO_PASSWORD;
use fieldpost_remote_supabase::{SupabaseConfig, SupabaseRemote};
use uuid::Uuid;

/// Somebody's session.
pub(crate) struct Device {
    remote: SupabaseRemote,
    token: AccessToken,
    pub(crate) person: PersonId,
}

impl Device {
    pub(crate) async fn of(site: &Site, email: &str) -> Self {
        let config = SupabaseConfig::new(site.network.url(), site.server.anon_key());
        let remote = SupabaseRemote::new(config).unwrap();
        let password = Password::new(DEMO_PASSWORD);
        let session = remote.sign_in(&Credentials { email: email.to_owned(), password }).await.unwrap();
        let person = site.reference.person_with(email).unwrap();
        Self { remote, token: session.access_token, person }
    }

    /// A message that claims to be of `sender`.
    pub(crate) fn message(&self, thread: ConversationId, sender: PersonId, text: &str) -> Mutation {
        let message = NewMessage {
            id: MessageId::from_uuid(Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0001)),
            conversation_id: thread,
            sender_id: sender,
            kind: MessageKind::Text,
            content: MessageContent::new(text).unwrap(),
            metadata: None,
            reply_to: None,
            mentions: Mentions::new(),
            composed_at: Time::UNIX_EPOCH,
        };
        let id = MutationId::from_uuid(Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0002));
        Mutation { id, intent: Intent::SendMessage(message) }
    }

    /// Whether the server accepts it.
    pub(crate) async fn push(&self, mutation: &Mutation) -> bool {
        let answer = self.remote.push(&self.token, std::slice::from_ref(mutation)).await.unwrap();
        matches!(answer.results[0].outcome, PushOutcome::Acknowledged(_))
    }

    /// The texts that the server stores in a conversation.
    pub(crate) fn texts(site: &Site, thread: ConversationId) -> Vec<String> {
        site.reference.messages_of(thread).into_iter().filter_map(|message| message.content).collect()
    }
}
