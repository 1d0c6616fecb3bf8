//! State that the connections of one proxy share.

use super::{
    fault::{Fault, FaultMix, Tally},
    line::{Line, LineConditions},
    orders::Orders,
};
use crate::wire::Endpoint;
use fieldpost_remote::reference::SeededRandom;
use std::{
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// How long an outage lasts, in milliseconds.
const OUTAGE: (u64, u64) = (10, 120);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) upstream: SocketAddr,
    chance: Mutex<Chance>,
    pub(super) outage: watch::Sender<Outage>,
    /// Tells connections without an exchange to end.
    pub(super) hang_up: watch::Sender<()>,
    pub(super) line: Line,
}

#[derive(Debug)]
pub(super) struct Chance {
    pub(super) random: SeededRandom,
    pub(super) mix: FaultMix,
    pub(super) orders: Orders,
    pub(super) tally: Tally,
    pub(super) line: LineConditions,
}

/// Whether connections are refused.
#[derive(Debug, Clone, Copy)]
pub(super) enum Outage {
    Over,
    Until(Instant),
    UntilFurtherNotice,
}

impl Outage {
    pub(super) fn is_over(self) -> bool {
        match self {
            Self::Over => true,
            Self::Until(until) => until <= Instant::now(),
            Self::UntilFurtherNotice => false,
        }
    }
}

/// The fault of one exchange, and where it cuts the message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delivery {
    pub(super) fault: Option<Fault>,
    /// The cut, in thousandths of the message; none: in the middle of the body.
    pub(super) cut: Option<u64>,
    pub(super) outage: Duration,
}

impl Shared {
    pub(super) fn new(upstream: SocketAddr, seed: u64) -> Self {
        let chance = Chance {
            random: SeededRandom::new(seed),
            mix: FaultMix::none(),
            orders: Orders::default(),
            tally: Tally::default(),
            line: LineConditions::default(),
        };
        let (outage, hang_up) = (watch::Sender::new(Outage::Over), watch::Sender::new(()));
        Self { upstream, chance: Mutex::new(chance), outage, hang_up, line: Line::new() }
    }

    pub(super) fn chance(&self) -> MutexGuard<'_, Chance> {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The delivery of the next exchange. An order goes before the mix.
    pub(super) fn next(&self, endpoint: Endpoint) -> Delivery {
        let mut guard = self.chance();
        let chance = &mut *guard;
        let ordered = chance.orders.take(endpoint);
        let drawn = chance.mix.draw(&mut chance.random);
        let fault = ordered.or(drawn);
        chance.tally.add(endpoint, fault);
        let cut = chance.random.below(1000);
        let outage = OUTAGE.0 + chance.random.below(OUTAGE.1 - OUTAGE.0);
        Delivery { fault, cut: ordered.is_none().then_some(cut), outage: Duration::from_millis(outage) }
    }

    pub(super) fn refuse_for(&self, time: Duration) {
        self.outage.send_replace(Outage::Until(Instant::now() + time));
    }
}
