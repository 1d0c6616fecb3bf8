//! Sizes that never fit: in some runs the server refuses large batches and pages from the beginning to the end, or the
//! line is so slow that they never arrive. Nothing heals that, so every app has to find out what fits.

use super::dice::branch;
use fieldpost_domain::{Changes, Mutation};
use fieldpost_remote::{RemoteError, RemoteErrorKind};
use std::time::Duration;
use tokio::time::sleep;

/// How long a call of the most bytes that fit takes. Apps wait a little longer than that.
const SLOWEST: Duration = Duration::from_secs(28);

/// After this long, nobody waits for a call any more.
const NEVER: Duration = Duration::from_secs(60);

/// The most characters that are added to a text in a run with a slow line. The line always carries one such row with
/// what comes along.
const PADDING: u64 = 2_000;

/// What fits in a run; none: everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Narrow {
    /// Larger batches are more than one statement of the database can do.
    batch_rows: Option<u32>,
    /// The same of pages.
    page_rows: Option<u32>,
    /// Larger batches and pages take longer than anybody waits.
    bytes: Option<u32>,
}

impl Narrow {
    /// In most runs everything fits. The rest of a run is the same as without this.
    pub(super) fn roll(seed: u64) -> Self {
        let mut dice = branch(seed, 5);
        let (rows, bytes) = match dice.below(10) {
            0 => (true, false),
            1 => (false, true),
            2 => (true, true),
            _ => return Self::default(),
        };
        Self {
            batch_rows: if rows { dice.pick(&[1, 2, 3, 5, 9]).copied() } else { None },
            page_rows: if rows { dice.pick(&[2, 3, 5, 8, 13]).copied() } else { None },
            bytes: if bytes { dice.pick(&[8_000, 16_000, 30_000, 50_000]).copied() } else { None },
        }
    }

    pub(super) const fn is_slow(self) -> bool {
        self.bytes.is_some()
    }

    pub(super) const fn is_narrow(self) -> bool {
        self.batch_rows.is_some() || self.page_rows.is_some() || self.bytes.is_some()
    }

    /// How many messages a conversation has at the start.
    pub(super) const fn welcomes(self) -> u64 {
        if self.is_slow() { 25 } else { 4 }
    }

    /// A text: on a slow line it is long enough that a few of them no longer fit.
    pub(super) fn text(self, words: String, number: u64) -> String {
        if !self.is_slow() {
            return words;
        }
        let padding = usize::try_from(number % PADDING).unwrap_or_default();
        format!("{words}{}", ".".repeat(padding))
    }

    /// A batch reaches the server, if it fits.
    pub(super) async fn carry_batch(self, mutations: &[Mutation]) -> Result<(), RemoteError> {
        if exceeds(mutations.len(), self.batch_rows) {
            return Err(RemoteError::new(RemoteErrorKind::StatementTimeout, "push"));
        }
        let bytes: usize = mutations.iter().map(|mutation| mutation.intent.wire_size()).sum();
        self.carry(bytes, "push").await
    }

    /// A page comes back, if it fits.
    pub(super) async fn carry_page(
        self,
        changes: &Changes,
        bytes: u32,
        operation: &'static str,
    ) -> Result<(), RemoteError> {
        let rows = changes.messages.len() + changes.tombstones.len() + changes.access.len();
        if exceeds(rows, self.page_rows) {
            return Err(RemoteError::new(RemoteErrorKind::StatementTimeout, operation));
        }
        self.carry(bytes as usize, operation).await
    }

    async fn carry(self, bytes: usize, operation: &'static str) -> Result<(), RemoteError> {
        let Some(most) = self.bytes else { return Ok(()) };
        if exceeds(bytes, Some(most)) {
            // It would arrive too late, and whoever asked has closed the connection.
            sleep(NEVER).await;
            return Err(RemoteError::new(RemoteErrorKind::TimedOut, operation));
        }
        let share = u32::try_from(bytes).unwrap_or(most);
        sleep(SLOWEST * share / most).await;
        Ok(())
    }
}

fn exceeds(size: usize, most: Option<u32>) -> bool {
    most.is_some_and(|most| size > most as usize)
}
