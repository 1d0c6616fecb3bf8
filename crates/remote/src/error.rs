//! What can go wrong between a device and the server.

use fieldpost_domain::Retry;
use std::{error::Error, fmt, time::Duration};

/// The result of every method of the contract.
pub type RemoteResult<T> = Result<T, RemoteError>;

/// Why a cursor is no longer served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExpiredReason {
    /// The server's history is another one: restored, promoted, truncated.
    Epoch,
    /// The caller's role or org has changed.
    Access,
    /// Older than the tombstones that are kept.
    Compacted,
    /// The server cannot read it, or gives a reason that this version does not know.
    Invalid,
}

/// What kind of failure it is; decides what the caller can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RemoteErrorKind {
    /// No connection came about: no network, unknown host, refused, TLS. The call was certainly not carried out.
    Unreachable,
    /// The connection broke after sending began. Whether the call was carried out is unknown.
    Interrupted,
    /// The answer did not come in time, by the clock of the client, a gateway or the database. Whether the call was carried
    /// out is unknown, as with [`Self::Interrupted`]; but the same call at once would meet the same slowness.
    TimedOut,
    /// 401: the access token is missing, expired or not accepted. Refresh, then try again.
    Unauthorized,
    /// The API key is not accepted.
    WrongApiKey,
    /// Wrong e-mail address or password.
    WrongCredentials,
    /// The refresh token is not accepted any more: the person has to sign in again.
    SessionEnded,
    /// 429.
    RateLimited,
    /// 5xx, or the gateway in front of the server speaks for it.
    Unavailable,
    /// The cursor, or the place in a bootstrap, is no longer served: bootstrap again.
    CursorExpired(ExpiredReason),
    /// The server no longer serves this protocol: the app must be updated.
    ClientTooOld,
    /// The batch is above the server's limits: split it.
    TooLarge,
    /// A gateway takes nothing of this size, the database makes nothing of it, or the answer is larger than this client reads.
    /// Not the word of the functions, so no verdict on what is in it: ask for less, or send less.
    Oversized,
    /// The conversation does not exist, or the caller may not see it.
    NotFound,
    /// The server does not accept the request as it is.
    BadRequest,
    /// Something answers there, but not a Supabase project with Fieldpost's functions.
    NotFieldpost,
    /// The answer cannot be read: truncated, or not what the protocol says.
    Malformed,
    /// Anything else.
    Other,
}

impl RemoteErrorKind {
    /// Whether the call has certainly changed nothing on the server: it never got there, or was turned away before anything
    /// was carried out. Of every other failure that is unknown.
    #[must_use]
    pub const fn is_certainly_not_carried_out(self) -> bool {
        matches!(
            self,
            Self::Unreachable
                | Self::Unauthorized
                | Self::WrongApiKey
                | Self::RateLimited
                | Self::ClientTooOld
                | Self::TooLarge
                | Self::Oversized
                | Self::BadRequest
                | Self::NotFieldpost
        )
    }
}

/// A failure of a call. It says what was being done, never with what content or token.
#[derive(Debug)]
pub struct RemoteError {
    kind: RemoteErrorKind,
    operation: &'static str,
    detail: Option<String>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl RemoteError {
    /// A failure of `operation` (the name of a contract method).
    #[must_use]
    pub const fn new(kind: RemoteErrorKind, operation: &'static str) -> Self {
        Self { kind, operation, detail: None, retry_after: None, source: None }
    }

    /// Adds what a person needs to know: a status, a code, a host. No content, no token.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds the server's `Retry-After`.
    #[must_use]
    pub const fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub const fn kind(&self) -> RemoteErrorKind {
        self.kind
    }

    /// What was being done.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        self.operation
    }

    /// What a person needs to know about it.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// Whether trying again can help. A batch that was [`RemoteErrorKind::Interrupted`] or [`RemoteErrorKind::TimedOut`] may
    /// be sent again as it is: the ids in it make that harmless.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        if let Some(after) = self.retry_after {
            return Retry::After(after);
        }
        match self.kind {
            RemoteErrorKind::Unreachable | RemoteErrorKind::Interrupted | RemoteErrorKind::TimedOut => {
                Retry::WhenOnline
            }
            RemoteErrorKind::Unauthorized => Retry::AfterReauth,
            RemoteErrorKind::RateLimited | RemoteErrorKind::Unavailable | RemoteErrorKind::Malformed => {
                Retry::After(Duration::from_secs(1))
            }
            RemoteErrorKind::CursorExpired(_) => Retry::After(Duration::ZERO),
            _ => Retry::Never,
        }
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            RemoteErrorKind::Unreachable => "the server cannot be reached",
            RemoteErrorKind::Interrupted => "the connection broke before the answer came",
            RemoteErrorKind::TimedOut => "the answer took too long",
            RemoteErrorKind::Unauthorized => "the server does not accept the session",
            RemoteErrorKind::WrongApiKey => "the server does not accept the API key; check the project's anon key",
            RemoteErrorKind::WrongCredentials => "wrong e-mail address or password",
            RemoteErrorKind::SessionEnded => "the session has ended; sign in again",
            RemoteErrorKind::RateLimited => "the server asks to slow down",
            RemoteErrorKind::Unavailable => "the server is not available right now",
            RemoteErrorKind::CursorExpired(_) => "the server asks for a new first load",
            RemoteErrorKind::ClientTooOld => "the server no longer serves this version; update the app",
            RemoteErrorKind::TooLarge => "the batch is larger than the server accepts",
            RemoteErrorKind::Oversized => "it is too large for the way to the server or back",
            RemoteErrorKind::NotFound => "there is no such conversation, or it may not be seen",
            RemoteErrorKind::BadRequest => "the server does not accept the request",
            RemoteErrorKind::NotFieldpost => {
                "what answers there is no Supabase project with Fieldpost's functions; check the project's URL, and that \
                 migrations/supabase is applied"
            }
            RemoteErrorKind::Malformed => "the server's answer cannot be read",
            RemoteErrorKind::Other => "the call failed",
        };
        write!(f, "{what} ({})", self.operation)?;
        self.detail.as_ref().map_or(Ok(()), |detail| write!(f, ": {detail}"))
    }
}

impl Error for RemoteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
