//! What protects messages and tokens on a device, in short sentences that say what to do.
//!
//! It is no finding that something is not protected: whoever reads this decides whether that matters.

use crate::Inspection;
use fieldpost_storage::TokenPlace;

/// How safe something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Safety {
    /// Fieldpost protects it.
    Protected,
    /// Fieldpost could protect it, and does not, as it was started.
    Open,
    /// It is not in Fieldpost's hands: the app or the person protects it.
    Elsewhere,
    /// It cannot be told.
    Unknown,
}

impl Safety {
    /// A stable name, for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Protected => "protected",
            Self::Open => "open",
            Self::Elsewhere => "elsewhere",
            Self::Unknown => "unknown",
        }
    }
}

/// How one thing is protected. Its text says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Protection {
    /// What it is about: a stable name, for programs.
    pub subject: &'static str,
    /// How safe it is.
    pub safety: Safety,
    /// In words for a person.
    pub text: String,
}

fn about(subject: &'static str, safety: Safety, text: impl Into<String>) -> Protection {
    Protection { subject, safety, text: text.into() }
}

/// What no store of Fieldpost has a hand in.
const ELSEWHERE: [(&str, &str); 6] = [
    ("swap", "swap and hibernation may write memory to the disk; encrypt the disk, or switch them off"),
    (
        "screen",
        "screenshots, and the thumbnails that the system makes of apps, show what is on the screen; the app can cover it",
    ),
    ("notifications", "notifications show what the app puts in them, on a locked screen too; put no content in them"),
    ("logs", "Fieldpost logs no content and no token; see to it that the app and its crash reports do not either"),
    ("backups", "a backup or a copy of the folder has the file in it; encrypt the backup, or leave the folder out"),
    ("exports", "exports and what is printed are plain text; keep them in a safe place, and delete them afterwards"),
];

pub(crate) fn protections(database: &Inspection, tokens: &TokenPlace) -> Vec<Protection> {
    let elsewhere = ELSEWHERE.into_iter().map(|(subject, text)| about(subject, Safety::Elsewhere, text));
    [file(database), readers(database), session(database, tokens)].into_iter().chain(elsewhere).collect()
}

fn file(database: &Inspection) -> Protection {
    const FILE: &str = "file";
    match (&database.encryption, database.bytes) {
        (Some(version), _) => about(
            FILE,
            Safety::Protected,
            format!("the file and its log are encrypted (SQLCipher {version}); whoever has the key can read them"),
        ),
        (None, Some(_)) => {
            about(FILE, Safety::Open, "the file is not encrypted; encrypt the disk, or open the file with a key")
        }
        (None, None) => {
            about(FILE, Safety::Unknown, "the store is not a file of Fieldpost; whoever made it protects it")
        }
    }
}

fn readers(database: &Inspection) -> Protection {
    const READERS: &str = "readers";
    match database.readable_by_others {
        Some(false) => about(READERS, Safety::Protected, "only you and the machine's administrator may read the file"),
        Some(true) => about(
            READERS,
            Safety::Open,
            "other users of this machine may read the file; take that from them (chmod go=)",
        ),
        None => about(
            READERS,
            Safety::Unknown,
            "who may read the file cannot be told here; keep it in the app's own folder",
        ),
    }
}

fn session(database: &Inspection, tokens: &TokenPlace) -> Protection {
    const TOKENS: &str = "tokens";
    match tokens {
        TokenPlace::Database if database.encryption.is_some() => {
            about(TOKENS, Safety::Protected, "the tokens of the session are in the encrypted file")
        }
        TokenPlace::Database => about(
            TOKENS,
            Safety::Open,
            "the tokens of the session are in the file, as plain text; keep them in the keyring of the platform",
        ),
        TokenPlace::Secrets(store) => {
            about(TOKENS, Safety::Protected, format!("the tokens of the session are in {store}, not in the file"))
        }
        TokenPlace::OutOfReach(store, why) => about(
            TOKENS,
            Safety::Protected,
            format!("the tokens of the session are in {store}, which cannot be read now: {why}"),
        ),
        TokenPlace::Lost(store) => about(
            TOKENS,
            Safety::Unknown,
            format!("the tokens of the session were in {store} and are not any more; sign in again"),
        ),
        TokenPlace::NotGiven => about(
            TOKENS,
            Safety::Unknown,
            "the tokens of the session are in a secret store that this start was not given",
        ),
        _ => about(
            TOKENS,
            Safety::Elsewhere,
            "there are no tokens in the file: nobody is signed in, or the app keeps them",
        ),
    }
}
