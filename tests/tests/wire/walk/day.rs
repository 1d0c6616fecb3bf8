//! What happens on a day.

use super::verdict;
use fieldpost::{Client, ConversationId, Error, Fieldpost, MessageId, NotPossible, Seq, Store, Time};
use fieldpost_domain::{Message, RetryCode, ServerLimits};
use fieldpost_remote::{
    RemoteErrorKind,
    reference::{DEMO_ADA, DEMO_ADMIN, DEMO_BEN, DEMO_PASSWORD, ReferenceServer},
};
use fieldpost_storage::memory::MemoryStore;
use fieldpost_testkit::{ManualClock, Network, SeededRandom, env};
use std::{collections::BTreeSet, sync::Arc};
use tempfile::TempDir;

/// How many things happen on a day.
const EVENTS: u32 = 80;

/// Where a phone keeps its data.
enum Disk {
    Memory(MemoryStore),
    File(TempDir),
}

pub(super) struct Phone {
    pub(super) email: &'static str,
    pub(super) client: Client,
    network: Arc<Network<ReferenceServer>>,
    disk: Disk,
    starts: u64,
    /// What this phone accepted, in order.
    pub(super) written: Vec<(ConversationId, MessageId)>,
}

pub(super) struct Day {
    seed: u64,
    random: SeededRandom,
    pub(super) server: ReferenceServer,
    pub(super) phones: Vec<Phone>,
    /// Messages that were deleted for good, by an operator or with their conversation.
    pub(super) erased: BTreeSet<MessageId>,
    log: Vec<String>,
}

impl Phone {
    async fn new(server: &ReferenceServer, email: &'static str, seed: u64, on_disk: bool) -> Self {
        let disk = if on_disk { Disk::File(tempfile::tempdir().unwrap()) } else { Disk::Memory(MemoryStore::new()) };
        let network = Arc::new(Network::new(server.clone()));
        let client = open(&disk, &network, seed).await;
        client.sign_in(email, DEMO_PASSWORD).await.unwrap();
        client.trigger_message_sync().await.unwrap();
        Self { email, client, network, disk, starts: seed, written: Vec::new() }
    }

    /// The app is killed and started again.
    async fn restart(&mut self) {
        self.starts += 1_000_003;
        self.client = open(&self.disk, &self.network, self.starts).await;
    }
}

async fn open(disk: &Disk, network: &Arc<Network<ReferenceServer>>, seed: u64) -> Client {
    let builder = Fieldpost::builder().remote(network.clone()).env(env(seed).0);
    let builder = match disk {
        Disk::Memory(store) => builder.store(Arc::new(store.reopen()) as Arc<dyn Store>),
        Disk::File(folder) => builder.database(folder.path().join("phone.db")),
    };
    builder.open().await.unwrap()
}

impl Day {
    pub(super) async fn new(seed: u64, on_disk: bool) -> Self {
        let mut random = SeededRandom::new(seed);
        let page_rows = *random.pick(&[3, 7, 2500]).unwrap();
        let push_rows = *random.pick(&[1, 4, 500]).unwrap();
        let limits = ServerLimits { page_rows, push_rows, ..ServerLimits::default() };
        // Its clock stands, so that the day is the same however fast the machine is; created_at grows with seq all the same.
        let morning = Time::from_timestamp_micros(ManualClock::START).unwrap();
        let server = ReferenceServer::builder().seed(seed).limits(limits).clock(move || morning).build();
        server.add_demo();
        let mut phones = Vec::new();
        for (number, email) in (1..).zip([DEMO_ADA, DEMO_BEN, DEMO_ADMIN, DEMO_ADMIN]) {
            phones.push(Phone::new(&server, email, seed * 10 + number, on_disk).await);
        }
        Self { seed, random, server, phones, erased: BTreeSet::new(), log: Vec::new() }
    }

    /// Lives through the day, heals, and judges.
    pub(super) async fn live(mut self) {
        for _ in 0..EVENTS {
            self.event().await;
        }
        self.heal().await;
        if let Err(fault) = verdict::judge(&self).await {
            panic!("seed {}: {fault}\nwhat happened:\n  {}", self.seed, self.log.join("\n  "));
        }
    }

    async fn event(&mut self) {
        let at = usize::try_from(self.random.below(self.phones.len() as u64)).unwrap();
        match self.random.below(100) {
            0..28 => self.write(at).await,
            28..36 => self.read(at).await,
            36..62 => self.sync(at).await,
            62..74 => self.trouble(at),
            74..79 => {
                self.log.push(format!("phone {at} is killed"));
                self.phones[at].restart().await;
            }
            79..82 => self.open_direct(at).await,
            _ => self.meddle(),
        }
    }

    async fn write(&mut self, at: usize) {
        let all = self.phones[at].client.conversations().await.unwrap();
        let Some(conversation) = self.random.pick(&all).map(|one| one.id) else { return };
        let text = format!("note {} of phone {at}", self.phones[at].written.len());
        let sent = match self.phones[at].client.conversation(conversation).send(&text).await {
            Err(Error::NotPossible(NotPossible::ReadOnly)) => {
                return self.log.push(format!("phone {at} only reads {conversation}"));
            }
            sent => sent.unwrap(),
        };
        self.log.push(format!("phone {at} writes {text:?} in {conversation}: {}", sent.id()));
        self.phones[at].written.push((conversation, sent.id()));
    }

    async fn read(&mut self, at: usize) {
        let all = self.phones[at].client.conversations().await.unwrap();
        let Some((conversation, last)) = self.random.pick(&all).map(|one| (one.id, one.last_seq)) else { return };
        // Not always to the end: somebody may have looked at the beginning only.
        let up_to = Seq::new(last.get() / 2 + self.random.below(last.get() - last.get() / 2 + 1));
        let marker = self.phones[at].client.conversation(conversation).mark_read(up_to).await.unwrap();
        self.log.push(format!("phone {at} reads {conversation} up to {marker}"));
    }

    async fn sync(&mut self, at: usize) {
        let outcome = match self.phones[at].client.trigger_message_sync().await {
            Ok(report) => format!("{report:?}"),
            // As the app does it.
            Err(Error::SignedOut) => {
                let back = self.phones[at].client.sign_in(self.phones[at].email, DEMO_PASSWORD).await;
                format!("signed out, and back: {}", back.is_ok())
            }
            Err(error) => error.to_string(),
        };
        self.log.push(format!("phone {at} syncs: {outcome}"));
    }

    fn trouble(&mut self, at: usize) {
        let network = &self.phones[at].network;
        let what = match self.random.below(8) {
            0..2 => {
                network.go_offline();
                "goes offline"
            }
            2..5 => {
                network.go_online();
                "is online"
            }
            5 => {
                network.lose_next_answers(u32::try_from(1 + self.random.below(3)).unwrap());
                "will lose answers"
            }
            _ => {
                let kinds = [RemoteErrorKind::Unavailable, RemoteErrorKind::Interrupted, RemoteErrorKind::Malformed];
                network.fail_after(u32::try_from(self.random.below(4)).unwrap(), *self.random.pick(&kinds).unwrap());
                "will fail once"
            }
        };
        self.log.push(format!("phone {at} {what}"));
    }

    async fn open_direct(&mut self, at: usize) {
        let client = &self.phones[at].client;
        let me = client.me().await.unwrap();
        let medics: Vec<_> = match me.and_then(|me| me.medic_id) {
            Some(own) => vec![own],
            None => client.people().await.unwrap().into_iter().filter_map(|person| person.medic_id).collect(),
        };
        let Some(medic) = self.random.pick(&medics) else { return };
        let opened = client.open_direct(*medic).await.unwrap();
        self.log.push(format!("phone {at} opens {}", opened.id()));
    }

    /// Others do things on the server.
    fn meddle(&mut self) {
        let admin = self.server.person_with(DEMO_ADMIN).unwrap();
        let all = self.server.conversations_of(admin);
        let Some(conversation) = self.random.pick(&all).map(|one| one.id) else { return };
        let messages = self.server.messages_of(conversation);
        let message = self.random.pick(&messages).map(|message: &Message| message.id);
        let what = match (self.random.below(20), message) {
            (0..8, _) | (_, None) => {
                self.server.insert_message(conversation, admin, "from the dashboard");
                "an insert from the dashboard"
            }
            (8..10, Some(id)) => {
                self.server.edit_message(id, "edited");
                "an edit"
            }
            (10..12, Some(id)) => {
                self.server.soft_delete(id);
                "a soft delete"
            }
            (12..14, Some(id)) => {
                self.server.hard_delete(id);
                self.erased.insert(id);
                "a hard delete"
            }
            (14, _) => {
                self.erased.extend(messages.iter().map(|message| message.id));
                self.server.delete_conversation(conversation);
                "the conversation is deleted"
            }
            (15, _) => {
                self.server.change_epoch();
                "a new epoch"
            }
            (16, _) => {
                self.server.retry_next(Some(conversation), RetryCode::Conflict);
                "a conflict is coming"
            }
            (17, _) => {
                self.server.rename_person(self.server.person_with(DEMO_ADA).unwrap(), "Ada", "Renamed");
                "Ada is renamed"
            }
            _ => {
                let email = *self.random.pick(&[DEMO_ADA, DEMO_BEN, DEMO_ADMIN]).unwrap();
                self.server.expire_tokens(self.server.person_with(email).unwrap());
                "tokens expire"
            }
        };
        self.log.push(format!("{conversation}: {what} {message:?}"));
    }

    /// The network is back everywhere, and everybody syncs until nothing is left to do.
    async fn heal(&mut self) {
        self.log.push("healing".to_owned());
        for _ in 0..6 {
            for at in 0..self.phones.len() {
                self.phones[at].network.heal();
                self.sync(at).await;
            }
        }
    }
}
