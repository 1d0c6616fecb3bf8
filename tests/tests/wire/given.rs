//! A server that can be stopped and started again, and phones that talk to it.

use fieldpost::{Client, ConversationId, SentMessage};
use fieldpost_devserver::{DevServer, FaultProxy};
use fieldpost_domain::{MessageId, ServerLimits};
use fieldpost_remote::reference::{DEMO_PASSWORD, Profile, ReferenceServer};
use fieldpost_tests::{Phone, Picky};
use std::collections::BTreeMap;

pub(crate) use fieldpost_remote::reference::{DEMO_ADA as ADA, DEMO_ADMIN as ADMIN};

/// A server with a fixed address, behind a network that fails on command; what it stores outlives it.
pub(crate) struct Site {
    pub(crate) reference: ReferenceServer,
    pub(crate) server: DevServer,
    pub(crate) network: FaultProxy,
}

impl Site {
    /// The demo world, with the protocol's limits. Its project refuses messages that begin with "no: ".
    pub(crate) async fn new() -> Self {
        Self::with_limits(ServerLimits::default()).await
    }

    pub(crate) async fn with_limits(limits: ServerLimits) -> Self {
        let reference = ReferenceServer::builder().limits(limits).project(Picky).build();
        reference.add_demo();
        let server = DevServer::builder().reference(reference.clone()).start().await.unwrap();
        let network = FaultProxy::before(&server).await.unwrap();
        Self { reference, server, network }
    }

    /// Starts the server again where it was. The network is back too.
    pub(crate) async fn restarted(self) -> Self {
        let port = self.server.address().port();
        self.server.shutdown().await;
        let server = DevServer::builder().reference(self.reference.clone()).port(port).start().await.unwrap();
        self.network.offline(false).await;
        Self { server, ..self }
    }

    /// An org of its own with an admin, whose address is returned, and so many conversations of so many messages.
    pub(crate) fn add_large_org(&self, conversations: usize, messages: usize) -> &'static str {
        let email = "large@fieldpost.test";
        let org = self.reference.add_org("Large");
        let profile = Profile { first_name: "Lou", last_name: "Large", email, password: DEMO_PASSWORD };
        let admin = self.reference.add_admin(org, profile);
        let contents: Vec<_> = (0..messages).map(|number| format!("Message {number}")).collect();
        for number in 0..conversations {
            let medic = self.reference.add_medic_without_account(org, "Medic", &number.to_string());
            let conversation = self.reference.open_direct(org, medic, admin);
            self.reference.insert_messages(conversation, admin, &contents);
        }
        email
    }

    pub(crate) fn phone(&self) -> Phone {
        Phone::new(self.network.url(), self.server.anon_key())
    }

    /// A phone whose owner has signed in and synced once.
    pub(crate) async fn client(&self, email: &str) -> (Phone, Client) {
        let phone = self.phone();
        let client = phone.first_start(email, DEMO_PASSWORD).await;
        (phone, client)
    }

    /// How often each message is stored, by id, for those of `ids`.
    pub(crate) fn stored(&self, conversation: ConversationId, ids: &[MessageId]) -> Vec<usize> {
        let mut times: BTreeMap<MessageId, usize> = BTreeMap::new();
        for message in self.reference.messages_of(conversation) {
            *times.entry(message.id).or_default() += 1;
        }
        ids.iter().map(|id| times.get(id).copied().unwrap_or(0)).collect()
    }
}

/// Ada's conversation, on her phone or on the admin's.
pub(crate) async fn adas(client: &Client) -> ConversationId {
    let all = client.conversations().await.unwrap();
    let direct: Vec<_> = all.iter().filter(|one| one.medic_id.is_some()).collect();
    direct.iter().find(|one| one.participant_name != "Ben Okafor").unwrap().id
}

/// Writes so many messages.
pub(crate) async fn write(client: &Client, count: usize) -> Vec<MessageId> {
    let conversation = adas(client).await;
    let mut written = Vec::new();
    for number in 0..count {
        written.push(client.conversation(conversation).send(&format!("note {number}")).await.unwrap().id());
    }
    written
}

/// The handle on a message that was written here.
pub(crate) async fn handle(client: &Client, message: MessageId) -> SentMessage {
    client.sent_message(message).await.unwrap().unwrap()
}
