//! Which phones of the tests have an encrypted file.
//!
//! Half of them, in a build with the feature `encryption`: the name of the test and the day decide, so that each story is told in both
//! ways within two days. `FIELDPOST_KEYS=all` and `FIELDPOST_KEYS=none` decide for all of them.

use fieldpost::Key;
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    thread,
    time::{Duration, SystemTime},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The key of a phone of the test that runs here.
pub(crate) fn of_this_test() -> Option<Key> {
    let wanted = cfg!(feature = "encryption") && is_wanted();
    wanted.then(a_key)
}

/// A key that is the same in each run.
#[must_use]
pub fn a_key() -> Key {
    "0123456789abcdef".repeat(4).parse().expect("64 digits")
}

fn is_wanted() -> bool {
    match std::env::var("FIELDPOST_KEYS").as_deref() {
        Ok("all") => true,
        Ok("none") => false,
        Ok(other) => panic!("FIELDPOST_KEYS is all or none, and not {other}"),
        Err(_) => {
            let mut hasher = DefaultHasher::new();
            thread::current().name().hash(&mut hasher);
            let today = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs() / DAY.as_secs();
            (hasher.finish() ^ today) & 1 == 1
        }
    }
}
