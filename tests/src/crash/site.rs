//! The server: its accounts and its stored rows, read without the engine.

use anyhow::{Context, Result, anyhow};
use async_trait::async_trait;
use fieldpost::{
    Client, ConversationId, MedicId, MessageId, OrgId, PersonId,
    records::{RecordId, TableName},
};
use fieldpost_devserver::{DevServer, Interruption};
use fieldpost_domain::{ServerLimits, records::RecordRow};
use fieldpost_remote::reference::{Profile, ReferenceServer};
use fieldpost_testkit::SeededRandom;
use std::{collections::BTreeMap, net::SocketAddr};

mod real;

pub use real::SupabaseSite;

/// A message on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its conversation.
    pub conversation: ConversationId,
    /// Its seq.
    pub seq: u64,
    /// Its id.
    pub id: MessageId,
    /// Its text.
    pub text: String,
}

/// A treatment on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// The id that the device made.
    pub id: RecordId,
    /// Its reference number.
    pub reference: String,
    /// Its notes.
    pub notes: String,
}

/// The org's rows on the server.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// Ordered by conversation and seq.
    pub messages: Vec<Stored>,
    /// Each direct conversation, with its medic.
    pub directs: Vec<(MedicId, ConversationId)>,
    /// All treatments.
    pub records: Vec<StoredRecord>,
}

/// An account.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The person.
    pub id: PersonId,
    /// The address.
    pub email: String,
    /// The password.
    pub password: String,
}

impl SignIn {
    pub(super) async fn sign_in(&self, client: &Client) -> Result<()> {
        client.sign_in(&self.email, &self.password).await?;
        client.trigger_message_sync().await?;
        Ok(())
    }
}

/// A server with its own org, in which an admin (the victim) writes to several medics.
#[async_trait]
pub trait Site: Send + Sync {
    /// The project's URL for a client.
    fn url(&self) -> &str;
    /// The project's public key for a client.
    fn anon_key(&self) -> &str;
    /// The admin whose process is killed.
    fn victim(&self) -> &SignIn;
    /// A medic who writes meanwhile, over a good network.
    fn companion(&self) -> &SignIn;
    /// Everything stored in the org.
    async fn contents(&self) -> Result<Contents>;
    /// Adds these medics to the roster, unless they are on it.
    async fn enlist(&self, medics: &[MedicId]) -> Result<()>;
    /// Somebody else opens the conversation with a medic, unless there is one.
    async fn open_direct(&self, medic: MedicId) -> Result<()>;
    /// A person's unread counts, as computed by the server.
    async fn unread(&self, person: PersonId) -> Result<BTreeMap<ConversationId, u64>>;
    /// Expires the victim's access token, if the server supports that.
    fn expire_token(&self) {}
    /// Loses some of the hints from now on and interrupts all live connections, if the server has any.
    fn disturb_live(&self, _random: &mut SeededRandom) {}
    /// Loses no hint any more.
    fn heal_live(&self) {}
    /// How many live topics clients have joined so far; none on a server without live hints.
    fn live_joins(&self) -> Option<usize> {
        None
    }

    /// The server's address.
    ///
    /// # Errors
    /// If the URL contains no socket address.
    fn address(&self) -> Result<SocketAddr> {
        let host = self.url().trim_start_matches("http://").trim_end_matches('/');
        host.parse().with_context(|| format!("{host} is no address and port"))
    }
}

/// The stand-in server, in this process.
#[derive(Debug)]
pub struct DevSite {
    server: DevServer,
    org: OrgId,
    victim: SignIn,
    companion: SignIn,
}

/// Small batches and pages, so that a kill can land in the middle.
const SMALL: ServerLimits =
    ServerLimits { push_rows: 20, push_bytes: 1 << 20, page_rows: 40, page_bytes: 1 << 20, ..ServerLimits::PROTOCOL };

const PASSWORD: &str = "fieldpost-test";

const INTERRUPTIONS: [Interruption; 6] = [
    Interruption::CloseTopics,
    Interruption::FailTopics,
    Interruption::EndTopics("Token has expired 0 seconds ago"),
    Interruption::CloseConnections,
    Interruption::CutConnections,
    Interruption::FallSilent,
];

impl DevSite {
    /// Starts a server with four medics.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start() -> Result<Self> {
        let reference = ReferenceServer::builder().limits(SMALL).build();
        let org = reference.add_org("Crash");
        let profile = |first_name, email| Profile { first_name, last_name: "Moss", email, password: PASSWORD };
        let sign_in = |id, email: &str| SignIn { id, email: email.to_owned(), password: PASSWORD.to_owned() };
        let admin = reference.add_admin(org, profile("Robin", "admin@crash.test"));
        let medics: Vec<_> = ["ada@crash.test", "ben@crash.test", "cleo@crash.test", "dara@crash.test"]
            .map(|email| reference.add_medic(org, profile("Ada", email)))
            .into();
        for medic in &medics {
            reference.open_direct(org, medic.medic_id, admin);
        }
        reference.open_broadcast(org, Some("All"), admin);
        reference.offer_clinical_tables();
        let ada = medics.first().ok_or_else(|| anyhow!("no medic"))?.person_id;
        let server = DevServer::builder().reference(reference).start().await?;
        let (victim, companion) = (sign_in(admin, "admin@crash.test"), sign_in(ada, "ada@crash.test"));
        Ok(Self { server, org, victim, companion })
    }
}

#[async_trait]
impl Site for DevSite {
    fn url(&self) -> &str {
        self.server.url()
    }

    fn anon_key(&self) -> &str {
        self.server.anon_key()
    }

    fn victim(&self) -> &SignIn {
        &self.victim
    }

    fn companion(&self) -> &SignIn {
        &self.companion
    }

    async fn contents(&self) -> Result<Contents> {
        let reference = self.server.reference();
        let mut conversations = reference.conversations_of(self.victim.id);
        conversations.sort_unstable_by_key(|one| one.id);
        let directs = conversations.iter().filter_map(|one| Some((one.medic_id?, one.id))).collect();
        let messages = conversations.iter().flat_map(|one| reference.messages_of(one.id));
        let messages = messages.map(|message| Stored {
            conversation: message.conversation_id,
            seq: message.seq.get(),
            id: message.id,
            text: message.content.unwrap_or_default(),
        });
        let treatments = TableName::new("treatments")?;
        let rows = reference.records_of(&treatments).into_iter().filter(|row| row.org_id == self.org);
        let text = |row: &RecordRow, column: &str| {
            row.fields.get(column).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
        };
        let records = rows.map(|row| StoredRecord {
            id: row.client_id.unwrap_or(row.id),
            reference: text(&row, "reference_number"),
            notes: text(&row, "treatment_notes"),
        });
        Ok(Contents { messages: messages.collect(), directs, records: records.collect() })
    }

    async fn enlist(&self, medics: &[MedicId]) -> Result<()> {
        let reference = self.server.reference();
        for medic in medics {
            reference.enlist_medic(*medic, self.org, "New", "Comer");
        }
        Ok(())
    }

    async fn open_direct(&self, medic: MedicId) -> Result<()> {
        self.server.reference().open_direct(self.org, medic, self.victim.id);
        Ok(())
    }

    async fn unread(&self, person: PersonId) -> Result<BTreeMap<ConversationId, u64>> {
        Ok(self.server.reference().conversations_of(person).into_iter().map(|one| (one.id, one.unread)).collect())
    }

    fn expire_token(&self) {
        self.server.reference().expire_tokens(self.victim.id);
    }

    fn disturb_live(&self, random: &mut SeededRandom) {
        let live = self.server.live();
        live.lose(30, random.next());
        if let Some(interruption) = random.pick(&INTERRUPTIONS) {
            live.interrupt(*interruption);
        }
    }

    fn heal_live(&self) {
        self.server.live().heal();
    }

    fn live_joins(&self) -> Option<usize> {
        Some(self.server.live().joins())
    }
}
