//! What the engine needs besides store and server: the time and randomness. Both are injected.

use crate::steady;
use fieldpost_domain::{AuditId, ConversationId, MessageId, MutationId, RecordId, Time};
use fieldpost_storage::MutationIds;
use std::{fmt, sync::Arc, time::Duration};

/// The clock of this device. It dates what a person writes and does not influence what is pulled.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Time;

    /// The time since some start that stays the same while the process lives. Nobody can set it, and it goes on while
    /// the device sleeps, as far as the operating system can tell.
    fn since_boot(&self) -> Duration {
        steady::since_boot()
    }
}

/// A source of random bytes, for ids and backoff.
pub trait Entropy: Send + Sync {
    /// Ten unpredictable bytes.
    fn bytes(&self) -> [u8; 10];
}

/// The device clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        chrono::Utc::now()
    }
}

/// A generator that the operating system's randomness seeds.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn bytes(&self) -> [u8; 10] {
        rand::random()
    }
}

/// The clock and the randomness.
#[derive(Clone)]
pub struct Env {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Env {
    /// Combines a clock and a source of randomness.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy }
    }

    /// The current time by the device clock, truncated to the microseconds that are stored.
    #[must_use]
    pub fn now(&self) -> Time {
        let now = self.clock.now();
        chrono::DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }

    /// The steady time of [`Clock::since_boot`].
    #[must_use]
    pub fn since_boot(&self) -> Duration {
        self.clock.since_boot()
    }

    /// A random number.
    #[must_use]
    pub fn chance(&self) -> u32 {
        let [a, b, c, d, ..] = self.entropy.bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    /// A new id for a message.
    #[must_use]
    pub fn message_id(&self) -> MessageId {
        MessageId::from_parts(self.clock.now(), self.entropy.bytes())
    }

    /// A new id for a conversation.
    #[must_use]
    pub fn conversation_id(&self) -> ConversationId {
        ConversationId::from_parts(self.clock.now(), self.entropy.bytes())
    }

    /// A new id for a record.
    #[must_use]
    pub fn record_id(&self) -> RecordId {
        RecordId::from_parts(self.clock.now(), self.entropy.bytes())
    }

    /// A new id for an entry of the audit log.
    #[must_use]
    pub fn audit_id(&self) -> AuditId {
        AuditId::from_parts(self.clock.now(), self.entropy.bytes())
    }

    /// A new id for a mutation.
    #[must_use]
    pub fn mutation_id(&self) -> MutationId {
        MutationId::from_parts(self.clock.now(), self.entropy.bytes())
    }
}

impl MutationIds for Env {
    fn new_id(&self, at: Time) -> MutationId {
        MutationId::from_parts(at, self.entropy.bytes())
    }
}

impl Default for Env {
    /// The device clock and the operating system's randomness.
    fn default() -> Self {
        Self::new(Arc::new(SystemClock), Arc::new(OsEntropy))
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").finish_non_exhaustive()
    }
}
