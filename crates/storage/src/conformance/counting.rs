//! Counts that a store may keep up to date instead of counting each time: the badge, and what waits in the outbox.
//!
//! Whatever was committed, and in whatever order, they equal a recount.

use super::build::{
    ack, ada, at, ben, bootstrap_page, composed, conversation_id, conversation_tombstone, cursor, deleted, direct,
    echo, iris, message, message_id, messages, mutation_id, new_direct, other_direct, own_message_id, pull_page,
    read_to, seq, tombstone, wide,
};
use super::given::{loaded, outbox, pulled};
use crate::{BootstrapReason, EntryState, StorageResult, Store, SyncPosition};
use fieldpost_domain::{
    Access, AccessChange, Acknowledgement, Changes, Conversation, ConversationId, EditMessage, Intent, Message,
    MessageContent, Mutation, PushOutcome, PushResult, Refusal, RefusalCode, RetryCode, Version,
};
use std::collections::HashSet;

/// The kept counts equal a recount.
async fn assert_exact(store: &dyn Store, after: &str) {
    let lines = store.conversations(10_000).await.unwrap();
    let unread: u64 = lines.iter().map(|line| line.unread).sum();
    assert_eq!(store.total_unread().await.unwrap(), unread, "the badge after {after}");
    let mentions: u64 = lines.iter().map(|line| line.unread_mentions).sum();
    assert_eq!(store.total_unread_mentions().await.unwrap(), mentions, "the badge of mentions after {after}");
    let entries = outbox(store).await;
    let failed = entries.iter().filter(|entry| matches!(entry.state, EntryState::Failed(_))).count() as u64;
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.pending, counts.failed), (entries.len() as u64 - failed, failed), "the outbox after {after}");
}

/// Repeatable randomness.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Random calls of the contract. Many are refused, which must not be counted either.
struct Walk<'a> {
    store: &'a dyn Store,
    chance: Chance,
    /// The number of the step: of new messages and mutations, and the version of rows.
    step: u64,
}

const CONVERSATIONS: u64 = 4;
const SEQS: u64 = 9;

/// The conversation of own message number `n`.
fn place_of(n: u64) -> ConversationId {
    conversation_id(1 + n % CONVERSATIONS)
}

impl Walk<'_> {
    fn row(&mut self) -> Conversation {
        let (number, last) = (1 + self.chance.below(CONVERSATIONS), self.chance.below(SEQS));
        let row = if number == 1 { direct(1, last) } else { other_direct(number, last) };
        let unread = self.chance.below(last + 1);
        let unread_mentions = self.chance.below(unread + 1);
        Conversation { unread, unread_mentions, version: Version::new(self.step), ..row }
    }

    fn page(&mut self) -> Changes {
        let row = self.row();
        let place = 1 + self.chance.below(SEQS);
        let sender = if self.chance.below(3) == 0 { iris() } else { ada() };
        let mut rows = messages(row.id, place..=(place + self.chance.below(3)), &sender);
        if self.chance.below(2) == 0 {
            rows.iter_mut().for_each(|message| message.mentions = [iris().id].into());
        }
        Changes { conversations: vec![row], messages: rows, ..Changes::default() }
    }

    /// A page that changes or removes what may be here.
    fn change(&mut self) -> Changes {
        let id = conversation_id(1 + self.chance.below(CONVERSATIONS));
        let (place, version) = (1 + self.chance.below(SEQS), Version::new(self.step));
        let access = |access| vec![AccessChange { conversation_id: id, access, version }];
        match self.chance.below(8) {
            7 => {
                let row = message(id, place, &ada());
                let mentions = if self.chance.below(2) == 0 { [iris().id].into() } else { [].into() };
                Changes { messages: vec![Message { mentions, version, ..row }], ..Changes::default() }
            }
            0 => Changes { messages: vec![deleted(message(id, place, &ada()))], ..Changes::default() },
            1 => {
                let gone = tombstone(message_id(id, place), id, place, self.step);
                Changes { tombstones: vec![gone], ..Changes::default() }
            }
            2 => Changes { tombstones: vec![conversation_tombstone(id, self.step)], ..Changes::default() },
            3 => Changes { access: access(Access::Revoke), ..Changes::default() },
            4 => Changes { access: access(Access::Grant), ..self.page() },
            5 => Changes { read_markers: vec![read_to(id, &iris(), place)], ..Changes::default() },
            _ => {
                let own = 1 + self.chance.below(self.step);
                Changes { messages: vec![echo(own, place_of(own), place)], ..Changes::default() }
            }
        }
    }

    async fn pull(&mut self, changes: Changes) -> StorageResult<()> {
        let SyncPosition::Following(from) = self.store.sync_state().await?.position else {
            self.store.apply_bootstrap(None, bootstrap_page(changes)).await?;
            return Ok(());
        };
        let page = pull_page(&self.step.to_string(), changes);
        self.store.apply_pull(&cursor(from.as_str()), page).await.map(drop)
    }

    async fn settle(&mut self) -> StorageResult<()> {
        let batch = self.store.next_batch(wide(), &HashSet::new()).await?;
        let mut results = Vec::new();
        for mutation in batch {
            let place = 1 + self.chance.below(SEQS);
            let outcome = match (self.chance.below(5), &mutation.intent) {
                (0, _) => PushOutcome::Rejected(Refusal { code: RefusalCode::Forbidden, detail: None }),
                (1, _) => PushOutcome::Retry(RetryCode::from("busy".to_owned())),
                (2, Intent::OpenDirect(open)) => {
                    let canonical = Conversation { id: conversation_id(1), ..direct(1, 0) };
                    let row = if open.conversation_id == canonical.id { direct(1, 0) } else { canonical };
                    PushOutcome::Acknowledged(Acknowledgement::Opened(Box::new(row)))
                }
                (_, Intent::SendMessage(sent)) => {
                    let ack = ack(1, sent.conversation_id, place);
                    let ack = fieldpost_domain::MessageAck { message_id: sent.id, ..ack };
                    PushOutcome::Acknowledged(Acknowledgement::Sent(ack))
                }
                _ => PushOutcome::Acknowledged(Acknowledgement::Bare),
            };
            results.push(PushResult { mutation_id: mutation.id, outcome });
        }
        self.store.settle(results).await.map(drop)
    }

    /// What a person does.
    async fn act(&mut self) -> StorageResult<()> {
        let (step, store) = (self.step, self.store);
        let id = conversation_id(1 + self.chance.below(CONVERSATIONS));
        let earlier = 1 + self.chance.below(step);
        match self.chance.below(8) {
            0 | 1 => store.send(mutation_id(step), composed(step, place_of(step)).into()).await.map(drop),
            2 => store.mark_read(mutation_id(step), id, seq(self.chance.below(SEQS)), at(600 + step)).await.map(drop),
            3 => store.cancel(mutation_id(earlier)).await.map(drop),
            4 => store.retry(mutation_id(earlier), at(600 + step)).await.map(drop),
            5 => store.open_direct(mutation_id(step), new_direct(20 + self.chance.below(2))).await.map(drop),
            6 => store.expire(at(500 + self.chance.below(step))).await.map(drop),
            _ => {
                let edit = EditMessage {
                    conversation_id: place_of(earlier),
                    message_id: own_message_id(earlier),
                    content: MessageContent::new(&format!("edited {step}")).unwrap(),
                    mentions: [].into(),
                };
                let mutation = Mutation { id: mutation_id(step), intent: Intent::EditMessage(edit) };
                store.change(mutation, at(600 + step)).await.map(drop)
            }
        }
    }

    async fn reload(&mut self) -> StorageResult<()> {
        let reason = if self.chance.below(2) == 0 { BootstrapReason::Epoch } else { BootstrapReason::First };
        self.store.begin_bootstrap(reason).await?;
        let mut rows = self.page();
        rows.people = vec![iris(), ada(), ben()];
        self.store.apply_bootstrap(None, bootstrap_page(rows)).await.map(drop)
    }

    async fn history(&mut self) -> StorageResult<()> {
        let id = conversation_id(1 + self.chance.below(CONVERSATIONS));
        let (from, generation) = (1 + self.chance.below(SEQS), self.store.sync_state().await?.generation);
        let rows = messages(id, from..from + 2, &ada());
        let page = super::build::history_page(id, from, from + 2, rows);
        self.store.apply_history(generation, page).await.map(drop)
    }

    async fn next(&mut self) -> &'static str {
        self.step += 1;
        let (what, result) = match self.chance.below(40) {
            0..8 => ("a page", {
                let page = self.page();
                self.pull(page).await
            }),
            8..18 => ("a page of changes", {
                let page = self.change();
                self.pull(page).await
            }),
            18..32 => ("an act", self.act().await),
            32..36 => ("answers", self.settle().await),
            36..38 => ("history", self.history().await),
            38 => ("a first load", self.reload().await),
            _ => ("a wipe", self.wipe().await),
        };
        // A refused call is as good: it must not count.
        drop(result);
        what
    }

    /// Seldom: it takes all that the walk has built.
    async fn wipe(&mut self) -> StorageResult<()> {
        if self.chance.below(4) > 0 {
            return Ok(());
        }
        self.store.wipe().await?;
        loaded(self.store, Changes::default()).await;
        Ok(())
    }
}

/// Random calls, and after each of them a recount.
pub async fn kept_counts_after_any_commits_equal_a_recount(store: &dyn Store) {
    let rows = Changes { people: vec![iris(), ada()], ..Changes::default() };
    loaded(store, rows).await;
    pulled(store, Changes { conversations: vec![direct(1, 0)], ..Changes::default() }).await;
    let mut walk = Walk { store, chance: Chance(11), step: 1 };
    for _ in 0..400 {
        let what = walk.next().await;
        assert_exact(store, what).await;
    }
}
