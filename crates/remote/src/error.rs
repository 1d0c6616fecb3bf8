//! What can go wrong between a device and the server.

use fieldpost_domain::Retry;
use std::{error::Error, fmt, time::Duration};

/// The result of every method of the contract.
pub type RemoteResult<T> = Result<T, RemoteError>;

/// How long to wait for functions that are not there: nobody applies SQL within seconds.
const NOT_FIELDPOST: Duration = Duration::from_secs(30);

/// Why the server no longer accepts a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExpiredReason {
    /// The server's history was replaced: by a restore, a promotion or a truncation.
    Epoch,
    /// The caller's role or org has changed.
    Access,
    /// The cursor is older than the tombstones that the server keeps.
    Compacted,
    /// The cursor was made for other tables of records.
    Tables,
    /// The server cannot read the cursor, or gives a reason that this version does not know.
    Invalid,
}

/// The kind of failure. It decides what the caller can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RemoteErrorKind {
    /// No connection: no network, unknown host, refused, TLS. The server has certainly not applied the call.
    Unreachable,
    /// The connection broke after sending began. It is unknown whether the server applied the call.
    Interrupted,
    /// No response in time, by the clock of the client, a gateway or the database. As with [`Self::Interrupted`], it is
    /// unknown whether the server applied the call. Repeating the same call at once would time out again.
    TimedOut,
    /// The database stopped the statement because it took too long, and applied nothing. Ask for less, or send less.
    StatementTimeout,
    /// A web page or a redirect came back instead of the server's response: a captive portal, a firewall, or a wrong
    /// address. It is unknown whether the server applied the call.
    Intercepted,
    /// 401: the access token is missing, expired or not accepted. Refresh the session, then try again.
    Unauthorized,
    /// The server refuses a token that it has issued just now: its clocks or its keys disagree. Another refresh would not
    /// help; the session stays.
    NewTokenRefused,
    /// The server does not accept the API key.
    WrongApiKey,
    /// Wrong e-mail address or password.
    WrongCredentials,
    /// The server no longer accepts the refresh token: the person has to sign in again.
    SessionEnded,
    /// 429.
    RateLimited,
    /// 5xx, or a response of the gateway in front of the server.
    Unavailable,
    /// The server no longer accepts the cursor or the bootstrap position: bootstrap again.
    CursorExpired(ExpiredReason),
    /// The server no longer serves this protocol: the app must be updated.
    ClientTooOld,
    /// The batch exceeds the server's limits: split it.
    TooLarge,
    /// A gateway rejects a body of this size, the database cannot process it, or the response is larger than this
    /// client reads. This does not come from Fieldpost's functions, so it says nothing about the content: ask for less,
    /// or send less.
    Oversized,
    /// The conversation or the report does not exist, or the caller may not see it.
    NotFound,
    /// Only an admin may make this call.
    Forbidden,
    /// The server rejects the request in this form.
    BadRequest,
    /// What responds at this address is no Supabase project with Fieldpost's functions, or not yet: their SQL may be being
    /// applied, or PostgREST may not have noticed.
    NotFieldpost,
    /// The response cannot be read: it is truncated or breaks the protocol.
    Malformed,
    /// Anything else.
    Other,
}

impl RemoteErrorKind {
    /// Whether the call has certainly changed nothing on the server: it never arrived, or the server rejected it before
    /// applying anything. For every other failure this is unknown.
    #[must_use]
    pub const fn is_certainly_not_carried_out(self) -> bool {
        matches!(
            self,
            Self::Unreachable
                | Self::StatementTimeout
                | Self::Unauthorized
                | Self::NewTokenRefused
                | Self::WrongApiKey
                | Self::RateLimited
                | Self::ClientTooOld
                | Self::TooLarge
                | Self::Oversized
                | Self::Forbidden
                | Self::BadRequest
                | Self::NotFieldpost
        )
    }
}

/// A failed call. It names the operation, and never contains content or a token.
#[derive(Debug)]
pub struct RemoteError(Box<Parts>);

/// On the heap, so that a result is small: most are none, and each is handed on by many.
#[derive(Debug)]
struct Parts {
    kind: RemoteErrorKind,
    operation: &'static str,
    detail: Option<String>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl RemoteError {
    /// A failure of `operation`, the name of a contract method.
    #[must_use]
    pub fn new(kind: RemoteErrorKind, operation: &'static str) -> Self {
        Self(Box::new(Parts { kind, operation, detail: None, retry_after: None, source: None }))
    }

    /// Adds a detail for people: a status, a code, a host. No content, no token.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds the server's `Retry-After`.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> RemoteErrorKind {
        self.0.kind
    }

    /// The name of the operation.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// The detail for people.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// Whether a retry can help. After [`RemoteErrorKind::Interrupted`] or [`RemoteErrorKind::TimedOut`] a batch may be
    /// resent unchanged: the ids in it make that harmless.
    #[must_use]
    pub fn retry(&self) -> Retry {
        if let Some(after) = self.0.retry_after {
            return Retry::After(after);
        }
        match self.0.kind {
            RemoteErrorKind::Unreachable
            | RemoteErrorKind::Interrupted
            | RemoteErrorKind::TimedOut
            | RemoteErrorKind::Intercepted => Retry::WhenOnline,
            RemoteErrorKind::Unauthorized => Retry::AfterReauth,
            RemoteErrorKind::RateLimited
            | RemoteErrorKind::Unavailable
            | RemoteErrorKind::StatementTimeout
            | RemoteErrorKind::NewTokenRefused
            | RemoteErrorKind::Malformed => Retry::After(Duration::from_secs(1)),
            RemoteErrorKind::NotFieldpost => Retry::After(NOT_FIELDPOST),
            RemoteErrorKind::CursorExpired(_) => Retry::After(Duration::ZERO),
            _ => Retry::Never,
        }
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.0.kind {
            RemoteErrorKind::Unreachable => "the server cannot be reached",
            RemoteErrorKind::Interrupted => "the connection broke before the answer came",
            RemoteErrorKind::TimedOut => "the answer took too long",
            RemoteErrorKind::StatementTimeout => "the database stopped the call because it took too long",
            RemoteErrorKind::Intercepted => {
                "a web page came back instead of the server's answer: this network may want you to sign in first (open a web \
                 page to see); if it happens on every network, check the project's URL"
            }
            RemoteErrorKind::Unauthorized => "the server does not accept the session",
            RemoteErrorKind::NewTokenRefused => {
                "the server refuses a token that it has just issued; its clock or its keys may be wrong. You stay signed in"
            }
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
            RemoteErrorKind::Forbidden => "only an admin of the organization may do this",
            RemoteErrorKind::BadRequest => "the server does not accept the request",
            RemoteErrorKind::NotFieldpost => {
                "what answers there does not have Fieldpost's functions, or not yet; if this lasts, check the project's URL, \
                 and that migrations/supabase is applied"
            }
            RemoteErrorKind::Malformed => "the server's answer cannot be read",
            RemoteErrorKind::Other => "the call failed",
        };
        write!(f, "{what} ({})", self.0.operation)?;
        self.0.detail.as_ref().map_or(Ok(()), |detail| write!(f, ": {detail}"))
    }
}

impl Error for RemoteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
