//! The check of one conversation.

use crate::given::*;
use fieldpost_domain::{
    Changes, Emoji, HistoryPage, MessageId, ReactedBy, Reaction, Seq, SeqRange, Time, UnreadableRow, Version,
};
use fieldpost_remote::RemoteErrorKind;
use fieldpost_storage::{ApplyReport, Checkable, SyncMemory};
use fieldpost_sync::machine::{Effect, Event, Pass};
use uuid::Uuid;

fn checkable(number: u128, from: u64, to: u64) -> Event {
    let range = SeqRange { from: Seq::new(from), to: Seq::new(to) };
    Event::Checkable(Some(Checkable { conversation_id: lane(number), range }))
}

/// A pass of the timer after pull and repair, with its next effect. Earlier passes have left `memory`.
fn done(memory: SyncMemory) -> (Pass, Effect) {
    let mut pass = Pass::new().checking(true);
    let _ = after_recall(&mut pass, memory);
    let _ = pass.next(Event::Batch(vec![]));
    let _ = pass.next(state(following("c")));
    let _ = pass.next(Event::Pulled(Ok(pull_page("d", false))));
    let _ = pass.next(Event::PullApplied(applied()));
    let effect = pass.next(Event::Missing(vec![]));
    (pass, effect)
}

/// The numbers of checks and differences after a page that begins at `from` and changes `rows` rows.
fn found(from: u64, rows: u64) -> (u64, u64) {
    let (mut pass, _) = done(memory());
    let _ = pass.next(checkable(1, 5, 9));
    let mut page = history_page(1);
    page.range = SeqRange { from: Seq::new(from), to: Seq::new(9) };
    assert!(matches!(pass.next(Event::Checked(Ok(page))), Effect::ApplyCheck(page) if page.conversation.is_none()));
    let report = ApplyReport { applied: rows, ..ApplyReport::default() };
    assert!(is_success(&pass.next(Event::CheckApplied(report))));
    let report = outcome(pass.next(Event::Remembered)).report;
    (report.checked, report.diverged)
}

#[test]
fn only_a_pass_of_the_timer_checks_a_conversation() {
    let (mut pass, next) = done(memory());
    assert_eq!(next, Effect::NextCheck { after: None });
    match pass.next(checkable(1, 5, 9)) {
        Effect::Check(request) => {
            assert_eq!(
                (request.conversation_id, request.before),
                (lane(1), Some(Seq::new(10))),
                "no message above the stored range"
            );
        }
        other => panic!("{other:?}"),
    }
    let (mut asked, pull) = pass_at(following("c"));
    assert_eq!(finish(&mut asked, pull).report.checked, 0);
}

#[test]
fn checks_take_turns_and_start_over_after_the_last_conversation() {
    let (mut pass, _) = done(memory());
    let _ = pass.next(checkable(1, 5, 9));
    let (mut pass, next) = done(unwritten_memory(&pass));
    assert_eq!(next, Effect::NextCheck { after: Some(lane(1)) });
    assert_eq!(pass.next(Event::Checkable(None)), Effect::CheckDigest);
    assert!(is_success(&pass.next(Event::DigestChecked(true))));
    assert_eq!(done(unwritten_memory(&pass)).1, Effect::NextCheck { after: None });
}

#[test]
fn a_difference_counts_only_within_the_stored_range() {
    assert_eq!(found(5, 0), (1, 0));
    assert_eq!(found(5, 2), (1, 1));
    assert_eq!(found(1, 4), (1, 0), "part of the page was never stored");
}

#[test]
fn a_check_applies_only_messages_and_their_reactions() {
    let (mut pass, _) = done(memory());
    let _ = pass.next(checkable(1, 5, 9));
    let unreadable =
        UnreadableRow { list: "messages".into(), payload: "{}".into(), reason: "a kind of a newer version".into() };
    let reaction = Reaction {
        message_id: MessageId::from_uuid(Uuid::from_u128(1)),
        conversation_id: lane(1),
        emoji: Emoji::new("👍").unwrap(),
        by: ReactedBy::All { count: 1 },
        created_at: Time::UNIX_EPOCH,
        version: Version::new(1),
    };
    let changes = Changes {
        conversations: vec![conversation(1)],
        reactions: vec![reaction.clone()],
        unreadable: vec![unreadable.clone()],
        ..Changes::default()
    };
    let page = HistoryPage { conversation: Some(conversation(1)), changes, ..history_page(1) };
    let Effect::ApplyCheck(kept) = pass.next(Event::Checked(Ok(page))) else { panic!("nothing is applied") };
    assert_eq!((kept.conversation, &kept.changes.conversations), (None, &vec![]));
    assert_eq!(kept.changes.reactions, [reaction], "no pull brings it for a message that was not stored");
    assert_eq!(kept.changes.unreadable, [unreadable], "it is kept for a newer version");
}

#[test]
fn a_check_that_fails_fails_the_pass() {
    let (mut pass, _) = done(memory());
    let _ = pass.next(checkable(1, 5, 9));
    let end = pass.next(Event::Checked(Err(error(RemoteErrorKind::Unavailable))));
    assert!(failed(&mut pass, &end).error.is_some());
}

#[test]
fn a_lost_check_is_repeated_and_a_conversation_not_found_is_skipped() {
    let (mut pass, _) = done(memory());
    let first = pass.next(checkable(1, 5, 9));
    assert_eq!(pass.next(Event::Checked(Err(error(RemoteErrorKind::Interrupted)))), first);
    assert!(is_success(&pass.next(Event::Checked(Err(error(RemoteErrorKind::NotFound))))));
}

#[test]
fn a_wrong_stored_digest_counts_as_a_difference() {
    for (right, diverged) in [(true, 0), (false, 1)] {
        let (mut pass, _) = done(memory());
        let _ = pass.next(Event::Checkable(None));
        assert!(is_success(&pass.next(Event::DigestChecked(right))));
        assert_eq!(outcome(pass.next(Event::Remembered)).report.diverged, diverged);
    }
}

#[test]
fn an_oversized_check_is_skipped() {
    for kind in [RemoteErrorKind::Oversized, RemoteErrorKind::TooLarge] {
        let (mut pass, _) = done(memory());
        let _ = pass.next(checkable(1, 5, 9));
        assert!(is_success(&pass.next(Event::Checked(Err(error(kind))))));
    }
}
