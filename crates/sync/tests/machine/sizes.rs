//! How much a pass sends and requests at once: on lines that are slow, from servers that refuse too much.

use crate::given::*;
use fieldpost_domain::{
    Capability, ConversationId, Intent, Message, MessageContent, MessageId, MessageKind, Mutation, MutationId,
    NewMessage, PersonId, Seq, SeqRange, ServerInfo, Time, Transfer,
};
use fieldpost_remote::{PushAnswer, RemoteErrorKind};
use fieldpost_storage::{MissingRange, SyncMemory, SyncPosition};
use fieldpost_sync::machine::{Effect, Event, Pass};
use std::time::Duration;
use uuid::Uuid;

/// A device whose server refuses batches of more than `most` mutations, and pages of more than `most` rows.
struct Refusing {
    most: u32,
    waiting: u32,
    pages: u32,
    refused: u32,
}

impl Refusing {
    fn run(&mut self, memory: SyncMemory) -> SyncMemory {
        let mut pass = Pass::new();
        let mut effect = after_recall(&mut pass, memory);
        loop {
            effect = match effect {
                Effect::Remember { memory, succeeded } => {
                    assert!(succeeded, "the pass does not fail for it");
                    return *memory;
                }
                Effect::Withdraw { then, .. } => *then,
                other => pass.next(self.happens(other)),
            };
        }
    }

    fn happens(&mut self, effect: Effect) -> Event {
        let timeout = RemoteErrorKind::StatementTimeout;
        match effect {
            Effect::ReadBatch { limits, .. } => {
                let count = self.waiting.min(limits.rows);
                Event::Batch((1..=u128::from(count)).map(|number| mutation(number, number)).collect())
            }
            Effect::Push(batch) if batch.mutations.len() > self.most as usize => {
                self.refused += 1;
                Event::Pushed(Err(error(timeout)))
            }
            Effect::Push(batch) => {
                self.waiting -= u32::try_from(batch.mutations.len()).unwrap();
                answer(batch.mutations.iter().map(|one| (one.id.as_uuid().as_u128(), acknowledged())).collect())
            }
            Effect::Settle(results) => settled(u32::try_from(results.len()).unwrap(), 0),
            Effect::ReadState => state(following("c")),
            Effect::Pull(request) if request.limit.unwrap_or(2500) > self.most => {
                self.refused += 1;
                Event::Pulled(Err(error(timeout)))
            }
            Effect::Pull(_) => {
                self.pages = self.pages.saturating_sub(1);
                Event::Pulled(Ok(pull_page(&format!("c{}", self.pages), self.pages > 0)))
            }
            Effect::ApplyPull { .. } => Event::PullApplied(applied()),
            Effect::ReadMissing { .. } => Event::Missing(vec![]),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn one_pass_sends_and_receives_everything_whatever_size_the_server_refuses() {
    for most in [1, 7, 100, 499] {
        let mut server = Refusing { most, waiting: 450, pages: 40, refused: 0 };
        let memory = server.run(memory());
        assert_eq!((server.waiting, server.pages), (0, 0), "at {most}");
        assert!(server.refused <= 28, "{} calls were refused at {most}", server.refused);

        // What it has learned is in the file: the next process begins with it.
        let mut next = Refusing { most, waiting: most, pages: 2, refused: 0 };
        next.run(memory);
        assert_eq!(next.refused, 0, "at {most}");
    }
}

#[test]
fn a_mutation_that_takes_too_long_by_itself_holds_its_lane_and_leaves_the_size_alone() {
    let mut pass = pass();
    let _ = pass.next(Event::Batch(vec![mutation(1, 1), mutation(2, 2)]));
    let timeout = || Event::Pushed(Err(error(RemoteErrorKind::StatementTimeout)));
    let smaller = after_withdrawal(pass.next(timeout()), &[1, 2]);
    assert!(matches!(smaller, Effect::ReadBatch { limits, .. } if limits.rows == 1));
    let _ = pass.next(Event::Batch(vec![mutation(1, 1)]));
    let others = after_withdrawal(pass.next(timeout()), &[1]);
    assert!(matches!(&others, Effect::ReadBatch { held, .. } if held.contains(&lane(1))), "{others:?}");
    let _ = pass.next(Event::Batch(vec![mutation(2, 2)]));
    let _ = pass.next(answer(vec![(2, acknowledged())]));
    let next = pass.next(settled(1, 0));
    assert!(matches!(next, Effect::ReadBatch { limits, .. } if limits.rows == 2), "{next:?}");
}

#[test]
fn a_statement_that_times_out_with_a_single_row_fails_the_pass() {
    let memory =
        SyncMemory { page_size: fieldpost_storage::ReducedSize { rows: Some(1), ..Default::default() }, ..memory() };
    let mut pass = pass_after(memory);
    let _ = pass.next(Event::Batch(vec![]));
    let _ = pass.next(state(following("c")));
    let end = pass.next(Event::Pulled(Err(error(RemoteErrorKind::StatementTimeout))));
    assert!(failed(&mut pass, &end).error.is_some());
}

const SLOW: Duration = Duration::from_secs(10);

fn of_bytes(bytes: u32, took: Duration) -> Transfer {
    Transfer { bytes, took }
}

fn server(cuts: bool) -> ServerInfo {
    let capabilities = if cuts { [Capability::PageBytes].into() } else { [].into() };
    ServerInfo { capabilities, ..ServerInfo::default() }
}

/// A new device that got a first screen of so many bytes in ten seconds. Returns the request that follows.
fn after_first_screen_of(bytes: u32, cuts: bool) -> (Pass, Effect) {
    let (mut pass, _) = pass_at(SyncPosition::Fresh);
    let first = pass.next(Event::BootstrapBegun);
    assert!(matches!(&first, Effect::Bootstrap(request) if request.bytes.is_none()), "nothing is known yet");
    let page = fieldpost_domain::BootstrapPage {
        transfer: of_bytes(bytes, SLOW),
        server: server(cuts),
        ..bootstrap_page(Some("rest"))
    };
    let _ = pass.next(Event::Bootstrapped(Ok(page)));
    let _ = pass.next(Event::BootstrapApplied(applied()));
    let request = pass.next(Event::BootstrapBegun);
    (pass, request)
}

#[test]
fn on_a_slow_line_pages_are_as_large_as_come_in_a_quarter_of_a_minute() {
    let (_, request) = after_first_screen_of(70_000, true);
    assert!(
        matches!(&request, Effect::Bootstrap(request) if request.bytes == Some(7_000 * 15) && request.limit.is_none())
    );

    let (_, request) = after_first_screen_of(100, true);
    assert!(matches!(&request, Effect::Bootstrap(request) if request.bytes.is_none()), "too small to tell");

    let (_, request) = after_first_screen_of(2_000_000, true);
    assert!(matches!(&request, Effect::Bootstrap(request) if request.bytes.is_none()), "fast enough for full pages");
}

#[test]
fn a_server_that_cannot_cut_pages_by_bytes_is_asked_for_fewer_rows() {
    // One row of 70,000 bytes: two of them are more than comes in time.
    let (_, request) = after_first_screen_of(70_000, false);
    assert!(matches!(&request, Effect::Bootstrap(request) if request.bytes.is_none() && request.limit == Some(1)));
}

#[test]
fn a_page_that_takes_too_long_is_never_requested_again_in_the_same_size() {
    let (mut pass, mut request) = after_first_screen_of(70_000, true);
    let mut sizes = Vec::new();
    for kind in [RemoteErrorKind::Interrupted, RemoteErrorKind::TimedOut, RemoteErrorKind::TimedOut] {
        let Effect::Bootstrap(asked) = &request else { panic!("{request:?}") };
        sizes.push((asked.bytes, asked.limit));
        request = pass.next(Event::Bootstrapped(Err(error(kind))));
    }
    let Effect::Bootstrap(asked) = &request else { panic!("{request:?}") };
    sizes.push((asked.bytes, asked.limit));
    assert!(sizes.windows(2).all(|pair| pair[1].0 < pair[0].0), "{sizes:?}");
    let end = pass.next(Event::Bootstrapped(Err(error(RemoteErrorKind::TimedOut))));
    assert!(failed(&mut pass, &end).error.is_some(), "a line that brings nothing is left alone for a while");
}

#[test]
fn a_pass_to_which_nothing_has_come_does_not_wait_for_a_second_page_in_vain() {
    let (mut pass, _) = pass_at(following("c"));
    let end = pass.next(Event::Pulled(Err(error(RemoteErrorKind::TimedOut))));
    assert!(failed(&mut pass, &end).error.is_some());
}

#[test]
fn the_next_process_knows_the_line_and_a_fast_page_makes_it_forget() {
    let (pass, _) = after_first_screen_of(70_000, true);
    let memory = unwritten_memory(&pass);
    assert_eq!(memory.line.down, Some(7_000));
    let mut next = pass_after(memory);
    let _ = next.next(Event::Batch(vec![]));
    let _ = next.next(state(following("c")));
    let fast = fieldpost_domain::PullPage {
        transfer: of_bytes(105_000, Duration::from_millis(200)),
        server: server(true),
        ..pull_page("d", true)
    };
    let _ = next.next(Event::Pulled(Ok(fast)));
    let request = next.next(Event::PullApplied(applied()));
    assert!(matches!(request, Effect::Pull(request) if request.bytes.is_none() && request.limit.is_none()));
    assert_eq!(unwritten_memory(&next).line.down, None);
}

#[test]
fn history_of_a_slow_line_comes_in_small_pages_too() {
    let (mut pass, _) = after_first_screen_of(70_000, true);
    let _ = pass.next(Event::Bootstrapped(Ok(fieldpost_domain::BootstrapPage {
        server: server(true),
        ..bootstrap_page(None)
    })));
    let _ = pass.next(Event::BootstrapApplied(applied()));
    let _ = pass.next(Event::Pulled(Ok(fieldpost_domain::PullPage { server: server(true), ..empty_page("d") })));
    let _ = pass.next(Event::PullApplied(applied()));
    let gap = MissingRange { conversation_id: lane(1), before: None, newest: fieldpost_domain::Seq::new(9) };
    let request = pass.next(Event::Missing(vec![gap]));
    assert!(matches!(request, Effect::History(request) if request.bytes == Some(7_000 * 15)));
}

fn received(conversation: u128, seq: u64) -> Message {
    Message {
        id: MessageId::from_uuid(Uuid::from_u128(u128::from(seq))),
        conversation_id: lane(conversation),
        sender_id: PersonId::from_uuid(Uuid::from_u128(1)),
        kind: MessageKind::Text,
        content: Some("on my way".to_owned()),
        metadata: None,
        reply_to: None,
        mentions: fieldpost_domain::Mentions::new(),
        status: fieldpost_domain::MessageStatus::Sent,
        seq: Seq::new(seq),
        composed_at: None,
        created_at: Time::UNIX_EPOCH,
        updated_at: Time::UNIX_EPOCH,
        edited_at: None,
        deleted_at: None,
        omitted: None,
        version: fieldpost_domain::Version::new(seq),
        extra: fieldpost_domain::Extra::default(),
    }
}

#[test]
fn a_conversation_that_a_small_page_cut_short_gets_its_recent_messages_as_history() {
    let (mut pass, _) = after_first_screen_of(70_000, true);
    let mut page = fieldpost_domain::BootstrapPage { server: server(true), ..bootstrap_page(None) };
    page.changes.conversations = vec![conversation(1)];
    page.changes.messages = (181..=200).map(|seq| received(1, seq)).collect();
    let _ = pass.next(Event::Bootstrapped(Ok(page)));
    let _ = pass.next(Event::BootstrapApplied(applied()));
    let _ = pass.next(Event::Pulled(Ok(fieldpost_domain::PullPage { server: server(true), ..empty_page("d") })));
    let _ = pass.next(Event::PullApplied(applied()));

    let mut effect = pass.next(Event::Missing(vec![]));

    for (before, rows) in [(181, 80), (151, 50), (121, 20)] {
        let Effect::History(request) = &effect else { panic!("{effect:?}") };
        assert_eq!((request.before, request.limit), (Some(Seq::new(before)), Some(rows)));
        let from = before - u64::from(rows.min(30));
        let mut older = history_page(1);
        older.changes.messages = (from..before).map(|seq| received(1, seq)).collect();
        (older.range, older.complete) = (SeqRange { from: Seq::new(from), to: Seq::new(before - 1) }, false);
        let _ = pass.next(Event::HistoryRead(Ok(older)));
        effect = pass.next(Event::HistoryApplied(applied()));
    }
    assert!(matches!(effect, Effect::ReadMissing { .. }), "one hundred are enough: {effect:?}");
}

#[test]
fn short_threads_are_filled_in_the_order_of_the_page_and_a_page_that_is_too_large_is_halved_from_what_was_asked() {
    let (mut pass, _) = after_first_screen_of(70_000, true);
    let mut page = fieldpost_domain::BootstrapPage { server: server(true), ..bootstrap_page(None) };
    page.changes.conversations = (1..=30).rev().map(conversation).collect();
    page.changes.messages = (1..=30).flat_map(|one| (3..=101).map(move |seq| received(one, seq))).collect();
    let _ = pass.next(Event::Bootstrapped(Ok(page)));
    let _ = pass.next(Event::BootstrapApplied(applied()));
    let _ = pass.next(Event::Pulled(Ok(fieldpost_domain::PullPage { server: server(true), ..empty_page("d") })));
    let _ = pass.next(Event::PullApplied(applied()));

    let mut effect = pass.next(Event::Missing(vec![]));

    let Effect::History(request) = &effect else { panic!("{effect:?}") };
    assert_eq!((request.conversation_id, request.limit), (lane(30), Some(1)), "one is missing of a hundred");
    effect = pass.next(Event::HistoryRead(Err(error(RemoteErrorKind::Oversized))));
    assert!(matches!(effect, Effect::ApplyHistory(_)), "one row cannot be halved: {effect:?}");
    let next = pass.next(Event::HistoryApplied(applied()));
    assert!(matches!(next, Effect::History(request) if request.conversation_id == lane(29)));
}

/// A message of this many characters.
fn message(number: u128, characters: usize) -> Mutation {
    let content = MessageContent::new(&"x".repeat(characters)).unwrap();
    let message = NewMessage {
        id: MessageId::from_uuid(Uuid::from_u128(number)),
        conversation_id: ConversationId::from_uuid(Uuid::from_u128(number)),
        sender_id: PersonId::from_uuid(Uuid::from_u128(1)),
        kind: MessageKind::Text,
        content,
        metadata: None,
        reply_to: None,
        mentions: fieldpost_domain::Mentions::new(),
        composed_at: Time::UNIX_EPOCH,
    };
    Mutation { id: MutationId::from_uuid(Uuid::from_u128(number)), intent: Intent::SendMessage(message) }
}

#[test]
fn batches_are_as_large_as_the_line_sends_in_a_quarter_of_a_minute() {
    let mut pass = pass();
    let batch: Vec<_> = (1..=20).map(|number| message(number, 5_000)).collect();
    let _ = pass.next(Event::Batch(batch.clone()));
    let Event::Pushed(Ok(answer)) = answer((1..=20).map(|number| (number, acknowledged())).collect()) else { panic!() };
    let _ = pass.next(Event::Pushed(Ok(PushAnswer { took: SLOW, ..answer })));
    let next = pass.next(settled(20, 0));
    let Effect::ReadBatch { limits, .. } = next else { panic!("{next:?}") };
    assert!((150_000..170_000).contains(&limits.bytes), "{}: one and a half times what took ten seconds", limits.bytes);
}

#[test]
fn a_batch_that_takes_too_long_is_sent_with_half_the_bytes_by_the_next_pass() {
    let mut pass = pass();
    let _ = pass.next(Event::Batch((1..=100).map(|number| message(number, 5_000)).collect()));
    let _ = pass.next(Event::Pushed(Err(error(RemoteErrorKind::TimedOut))));
    let mut next = Pass::new();
    let first = after_recall(&mut next, unwritten_memory(&pass));
    let Effect::ReadBatch { limits, .. } = first else { panic!("{first:?}") };
    assert!((250_000..280_000).contains(&limits.bytes), "{}", limits.bytes);
}
