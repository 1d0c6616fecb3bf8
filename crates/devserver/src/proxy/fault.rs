//! The faults, their shares, and how often each happened.

use crate::wire::Endpoint;
use fieldpost_remote::reference::SeededRandom;
use std::{collections::BTreeMap, time::Duration};

/// A fault of one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is reset after the request has arrived at the proxy; the server never sees it.
    Reset,
    /// The server receives part of the request, and then nothing more.
    CutRequest,
    /// The server carries out the request and responds; the connection is reset instead.
    LoseAnswer,
    /// The server carries out the request; the response is cut somewhere in the middle.
    CutAnswer,
    /// The complete response arrives in small pieces.
    Trickle,
    /// Every connection breaks, and new ones are refused for a while.
    Refuse,
    /// The request arrives later by this much.
    Delay(Duration),
    /// A gateway answers in HTML, with 502; the server never sees the request.
    BadGateway,
    /// 503, as PostgREST answers without a database; the functions never see the request.
    Unavailable,
    /// 429, with `Retry-After` in seconds; the server never sees the request.
    RateLimit(u64),
    /// A captive portal answers 200 with its page.
    Portal,
    /// A captive portal redirects to its page.
    PortalRedirect,
    /// A captive portal, or a parked domain, answers 404 with a page.
    PortalNotFound,
    /// PostgREST does not know the function (PGRST202): its SQL is not applied, or was applied just now.
    NoFunction,
    /// PostgREST does not accept the times in the token (PGRST303): one of the server's clocks is wrong.
    WrongClock,
}

impl Fault {
    /// The faults of a bad connection, all but a delay. The other faults are answers of a gateway.
    pub const OF_CONNECTIONS: [Self; 6] =
        [Self::Reset, Self::CutRequest, Self::LoseAnswer, Self::CutAnswer, Self::Trickle, Self::Refuse];

    /// The fault in words, for a report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::CutRequest => "cut request",
            Self::LoseAnswer => "lost answer",
            Self::CutAnswer => "cut answer",
            Self::Trickle => "trickle",
            Self::Refuse => "refused",
            Self::Delay(_) => "delay",
            Self::BadGateway => "502",
            Self::Unavailable => "503",
            Self::RateLimit(_) => "429",
            Self::Portal => "portal, 200",
            Self::PortalRedirect => "portal, 302",
            Self::PortalNotFound => "portal, 404",
            Self::NoFunction => "PGRST202",
            Self::WrongClock => "PGRST303",
        }
    }
}

/// The share of each fault, in percent of all exchanges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FaultMix {
    of_hundred: BTreeMap<Fault, u32>,
}

impl FaultMix {
    /// No faults.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// A construction site: every third exchange fails, with every fault of a bad connection.
    #[must_use]
    pub fn rough() -> Self {
        Self::none()
            .with(Fault::Reset, 6)
            .with(Fault::CutRequest, 4)
            .with(Fault::LoseAnswer, 8)
            .with(Fault::CutAnswer, 6)
            .with(Fault::Trickle, 7)
            .with(Fault::Refuse, 2)
    }

    /// Sets the share of this fault in percent. Shares beyond a hundred in total have no effect.
    #[must_use]
    pub fn with(mut self, fault: Fault, of_hundred: u32) -> Self {
        self.of_hundred.insert(fault, of_hundred);
        self
    }

    pub(super) fn draw(&self, random: &mut SeededRandom) -> Option<Fault> {
        let mut drawn = random.below(100);
        for (fault, share) in &self.of_hundred {
            if drawn < u64::from(*share) {
                return Some(*fault);
            }
            drawn -= u64::from(*share);
        }
        None
    }
}

/// Counts of the exchanges of a proxy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Requests that arrived completely.
    pub requests: u64,
    /// How many of them went to each endpoint.
    pub endpoints: BTreeMap<Endpoint, u64>,
    /// The bytes of all responses that were sent on.
    pub bytes_down: u64,
    /// How many of them were more than the server takes.
    pub refused_sizes: u64,
    /// How many of them had a fault, by kind.
    pub faults: BTreeMap<Fault, u64>,
}

impl Tally {
    pub(super) fn add(&mut self, endpoint: Endpoint, fault: Option<Fault>) {
        self.requests += 1;
        *self.endpoints.entry(endpoint).or_default() += 1;
        if let Some(fault) = fault {
            *self.faults.entry(fault).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(mix: &FaultMix, seed: u64) -> Vec<Option<Fault>> {
        let mut random = SeededRandom::new(seed);
        (0..2000).map(|_| mix.draw(&mut random)).collect()
    }

    #[test]
    fn a_seed_draws_the_same_faults_again() {
        assert_eq!(drawn(&FaultMix::rough(), 7), drawn(&FaultMix::rough(), 7));
        assert_ne!(drawn(&FaultMix::rough(), 7), drawn(&FaultMix::rough(), 8));
    }

    #[test]
    fn a_rough_mix_has_every_fault_of_a_bad_connection_and_leaves_most_exchanges_alone() {
        let all = drawn(&FaultMix::rough(), 7);
        assert!(Fault::OF_CONNECTIONS.iter().all(|fault| all.contains(&Some(*fault))));
        assert!(all.iter().filter(|drawn| drawn.is_none()).count() > 1000);
    }

    #[test]
    fn a_share_of_a_hundred_is_always_and_none_is_never() {
        assert!(drawn(&FaultMix::none().with(Fault::Reset, 100), 7).iter().all(|drawn| *drawn == Some(Fault::Reset)));
        assert!(drawn(&FaultMix::none(), 7).iter().all(Option::is_none));
    }
}
