//! How a command fails: what to say, and with which exit code.

use fieldpost::Error;
use std::fmt::Display;

/// Why a command failed. The text says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    kind: FailureKind,
    message: String,
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
        Self { kind: FailureKind::Error, message: message.to_string() }
    }

    pub(crate) fn usage(message: impl Display) -> Self {
        Self { kind: FailureKind::Usage, message: message.to_string() }
    }

    pub(crate) const fn kind(&self) -> FailureKind {
        self.kind
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Offline(_) => FailureKind::Unreachable,
            Error::SignedOut => FailureKind::SignedOut,
            Error::InvalidContent(_) | Error::Configuration(_) => FailureKind::Usage,
            _ => FailureKind::Error,
        };
        let message = match &error {
            Error::SignedOut => {
                "nobody is signed in; run `fieldpost login --email YOU --password-stdin` (what was written is kept)"
                    .to_owned()
            }
            _ => error.to_string(),
        };
        Self { kind, message }
    }
}
