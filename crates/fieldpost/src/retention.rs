//! Which messages stay on the device.

use crate::{Client, Error, Result};
use chrono::TimeDelta;
use fieldpost_domain::Time;
use fieldpost_storage::Keep;

/// How many messages one transaction drops at most.
const AT_ONCE: u32 = 500;

/// Which messages stay on the device: [`crate::Builder::retention`]. A message leaves only if no rule keeps it, and comes
/// back when somebody scrolls to it. Whatever the rules say, these stay: unread and unsent messages, messages with a
/// change in the outbox, and the newest message of each conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// The newest so many messages of each conversation.
    pub last: Option<u32>,
    /// The messages of the last so many days.
    pub days: Option<u32>,
}

impl Retention {
    /// Keeps the newest messages of each conversation.
    #[must_use]
    pub const fn last(messages: u32) -> Self {
        Self { last: Some(messages), days: None }
    }

    /// Keeps the messages of the last days.
    #[must_use]
    pub const fn days(days: u32) -> Self {
        Self { last: None, days: Some(days) }
    }

    pub(crate) fn check(self) -> Result<()> {
        if self.last == Some(0) || self.days == Some(0) { Err(Error::InvalidRetention) } else { Ok(()) }
    }

    /// None if everything stays.
    fn keep(self, now: Time) -> Option<Keep> {
        // What lies before all time is kept.
        let since = |days: u32| now.checked_sub_signed(TimeDelta::days(days.into())).unwrap_or(Time::MIN_UTC);
        match (self.last, self.days) {
            (Some(last), Some(days)) => Some(Keep::LastOrSince(last, since(days))),
            (Some(last), None) => Some(Keep::Last(last)),
            (None, Some(days)) => Some(Keep::Since(since(days))),
            (None, None) => None,
        }
    }
}

impl Client {
    /// Drops what [`crate::Builder::retention`] does not keep, in short transactions; other work goes on between them.
    /// Call it when it disturbs nobody, for example when the app goes to the background. Returns how many messages have
    /// left the device. Without a retention nothing leaves.
    ///
    /// # Errors
    /// If the store fails. What has left until then is gone, and the next call goes on.
    pub async fn apply_retention(&self) -> Result<u64> {
        let Some(keep) = self.inner.retention.keep(self.inner.env.now()) else { return Ok(0) };
        let (mut dropped, mut from) = (0, None);
        loop {
            let step = self.inner.store.trim(keep, from, AT_ONCE).await?;
            dropped += step.dropped;
            match step.next {
                Some(next) => from = Some(next),
                None => return Ok(dropped),
            }
        }
    }
}
