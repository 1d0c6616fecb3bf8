//! Asks the server once and reports the answer. It changes nothing.

use super::Engine;
use crate::SyncError;
use chrono::TimeDelta;
use fieldpost_domain::{ServerInfo, ServerLimits, Time};
use fieldpost_remote::{BootstrapRequest, ExpiredReason, PROTOCOL, PullRequest, RemoteErrorKind};
use fieldpost_storage::SyncPosition;
use std::time::Duration;
use tokio::time::Instant;

/// Whether the server still accepts the cursor of this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CursorHealth {
    /// There is no cursor yet: the bootstrap is not finished.
    Loading,
    /// The server accepts it.
    Good {
        /// Whether the next pull will bring anything.
        behind: bool,
    },
    /// The server no longer accepts it. The next sync bootstraps again.
    Expired(ExpiredReason),
}

/// What one request showed about the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The protocol version that both sides use.
    pub protocol: u32,
    /// The server's clock.
    pub server_time: Time,
    /// How far the device clock is ahead of the server's; negative if it is behind. It is exact to half of
    /// `round_trip`.
    pub clock_skew: TimeDelta,
    /// How long the response took.
    pub round_trip: Duration,
    /// What the server accepts.
    pub limits: ServerLimits,
    /// What the server reports about itself.
    pub server: ServerInfo,
    /// Whether the server still accepts the cursor of this device.
    pub cursor: CursorHealth,
}

struct ServerReport {
    server_time: Time,
    limits: ServerLimits,
    server: ServerInfo,
    cursor: CursorHealth,
}

impl Engine {
    /// Requests one row from the current position and discards it. Nothing is sent and nothing is stored, except a
    /// session that had to be renewed.
    ///
    /// # Errors
    /// Those of a pass, except that an expired cursor is not an error.
    pub async fn probe(&self) -> Result<Probe, SyncError> {
        let position = self.replica.sync_state().await?.position;
        let (asked, asked_at) = (Instant::now(), self.env.now());
        let report = match position {
            SyncPosition::Following(cursor) => {
                self.probe_pull(PullRequest { cursor, limit: Some(1), bytes: None }).await?
            }
            SyncPosition::Fresh | SyncPosition::FirstScreen | SyncPosition::Bootstrapping { .. } => {
                self.probe_bootstrap(CursorHealth::Loading).await?
            }
        };
        let round_trip = asked.elapsed();
        let half = TimeDelta::from_std(round_trip / 2).unwrap_or_default();
        Ok(Probe {
            protocol: PROTOCOL,
            server_time: report.server_time,
            clock_skew: asked_at + half - report.server_time,
            round_trip,
            limits: report.limits,
            server: report.server,
            cursor: report.cursor,
        })
    }

    async fn probe_pull(&self, request: PullRequest) -> Result<ServerReport, SyncError> {
        let request = &request;
        match self.call("pull", |token| async move { self.api.pull(&token, request.clone()).await }).await? {
            Ok(page) => {
                let behind = page.more || !page.changes.is_empty();
                let cursor = CursorHealth::Good { behind };
                Ok(ServerReport { server_time: page.server_time, limits: page.limits, server: page.server, cursor })
            }
            Err(error) => match error.kind() {
                RemoteErrorKind::CursorExpired(reason) => self.probe_bootstrap(CursorHealth::Expired(reason)).await,
                _ => Err(error.into()),
            },
        }
    }

    async fn probe_bootstrap(&self, cursor: CursorHealth) -> Result<ServerReport, SyncError> {
        let request = BootstrapRequest { after: None, limit: Some(1), messages: Some(1), bytes: None };
        let request = &request;
        let page =
            self.call("bootstrap", |token| async move { self.api.bootstrap(&token, request.clone()).await }).await??;
        Ok(ServerReport { server_time: page.server_time, limits: page.limits, server: page.server, cursor })
    }
}
