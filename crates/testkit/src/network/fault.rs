//! What can happen to a call on its way.

use crate::SeededRandom;
use fieldpost_remote::RemoteErrorKind;

/// A fault of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It never leaves the device.
    Unreachable,
    /// The connection breaks before the server receives it.
    LoseRequest,
    /// The connection breaks after the server has executed it.
    LoseAnswer,
    /// The response cannot be read.
    Garble,
    /// The server executes it twice, the second time this many milliseconds later; after the response only if that said
    /// that everything was done.
    Twice(u32),
    /// The request takes this many milliseconds to arrive.
    Slow(u32),
    /// The response takes this many milliseconds to arrive.
    SlowBack(u32),
    /// The server executes a push in a transaction that stays open for this many milliseconds. Only the simulator's
    /// server can do that.
    SlowCommit(u32),
    /// 429, with `Retry-After` in seconds.
    TooMany(u8),
    /// 503, with `Retry-After` in seconds.
    Unavailable(u8),
    /// 500 without an explanation.
    Failure,
    /// This error, without reaching the server.
    Error(RemoteErrorKind),
}

impl Fault {
    /// Its name in the counts.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::LoseRequest => "lost requests",
            Self::LoseAnswer => "lost answers",
            Self::Garble => "garbled answers",
            Self::Twice(_) => "doubled requests",
            Self::Slow(_) => "slow requests",
            Self::SlowBack(_) => "slow answers",
            Self::SlowCommit(_) => "slow commits",
            Self::TooMany(_) => "429",
            Self::Unavailable(_) => "503",
            Self::Failure => "500",
            Self::Error(RemoteErrorKind::Intercepted) => "intercepted calls",
            Self::Error(_) => "errors",
        }
    }

    /// A random fault of a bad network.
    pub(crate) fn draw(random: &mut SeededRandom) -> Self {
        match random.below(16) {
            0 => Self::Unreachable,
            1..3 => Self::LoseRequest,
            3..7 => Self::LoseAnswer,
            7 => Self::Garble,
            8..10 => Self::Twice(random.below(3_000) as u32),
            // Sometimes longer than anybody waits: the server executes the call when nobody expects it any more.
            10 => Self::Slow(random.below(45_000) as u32),
            11 => Self::SlowBack(random.below(45_000) as u32),
            12 => Self::SlowCommit(random.below(3_000) as u32),
            13 => Self::TooMany(random.below(4) as u8),
            14 => Self::Unavailable(random.below(4) as u8),
            _ => Self::Failure,
        }
    }
}
