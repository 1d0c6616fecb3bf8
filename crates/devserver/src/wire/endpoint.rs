//! The endpoints that counters and the proxy distinguish.

/// An endpoint of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// `fieldpost_bootstrap`
    Bootstrap,
    /// `fieldpost_pull`
    Pull,
    /// `fieldpost_push`
    Push,
    /// `fieldpost_history`
    History,
    /// `fieldpost_search`
    Search,
    /// `fieldpost_records_push`
    RecordsPush,
    /// `fieldpost_records_pull`
    RecordsPull,
    /// `fieldpost_audit_push`
    AuditPush,
    /// `/auth/v1/token`, sign-in and refresh.
    Token,
    /// `/auth/v1/logout`
    Logout,
    /// `/auth/v1/user`
    User,
    /// `/realtime/v1/websocket`
    Realtime,
    /// Anything else.
    Other,
}

impl Endpoint {
    pub(crate) fn of(path: &str) -> Self {
        match path {
            "/rest/v1/rpc/fieldpost_bootstrap" => Self::Bootstrap,
            "/rest/v1/rpc/fieldpost_pull" => Self::Pull,
            "/rest/v1/rpc/fieldpost_push" => Self::Push,
            "/rest/v1/rpc/fieldpost_history" => Self::History,
            "/rest/v1/rpc/fieldpost_search" => Self::Search,
            "/rest/v1/rpc/fieldpost_records_push" => Self::RecordsPush,
            "/rest/v1/rpc/fieldpost_records_pull" => Self::RecordsPull,
            "/rest/v1/rpc/fieldpost_audit_push" => Self::AuditPush,
            "/auth/v1/token" => Self::Token,
            "/auth/v1/logout" => Self::Logout,
            "/auth/v1/user" => Self::User,
            "/realtime/v1/websocket" => Self::Realtime,
            _ => Self::Other,
        }
    }
}
