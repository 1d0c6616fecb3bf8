//! Every view of the store, and the allowed results of reading it.

use super::{file::Sound, odd::Touched};
use fieldpost_domain::ServerLimits;
use fieldpost_storage::{BatchLimits, StorageError, StorageErrorKind, StorageResult, Store, Window};
use std::collections::HashSet;

/// Reads every view.
pub(super) async fn read(store: &impl Store, sound: &Sound, touched: &[Touched]) {
    value(store.sync_state().await);
    value(store.session().await);
    value(store.account().await);
    value(store.people().await);
    value(store.total_unread().await);
    value(store.counts().await);
    value(store.missing_ranges(100).await);
    value(store.next_check(None).await);
    value(store.inspect().await);
    conversations(store, sound, touched).await;
    messages(store, sound, touched).await;
    outbox(store, sound, touched).await;
}

/// Only one error is allowed here: the file is damaged.
fn value<T>(result: StorageResult<T>) -> Option<T> {
    result.map_err(|error| is_typed(&error)).ok()
}

pub(super) fn is_typed(error: &StorageError) {
    assert_eq!(error.kind(), StorageErrorKind::Corrupt, "{error:?}");
}

/// Whether only unreadable mutations are odd; the contract parks those for the person to see.
pub(super) fn is_parked(touched: &[Touched]) -> bool {
    touched.iter().all(|one| one.table == "outbox" && ["kind", "payload"].contains(&one.column.as_str()))
}

async fn conversations(store: &impl Store, sound: &Sound, touched: &[Touched]) {
    let list = value(store.conversations(100).await);
    // It is built from its own rows and from people's.
    if touched.iter().all(|one| ["messages", "outbox", "session", "tombstones"].contains(&one.table.as_str())) {
        assert_eq!(list.map(|list| list.len()), Some(sound.conversations.len()), "{touched:?}");
    }
    for id in &sound.conversations {
        value(store.conversation(*id).await);
    }
    for person in value(store.people().await).unwrap_or_default() {
        value(store.person(person.id).await);
    }
}

async fn messages(store: &impl Store, sound: &Sound, touched: &[Touched]) {
    for id in &sound.conversations {
        let thread = store.messages(*id, Window::newest(100)).await;
        let elsewhere = |one: &Touched| {
            one.table == "messages" && one.conversation.as_ref().is_some_and(|other| *other != id.as_uuid().as_bytes())
        };
        match thread {
            Ok(_) => {}
            Err(error) if error.kind() == StorageErrorKind::NotFound => {
                assert!(touched.iter().any(|one| ["conversations", "aliases"].contains(&one.table.as_str())));
            }
            Err(error) => {
                is_typed(&error);
                assert!(!touched.iter().all(elsewhere), "a thread fails by a row of another: {touched:?}");
            }
        }
    }
    for id in &sound.messages {
        value(store.message(*id).await);
        value(store.entry_of(*id).await);
    }
}

async fn outbox(store: &impl Store, sound: &Sound, touched: &[Touched]) {
    let entries = value(store.entries(u32::MAX).await);
    if is_parked(touched) {
        assert_eq!(
            entries.map(|entries| entries.len()),
            Some(sound.entries),
            "one is shown as unreadable: {touched:?}"
        );
    }
    // This may park unreadable mutations, so it comes last; readable ones are sent.
    let limits = BatchLimits::from(ServerLimits::default());
    let batch = value(store.next_batch(limits, &HashSet::new()).await);
    assert!(batch.is_some() || !is_parked(touched), "one that cannot be read holds up the others: {touched:?}");
    value(store.counts().await);
}
