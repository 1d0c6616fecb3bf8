//! Asks the server once, changes nothing, and tells what came of it.

use super::Engine;
use crate::SyncError;
use chrono::TimeDelta;
use fieldpost_domain::{ServerInfo, ServerLimits, Time};
use fieldpost_remote::{BootstrapRequest, ExpiredReason, PROTOCOL, PullRequest, RemoteErrorKind};
use fieldpost_storage::SyncPosition;
use std::time::Duration;
use tokio::time::Instant;

/// What the server makes of the place where this device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CursorHealth {
    /// The first load has not come to its end.
    Loading,
    /// It is served; `behind` says whether something new waits there.
    Good {
        /// Whether the next pull will bring anything.
        behind: bool,
    },
    /// It is served no more: the next sync loads everything anew.
    Expired(ExpiredReason),
}

/// What asking the server once has told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The protocol that both sides speak.
    pub protocol: u32,
    /// The server's clock.
    pub server_time: Time,
    /// By how much the device's clock is ahead of that; negative if it is behind. Half of `round_trip` may be wrong with it.
    pub clock_skew: TimeDelta,
    /// How long the answer took.
    pub round_trip: Duration,
    /// What the server accepts.
    pub limits: ServerLimits,
    /// What it says about itself.
    pub server: ServerInfo,
    /// What it makes of where this device stands.
    pub cursor: CursorHealth,
}

struct Told {
    server_time: Time,
    limits: ServerLimits,
    server: ServerInfo,
    cursor: CursorHealth,
}

impl Engine {
    /// Asks the server for a row of what comes next, and forgets it. Nothing is sent and nothing is stored, but for a session
    /// that had to be renewed.
    ///
    /// # Errors
    /// As a pass would have failed; an expired cursor is none.
    pub async fn probe(&self) -> Result<Probe, SyncError> {
        let position = self.replica.sync_state().await?.position;
        let (asked, asked_at) = (Instant::now(), self.env.now());
        let told = match position {
            SyncPosition::Following(cursor) => self.probe_pull(PullRequest { cursor, limit: Some(1) }).await?,
            SyncPosition::Fresh | SyncPosition::FirstScreen | SyncPosition::Bootstrapping { .. } => {
                self.probe_bootstrap(CursorHealth::Loading).await?
            }
        };
        let round_trip = asked.elapsed();
        let half = TimeDelta::from_std(round_trip / 2).unwrap_or_default();
        Ok(Probe {
            protocol: PROTOCOL,
            server_time: told.server_time,
            clock_skew: asked_at + half - told.server_time,
            round_trip,
            limits: told.limits,
            server: told.server,
            cursor: told.cursor,
        })
    }

    async fn probe_pull(&self, request: PullRequest) -> Result<Told, SyncError> {
        let request = &request;
        match self.call("pull", |token| async move { self.api.pull(&token, request.clone()).await }).await? {
            Ok(page) => {
                let behind = page.more || !page.changes.is_empty();
                let cursor = CursorHealth::Good { behind };
                Ok(Told { server_time: page.server_time, limits: page.limits, server: page.server, cursor })
            }
            Err(error) => match error.kind() {
                RemoteErrorKind::CursorExpired(reason) => self.probe_bootstrap(CursorHealth::Expired(reason)).await,
                _ => Err(error.into()),
            },
        }
    }

    async fn probe_bootstrap(&self, cursor: CursorHealth) -> Result<Told, SyncError> {
        let request = BootstrapRequest { after: None, limit: Some(1), messages: Some(1) };
        let request = &request;
        let page =
            self.call("bootstrap", |token| async move { self.api.bootstrap(&token, request.clone()).await }).await??;
        Ok(Told { server_time: page.server_time, limits: page.limits, server: page.server, cursor })
    }
}
