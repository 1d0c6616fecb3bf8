//! Several processes at one store.

use super::SecretPlace;
use super::build::{name, secret};

/// Two processes on one database see each other's rotation, sign-in and sign-out.
pub async fn what_one_process_keeps_and_deletes_another_one_sees(place: &dyn SecretPlace) {
    let (app, extension) = (place.open(), place.open());
    app.put(&name("a"), &secret("first")).await.unwrap();
    assert_eq!(extension.get(&name("a")).await.unwrap(), Some(secret("first")));
    extension.put(&name("a"), &secret("rotated")).await.unwrap();
    assert_eq!(app.get(&name("a")).await.unwrap(), Some(secret("rotated")));
    app.delete(&name("a")).await.unwrap();
    assert_eq!(extension.get(&name("a")).await.unwrap(), None);
}
