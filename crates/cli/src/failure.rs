//! How a command fails: its message and its exit code.

use crate::terminal::one_line;
use fieldpost::{Error, Retry, StorageErrorKind};
use std::{fmt::Display, time::Duration};

/// Why a command failed. The text says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    kind: FailureKind,
    message: String,
    /// How long to wait before a retry; none if a retry cannot help.
    wait: Option<Duration>,
}

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    Error,
    Usage,
    Unreachable,
    SignedOut,
}

impl FailureKind {
    pub(crate) const fn exit_code(self) -> u8 {
        match self {
            Self::Error => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::SignedOut => 4,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Usage => "usage",
            Self::Unreachable => "unreachable",
            Self::SignedOut => "signed_out",
        }
    }
}

impl Failure {
    pub(crate) fn error(message: impl Display) -> Self {
        Self { kind: FailureKind::Error, message: message.to_string(), wait: None }
    }

    pub(crate) fn usage(message: impl Display) -> Self {
        Self { kind: FailureKind::Usage, message: message.to_string(), wait: None }
    }

    pub(crate) const fn wait(&self) -> Option<Duration> {
        self.wait
    }

    pub(crate) const fn kind(&self) -> FailureKind {
        self.kind
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let wait = match error.retry() {
            Retry::After(wait) => Some(wait),
            Retry::WhenOnline => Some(Duration::ZERO),
            Retry::Never | Retry::AfterReauth => None,
        };
        let kind = match (&error, error.retry()) {
            (Error::SignedOut, _) | (Error::Server(_), Retry::AfterReauth) => FailureKind::SignedOut,
            (Error::InvalidContent(_) | Error::InvalidEmoji(_) | Error::InvalidReport(_), _)
            | (Error::Configuration(_) | Error::InvalidSearch(_), _) => FailureKind::Usage,
            (Error::Storage(error), _) if error.kind() == StorageErrorKind::InvalidPath => FailureKind::Usage,
            // The server answers but asks to come back later: for the work that is the same as unreachable.
            (Error::Offline(_), _) | (Error::Server(_), Retry::After(_)) => FailureKind::Unreachable,
            _ => FailureKind::Error,
        };
        let message = match &error {
            Error::SignedOut => {
                "nobody is signed in; run `fieldpost login --email YOU --password-stdin` (what was written is kept)"
                    .to_owned()
            }
            // It may repeat words of the server, and those are one line.
            _ => one_line(&error.to_string()),
        };
        Self { kind, message, wait }
    }
}
