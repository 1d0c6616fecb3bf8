//! What a pass saves for the next one, in this process or another.

use crate::given::*;
use fieldpost_domain::{Capability, Mutation, ServerLimits};
use fieldpost_remote::{RemoteErrorKind, client_capabilities};
use fieldpost_storage::{
    BootstrapReason, Health, ReducedSize, StorageError, StorageErrorKind, SyncMemory, SyncPosition,
};
use fieldpost_sync::machine::{Effect, Event, Pass};

fn full() -> Event {
    Event::StorageFailed(StorageError::new(StorageErrorKind::Full, "remember"))
}

/// Runs one pass in a process of its own. It starts with `memory`, has 400 mutations to send, and its server times out
/// on batches above `most`. Returns the size of its first batch and the memory it saved.
fn one_shot(memory: SyncMemory, most: usize) -> (u32, SyncMemory) {
    let mut pass = Pass::new();
    let mut effect = after_recall(&mut pass, memory);
    let mut first = None;
    let mut left = 400;
    loop {
        effect = match effect {
            Effect::ReadBatch { limits, .. } => {
                first.get_or_insert(limits.rows);
                let batch = (1..=left.min(u128::from(limits.rows))).map(|number| mutation(number, number));
                pass.next(Event::Batch(batch.collect()))
            }
            Effect::Push(batch) if batch.mutations.len() > most => {
                pass.next(Event::Pushed(Err(error(RemoteErrorKind::TimedOut))))
            }
            Effect::Push(batch) => {
                left -= batch.mutations.len() as u128;
                let number = |mutation: &Mutation| mutation.id.as_uuid().as_u128();
                let outcomes = batch.mutations.iter().map(|mutation| (number(mutation), acknowledged()));
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
fn a_new_process_starts_with_the_batch_size_of_the_last_one() {
    let (first, memory) = one_shot(memory(), 120);
    assert_eq!((first, memory.push_size.rows), (500, Some(200)), "400 timed out");
    let (second, memory) = one_shot(memory, 120);
    assert_eq!((second, memory.push_size.rows), (200, Some(100)));
    let (third, memory) = one_shot(memory, 120);
    assert_eq!((third, memory.push_size.rows), (100, Some(100)), "100 got through, 200 timed out");
}

#[test]
fn a_reduced_batch_size_doubles_with_each_success() {
    let memory = SyncMemory { push_size: ReducedSize { rows: Some(25), ..ReducedSize::default() }, ..memory() };
    let mut pass = pass_after(memory);
    for expected in [50, 100, 200, 400, 500] {
        let _ = pass.next(Event::Batch(vec![mutation(1, 1)]));
        let _ = pass.next(answer(vec![(1, acknowledged())]));
        assert!(matches!(pass.next(settled(1, 0)), Effect::ReadBatch { limits, .. } if limits.rows == expected));
    }
    assert_eq!(unwritten_memory(&pass).push_size, ReducedSize::default(), "and nothing is left to remember");
}

#[test]
fn a_failed_pass_saves_its_memory_and_ends_with_its_own_error() {
    for event in [Event::Remembered, full()] {
        let (mut pass, _) = pass_at(following("c"));
        let last = pass.next(Event::Pulled(Err(error(RemoteErrorKind::TimedOut))));
        let Effect::Remember { memory, succeeded: false } = last else { panic!("{last:?}") };
        assert_eq!(memory.page_size, ReducedSize { rows: Some(1250), ..ReducedSize::default() });
        let health = Health { passes: 1, failed_passes: 1, ..Health::default() };
        assert_eq!(memory.health, health);

        let end = outcome(pass.next(event));
        assert!(
            end.error.is_some_and(|error| error.to_string().contains("test")),
            "the error of the call, not of the store"
        );
    }
}

#[test]
fn a_successful_pass_saves_its_memory_and_time_in_one_write() {
    let before = SyncMemory { health: Health { passes: 6, gaps: 2, ..Health::default() }, ..memory() };
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
    assert!(outcome(pass.next(Event::Remembered)).error.is_none(), "no second write");
}

#[test]
fn a_pass_whose_success_cannot_be_saved_fails() {
    let (mut pass, _) = pass_at(following("c"));
    let _ = pass.next(Event::Pulled(Ok(empty_page("c"))));
    let _ = pass.next(Event::PullApplied(applied()));
    assert!(is_success(&pass.next(Event::Missing(vec![]))));
    let end = outcome(pass.next(full()));
    assert!(end.error.is_some(), "it is not saved twice");
}

#[test]
fn a_pass_that_could_not_read_the_memory_saves_nothing() {
    let mut pass = Pass::new();
    assert_eq!(pass.start(), Effect::Recall);
    assert!(outcome(pass.next(full())).error.is_some());
}

#[test]
fn a_pass_that_is_cut_off_has_unwritten_memory_if_it_learned_something() {
    let mut pass = pass();
    let _ = pass.next(Event::Batch(vec![mutation(1, 1)]));
    assert_eq!(pass.unwritten(), None, "nothing to write");
    let _ = pass.next(Event::Pushed(Err(error(RemoteErrorKind::Unavailable))));
    let left = pass.unwritten();
    assert_eq!(left, Some(SyncMemory { suspects: [lane(1)].into(), ..memory() }));
    assert_eq!(pass_after(left.unwrap()).unwritten(), None, "a suspect stays one until it is tried");
}

#[test]
fn what_a_bootstrap_names_is_saved_as_soon_as_it_has_begun() {
    let mut pass = Pass::new();
    after_recall(&mut pass, SyncMemory::default());
    let _ = pass.next(Event::Batch(vec![]));
    let _ = pass.next(state(following("7")));
    let saved = pass.named_anew().unwrap();
    assert_eq!(saved, memory(), "a pass that is killed at its end does not load again");
    assert_eq!(pass.named_anew(), None, "once");
}

/// An older client began a bootstrap, and its first pages lack what this one names.
#[test]
fn a_bootstrap_of_an_older_client_begins_again() {
    let begun = SyncPosition::Bootstrapping { after: None, done: 3, total: Some(9) };
    for (memory, again) in [(SyncMemory::default(), true), (memory(), false)] {
        let mut pass = Pass::new();
        after_recall(&mut pass, memory);
        let _ = pass.next(Event::Batch(vec![]));
        let next = pass.next(state(begun.clone()));
        assert_eq!(matches!(next, Effect::BeginBootstrap(_)), again, "{next:?}");
    }
}

/// An older client did not store rows that need the new capability.
#[test]
fn a_client_with_a_new_capability_bootstraps_once() {
    let named =
        |names: &[Capability]| SyncMemory { named: Some(names.iter().cloned().collect()), ..SyncMemory::default() };
    let first = |memory| {
        let mut pass = Pass::new();
        after_recall(&mut pass, memory);
        let _ = pass.next(Event::Batch(vec![]));
        pass.next(state(following("7")))
    };
    assert_eq!(first(named(&[Capability::SetDigest])), Effect::BeginBootstrap(BootstrapReason::Reconcile));
    let all: Vec<_> = client_capabilities().into_iter().collect();
    assert!(matches!(first(named(&all)), Effect::Pull(_)));
    let older = first(SyncMemory::default());
    assert_eq!(older, Effect::BeginBootstrap(BootstrapReason::Reconcile), "an older file does not name them");
}
