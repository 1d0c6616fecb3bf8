//! What one pass leaves to the next, in this process or another.

use crate::given::*;
use fieldpost_domain::{Capability, Mutation, ServerLimits};
use fieldpost_remote::{RemoteErrorKind, client_capabilities};
use fieldpost_storage::{BootstrapReason, Health, ReducedSize, StorageError, StorageErrorKind, SyncMemory};
use fieldpost_sync::machine::{Effect, Event, Pass};

fn full() -> Event {
    Event::StorageFailed(StorageError::new(StorageErrorKind::Full, "remember"))
}

/// A pass of a process of its own: it begins with what the file says, has 400 mutations to send, and calls a server that
/// answers nothing to more than so many. Returns how many it asked for at first, and what it left in the file.
fn one_shot(memory: SyncMemory, most: usize) -> (u32, SyncMemory) {
    let mut pass = Pass::new();
    let mut effect = begun(&mut pass, memory);
    let mut first = None;
    let mut left = 400;
    loop {
        effect = match effect {
            Effect::ReadBatch { limits, .. } => {
                first.get_or_insert(limits.rows);
                let batch = (1..=left.min(u128::from(limits.rows))).map(|number| mutation(number, number));
                pass.next(Event::Batch(batch.collect()))
            }
            Effect::Push(batch) if batch.len() > most => {
                pass.next(Event::Pushed(Err(error(RemoteErrorKind::TimedOut))))
            }
            Effect::Push(batch) => {
                left -= batch.len() as u128;
                let number = |mutation: &Mutation| mutation.id.as_uuid().as_u128();
                let outcomes = batch.iter().map(|mutation| (number(mutation), acknowledged()));
                pass.next(answer(outcomes.collect()))
            }
            Effect::Settle(results) => pass.next(settled(u32::try_from(results.len()).unwrap(), 0)),
            Effect::ReadState => pass.next(Event::SessionFailed(fieldpost_sync::SyncError::SignedOut)),
            Effect::Remember { memory, .. } => return (first.unwrap(), *memory),
            other => panic!("{other:?}"),
        };
    }
}

#[test]
fn every_process_begins_with_the_size_that_the_last_one_left() {
    let (first, memory) = one_shot(SyncMemory::default(), 120);
    assert_eq!((first, memory.push_size.rows), (500, Some(200)), "400 were too many");
    let (second, memory) = one_shot(memory, 120);
    assert_eq!((second, memory.push_size.rows), (200, Some(100)));
    let (third, memory) = one_shot(memory, 120);
    assert_eq!((third, memory.push_size.rows), (100, Some(100)), "100 got through, and twice as many did not");
}

#[test]
fn a_size_grows_back_step_by_step() {
    let memory = SyncMemory { push_size: ReducedSize { rows: Some(25) }, ..SyncMemory::default() };
    let mut pass = pass_after(memory);
    for expected in [50, 100, 200, 400, 500] {
        let _ = pass.next(Event::Batch(vec![mutation(1, 1)]));
        let _ = pass.next(answer(vec![(1, acknowledged())]));
        assert!(matches!(pass.next(settled(1, 0)), Effect::ReadBatch { limits, .. } if limits.rows == expected));
    }
    assert_eq!(left_by(&pass).push_size, ReducedSize::default(), "and nothing is left to remember");
}

#[test]
fn a_pass_that_fails_leaves_what_it_learned_and_ends_with_what_it_failed_of() {
    for event in [Event::Remembered, full()] {
        let (mut pass, _) = pass_at(following("c"));
        let last = pass.next(Event::Pulled(Err(error(RemoteErrorKind::TimedOut))));
        let Effect::Remember { memory, succeeded: false } = last else { panic!("{last:?}") };
        assert_eq!(memory.page_size, ReducedSize { rows: Some(1250) });
        let health = Health { passes: 1, failed_passes: 1, ..Health::default() };
        assert_eq!(memory.health, health);

        let end = outcome(pass.next(event));
        assert!(end.error.is_some_and(|error| error.to_string().contains("test")), "of the call, not of the store");
    }
}

#[test]
fn a_pass_that_succeeds_notes_that_and_what_it_learned_in_one_write() {
    let before = SyncMemory { health: Health { passes: 6, gaps: 2, ..Health::default() }, ..SyncMemory::default() };
    let mut pass = pass_after(before.clone());
    let _ = pass.next(Event::Batch(vec![]));
    let _ = pass.next(state(following("c")));
    let mut page = empty_page("c");
    page.limits = ServerLimits { page_rows: 40, ..ServerLimits::default() };
    let _ = pass.next(Event::Pulled(Ok(page)));
    let _ = pass.next(Event::PullApplied(applied()));
    let last = pass.next(Event::Missing(vec![]));
    let Effect::Remember { memory, succeeded: true } = last else { panic!("{last:?}") };
    let limits = ServerLimits { page_rows: 40, ..ServerLimits::default() };
    assert_eq!(*memory, SyncMemory { limits, health: Health { passes: 7, gaps: 2, ..Health::default() }, ..before });
    assert!(outcome(pass.next(Event::Remembered)).error.is_none(), "and that was the only one");
}

#[test]
fn a_success_that_cannot_be_noted_is_none() {
    let (mut pass, _) = pass_at(following("c"));
    let _ = pass.next(Event::Pulled(Ok(empty_page("c"))));
    let _ = pass.next(Event::PullApplied(applied()));
    assert!(is_success(&pass.next(Event::Missing(vec![]))));
    let end = outcome(pass.next(full()));
    assert!(end.error.is_some(), "and it is not tried twice");
}

#[test]
fn a_pass_that_does_not_know_what_was_learned_overwrites_nothing() {
    let mut pass = Pass::new();
    assert_eq!(pass.start(), Effect::Recall);
    assert!(outcome(pass.next(full())).error.is_some());
}

#[test]
fn a_pass_that_is_cut_off_leaves_what_it_has_learned_if_that_is_anything() {
    let mut pass = pass();
    let _ = pass.next(Event::Batch(vec![mutation(1, 1)]));
    assert_eq!(pass.unwritten(), None, "nothing to write");
    let _ = pass.next(Event::Pushed(Err(error(RemoteErrorKind::Unavailable))));
    let left = pass.unwritten();
    assert_eq!(left, Some(SyncMemory { suspects: [lane(1)].into(), ..SyncMemory::default() }));
    assert_eq!(pass_after(left.unwrap()).unwritten(), None, "it is a suspect until it gets its turn");
}

/// A client that can read more than the one that loaded what is here has missed rows of that kind: it loads once more, and then
/// remembers what it named.
#[test]
fn a_client_that_has_learned_to_read_more_loads_once_more() {
    let named =
        |names: &[Capability]| SyncMemory { named: Some(names.iter().cloned().collect()), ..SyncMemory::default() };
    let first = |memory| {
        let mut pass = Pass::new();
        begun(&mut pass, memory);
        let _ = pass.next(Event::Batch(vec![]));
        pass.next(state(following("7")))
    };
    assert_eq!(first(named(&[Capability::SetDigest])), Effect::BeginBootstrap(BootstrapReason::Reconcile));
    let all: Vec<_> = client_capabilities().into_iter().collect();
    assert!(matches!(first(named(&all)), Effect::Pull(_)));
    assert!(matches!(first(SyncMemory::default()), Effect::Pull(_)), "a file of before clients kept this");
}
