//! A timeline that follows its store: whatever happens, applying the diffs equals drawing from scratch.
#![expect(clippy::unwrap_used, reason = "a step that fails has to fail its test")]

use eyeball_im::Vector;
use fieldpost_domain::{Changes, ConversationId, Message, Seq, Version};
use fieldpost_storage::{
    ChangeReceiver, Keep, Messages as _, Replica as _, Section, Store as _,
    conformance::{
        build::{self, ada, conversation_id, direct, message_id, messages, seq},
        given,
    },
    memory::MemoryStore,
};
use fieldpost_timeline::{
    Backwards, Edge, ItemId, Marks, Model, OpenAt, Span, TimelineItem, TimelineOptions, backwards, forwards, open,
};

fn thread() -> ConversationId {
    conversation_id(1)
}

/// Iris has a thread with messages 1 to `last`.
async fn phone(last: u64) -> MemoryStore {
    let store = MemoryStore::new();
    given::loaded_thread(&store, direct(1, last), messages(thread(), 1..=last, &ada())).await;
    store
}

/// A timeline on a screen, which is drawn by diffs alone.
struct Screen {
    model: Model,
    span: Span,
    marks: Marks,
    changes: ChangeReceiver,
    drawn: Vector<TimelineItem>,
}

impl Screen {
    async fn open(store: &MemoryStore, options: TimelineOptions) -> Self {
        let changes = store.changes();
        let (span, unread_from) = open(store, thread(), &options).await.unwrap();
        let marks = Marks { unread_from, ..Marks::default() };
        let (model, span) = Model::new(store, thread(), options, span, &marks).await.unwrap();
        let drawn = model.items().clone();
        Self { model, span, marks, changes, drawn }
    }

    async fn draw(&mut self, store: &MemoryStore) {
        let (update, span) = self.model.refresh(store, self.span, &self.marks).await.unwrap();
        self.span = span;
        for diff in update.into_iter().flat_map(|update| update.diffs) {
            diff.apply(&mut self.drawn);
        }
    }

    /// Draws only what commits have reported.
    async fn follow(&mut self, store: &MemoryStore) {
        if self.model.concerns(&self.changes.take()) {
            self.draw(store).await;
        }
    }

    async fn back(&mut self, store: &MemoryStore) -> bool {
        match backwards(store, thread(), self.span, self.model.options().page_size()).await.unwrap() {
            Backwards::Here(span) | Backwards::OnServer { otherwise: Some(span), .. } => {
                self.span = span;
                self.draw(store).await;
                true
            }
            Backwards::End | Backwards::OnServer { .. } => false,
        }
    }

    async fn forth(&mut self, store: &MemoryStore) -> bool {
        let moved = forwards(store, thread(), self.span, self.model.options().page_size()).await.unwrap();
        self.span = moved.unwrap_or(self.span);
        self.draw(store).await;
        moved.is_some()
    }

    fn seqs(&self) -> Vec<u64> {
        self.drawn.iter().filter_map(TimelineItem::message).map(|shown| shown.seq.map_or(0, Seq::get)).collect()
    }

    async fn assert_as_from_scratch(&self, store: &MemoryStore, what: &str) {
        let options = self.model.options().clone();
        let (fresh, span) = Model::new(store, thread(), options, self.span, &self.marks).await.unwrap();
        assert_eq!(&self.drawn, fresh.items(), "{what}");
        assert_eq!((self.span, self.model.ends()), (span, fresh.ends()), "{what}");
    }
}

fn small() -> TimelineOptions {
    TimelineOptions::default().page(4).max_messages(8)
}

#[tokio::test]
async fn it_opens_at_the_first_unread_message_and_the_marker_stays() {
    let store = phone(20).await;
    given::read_up_to(&store, 1, thread(), 9).await;
    let mut screen = Screen::open(&store, small()).await;
    assert_eq!(screen.seqs(), [8, 9, 10, 11], "half a page on each side");
    assert_eq!(screen.drawn[3].id(), ItemId::Unread);

    given::read(&store, 2, thread()).await;
    screen.follow(&store).await;
    assert_eq!(screen.drawn[3].id(), ItemId::Unread, "reading does not move it");
    assert!(!Screen::open(&store, small()).await.drawn.iter().any(|item| item.id() == ItemId::Unread));
}

#[tokio::test]
async fn it_opens_at_the_newest_message_if_nothing_is_unread() {
    let store = phone(20).await;
    given::read(&store, 1, thread()).await;
    let mut screen = Screen::open(&store, small()).await;
    assert_eq!((screen.seqs(), screen.model.ends().newer), (vec![17, 18, 19, 20], Edge::End));
    given::pulled_messages(&store, messages(thread(), 21..=21, &ada())).await;
    screen.follow(&store).await;
    assert_eq!(screen.seqs(), [17, 18, 19, 20, 21], "it follows the end");
}

#[tokio::test]
async fn it_opens_at_a_message() {
    let store = phone(20).await;
    let at = OpenAt::Message(message_id(thread(), 7));
    let screen = Screen::open(&store, small().open_at(at)).await;
    assert_eq!(screen.seqs(), [5, 6, 7, 8]);
    assert_eq!((screen.model.ends().older, screen.model.ends().newer), (Edge::Here, Edge::Here));
    let unsent = given::sent(&store, 1, thread()).await;
    let end = Screen::open(&store, small().open_at(OpenAt::Message(unsent.id))).await;
    assert_eq!(end.seqs(), [17, 18, 19, 20, 0]);
    let unknown = small().open_at(OpenAt::Message(message_id(thread(), 99)));
    assert!(open(&store, thread(), &unknown).await.is_err());
    assert!(open(&store, conversation_id(9), &small()).await.is_err());
}

#[tokio::test]
async fn it_paginates_in_both_directions_and_lets_go_of_the_far_end() {
    let store = phone(20).await;
    let mut screen = Screen::open(&store, small().open_at(OpenAt::Newest)).await;
    for expected in [13..=20, 9..=16, 5..=12, 1..=8] {
        assert!(screen.back(&store).await);
        assert_eq!(screen.seqs(), expected.collect::<Vec<_>>());
        screen.assert_as_from_scratch(&store, "back").await;
    }
    assert!(!screen.back(&store).await);
    assert_eq!((screen.model.ends().older, screen.model.ends().newer), (Edge::End, Edge::Here));
    assert_eq!(screen.drawn[0], TimelineItem::Start);

    given::pulled_messages(&store, messages(thread(), 21..=21, &ada())).await;
    screen.follow(&store).await;
    assert_eq!(screen.seqs(), (1..=8).collect::<Vec<_>>(), "what comes is below the end");
    for expected in [5..=12, 9..=16, 13..=20, 14..=21] {
        assert!(screen.forth(&store).await);
        assert_eq!(screen.seqs(), expected.collect::<Vec<_>>());
        screen.assert_as_from_scratch(&store, "forth").await;
    }
    assert_eq!(screen.model.ends().newer, Edge::End);
    assert!(!screen.forth(&store).await);
}

#[tokio::test]
async fn it_never_holds_more_than_it_may() {
    let store = phone(8).await;
    let mut screen = Screen::open(&store, small().open_at(OpenAt::Newest)).await;
    for n in 9..40 {
        given::pulled_messages(&store, messages(thread(), n..=n, &ada())).await;
        screen.follow(&store).await;
        assert!(screen.seqs().len() <= 8);
    }
    assert_eq!(screen.seqs(), (32..=39).collect::<Vec<_>>());
    assert_eq!(screen.model.ends().older, Edge::Here);
}

#[tokio::test]
async fn a_gap_is_an_item_until_it_is_filled() {
    let store = phone(5).await;
    given::pulled_messages(&store, messages(thread(), 8..=9, &ada())).await;
    let mut screen = Screen::open(&store, small().open_at(OpenAt::Newest)).await;
    assert_eq!(screen.seqs(), [4, 5, 8, 9]);
    assert!(screen.drawn.iter().any(|item| item.id() == ItemId::Gap(seq(6))));
    given::history(&store, thread(), 7, 7, messages(thread(), 7..=7, &ada())).await;
    screen.follow(&store).await;
    assert!(screen.drawn.iter().any(|item| item.id() == ItemId::Gap(seq(6))), "its id stays while it is filled");
    given::history(&store, thread(), 6, 6, vec![]).await;
    screen.follow(&store).await;
    assert_eq!(screen.seqs(), [4, 5, 7, 8, 9]);
    assert!(!screen.drawn.iter().any(|item| matches!(item, TimelineItem::Gap { .. })));
}

#[tokio::test]
async fn what_retention_drops_is_beyond_the_older_end() {
    let store = phone(20).await;
    given::read(&store, 1, thread()).await;
    let mut screen = Screen::open(&store, small()).await;
    assert!(screen.back(&store).await);
    store.trim(Keep::Last(3), None, 100).await.unwrap();
    screen.follow(&store).await;
    assert_eq!((screen.seqs(), screen.model.ends().older), (vec![18, 19, 20], Edge::OnServer));
    screen.assert_as_from_scratch(&store, "trimmed").await;
    let found = backwards(&store, thread(), screen.span, 4).await.unwrap();
    assert_eq!(found, Backwards::OnServer { before: seq(18), otherwise: None });
    given::history(&store, thread(), 14, 17, messages(thread(), 14..=17, &ada())).await;
    assert!(screen.back(&store).await);
    assert_eq!(screen.seqs(), (14..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_restored_server_with_a_shorter_thread_shows_its_newest_messages() {
    let store = phone(20).await;
    let mut screen = Screen::open(&store, small().open_at(OpenAt::Message(message_id(thread(), 15)))).await;
    let shorter = given::thread(direct(1, 3), messages(thread(), 1..=3, &ada()));
    given::bootstrapped(&store, fieldpost_storage::BootstrapReason::Epoch, shorter).await;
    screen.follow(&store).await;
    assert_eq!((screen.seqs(), screen.model.ends().newer), (vec![1, 2, 3], Edge::End));
}

/// Repeatable randomness.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Something happens to a thread with seqs up to `last`; returns the new last seq.
async fn something(store: &MemoryStore, chance: &mut Chance, step: u64, last: u64) -> u64 {
    let n = 1 + chance.below(last);
    let sender = if chance.below(3) == 0 { build::iris() } else { ada() };
    let row = |n, version| Message {
        version: Version::new(version),
        content: Some(format!("text {step}")),
        created_at: build::at(20_000 * n),
        ..build::message(thread(), n, &sender)
    };
    match chance.below(9) {
        0 | 1 => {
            given::pulled_messages(store, vec![row(last + 1, step)]).await;
            return last + 1;
        }
        2 => {
            given::pulled_messages(store, vec![row(last + 3, step)]).await;
            return last + 3;
        }
        3 => drop(given::pulled_messages(store, vec![row(n, step)]).await),
        4 => drop(given::pulled_messages(store, vec![build::deleted(row(n, step))]).await),
        5 => {
            let tombstones = vec![build::tombstone(message_id(thread(), n), thread(), n, step + 1)];
            given::pulled(store, Changes { tombstones, ..Changes::default() }).await;
        }
        6 => drop(given::sent(store, 10_000 + step, thread()).await),
        7 => drop(given::read_up_to(store, 20_000 + step, thread(), n).await),
        _ => {
            let from = n.saturating_sub(chance.below(4)).max(1);
            if chance.below(2) == 0 {
                store.trim(Keep::Last(5), None, 3).await.unwrap();
            } else {
                given::history(store, thread(), from, n, (from..=n).map(|n| row(n, step)).collect()).await;
            }
        }
    }
    last
}

#[tokio::test]
async fn whatever_happens_the_diffs_make_what_is_drawn_from_scratch() {
    for seed in 0..60 {
        let mut chance = Chance(seed);
        let mut last = 1 + chance.below(12);
        let store = phone(last).await;
        let page = 1 + u32::try_from(chance.below(5)).unwrap();
        let options = TimelineOptions::default().page(page).max_messages(page * 2);
        let mut screen = Screen::open(&store, options).await;
        for step in 1..60 {
            match chance.below(5) {
                0 => drop(screen.back(&store).await),
                1 => drop(screen.forth(&store).await),
                _ => last = something(&store, &mut chance, step, last).await,
            }
            screen.follow(&store).await;
            screen.assert_as_from_scratch(&store, &format!("seed {seed}, step {step}")).await;
            assert!(screen.seqs().iter().filter(|seq| **seq > 0).count() <= 2 * page as usize);
            let ids: std::collections::HashSet<_> = screen.drawn.iter().map(TimelineItem::id).collect();
            assert_eq!(ids.len(), screen.drawn.len(), "seed {seed}, step {step}");
        }
        // Scrolled to the end, everything that is here is shown.
        while screen.forth(&store).await {}
        let all = store.section(thread(), Section::newest(u32::MAX)).await.unwrap();
        assert!(
            all.messages.last().map(|message| message.id)
                == screen.drawn.iter().rev().find_map(TimelineItem::message).map(|message| message.id),
            "seed {seed}"
        );
    }
}
