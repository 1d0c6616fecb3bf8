//! Keeping, replacing and deleting.

use super::build::{another_persons_name, name, secret};
use crate::SecretStore;

/// Nothing was kept yet.
pub async fn a_secret_that_was_never_kept_is_none_and_no_failure(store: &dyn SecretStore) {
    assert_eq!(store.get(&name("a")).await.unwrap(), None);
}

/// `SecretStore::put`, `SecretStore::get`.
pub async fn what_was_kept_is_read_as_it_was(store: &dyn SecretStore) {
    store.put(&name("a"), &secret("tokens")).await.unwrap();
    assert_eq!(store.get(&name("a")).await.unwrap(), Some(secret("tokens")));
}

/// Rotated tokens replace the old ones.
pub async fn a_later_secret_replaces_the_former_one(store: &dyn SecretStore) {
    for text in ["first", "second, and longer", "3"] {
        store.put(&name("a"), &secret(text)).await.unwrap();
        assert_eq!(store.get(&name("a")).await.unwrap(), Some(secret(text)));
    }
}

/// Databases and persons do not share secrets.
pub async fn names_do_not_share_a_secret(store: &dyn SecretStore) {
    store.put(&name("a"), &secret("iris in a")).await.unwrap();
    assert_eq!(store.get(&name("b")).await.unwrap(), None);
    assert_eq!(store.get(&another_persons_name("a")).await.unwrap(), None);
    store.put(&name("b"), &secret("iris in b")).await.unwrap();
    store.put(&another_persons_name("a"), &secret("ada in a")).await.unwrap();
    assert_eq!(store.get(&name("a")).await.unwrap(), Some(secret("iris in a")));
    store.delete(&name("a")).await.unwrap();
    assert_eq!(store.get(&name("b")).await.unwrap(), Some(secret("iris in b")));
    assert_eq!(store.get(&another_persons_name("a")).await.unwrap(), Some(secret("ada in a")));
}

/// `SecretStore::delete`
pub async fn a_deleted_secret_is_gone_and_deleting_again_does_nothing(store: &dyn SecretStore) {
    store.delete(&name("a")).await.unwrap();
    store.put(&name("a"), &secret("tokens")).await.unwrap();
    store.delete(&name("a")).await.unwrap();
    assert_eq!(store.get(&name("a")).await.unwrap(), None);
    store.delete(&name("a")).await.unwrap();
    store.put(&name("a"), &secret("anew")).await.unwrap();
    assert_eq!(store.get(&name("a")).await.unwrap(), Some(secret("anew")));
}

/// Sessions are JSON with tokens of any length in them.
pub async fn quotes_lines_and_other_characters_stay_as_they_are(store: &dyn SecretStore) {
    for text in
        ["{\"a\":\"b\\\"c\"}", "two\nlines\n", " spaces ", "$HOME `id` 'q' \\", "Zürich 🚑 \u{202e}", "-w", "%s"]
    {
        store.put(&name("a"), &secret(text)).await.unwrap();
        assert_eq!(store.get(&name("a")).await.unwrap(), Some(secret(text)), "{text:?}");
    }
}

/// A JWT with many claims has some thousand characters. At least 4 KiB have to fit.
pub async fn a_long_session_is_kept_whole(store: &dyn SecretStore) {
    let long = secret(&"0123456789abcdef".repeat(256));
    store.put(&name("a"), &long).await.unwrap();
    assert_eq!(store.get(&name("a")).await.unwrap(), Some(long));
}

/// `SecretStore::describe`
pub async fn it_says_what_it_is_in_words_for_a_person(store: &dyn SecretStore) {
    assert!(!store.describe().trim().is_empty());
}
