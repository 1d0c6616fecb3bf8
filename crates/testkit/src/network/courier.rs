//! Carries the calls of a device to the server, each with its delivery.
//!
//! A sent call continues on its own: an app that is killed, or that times out, cannot take back a request that is
//! already in flight. So the server may execute a request long after its sender has given up on it, twice, or after a
//! later one.

use super::{
    Fault,
    conditions::{Conditions, Delivery},
    uplink::Uplink,
};
use fieldpost_remote::{RemoteError, RemoteErrorKind, RemoteResult};
use futures::future::BoxFuture;
use std::{
    panic::resume_unwind,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::oneshot,
    task::yield_now,
    time::{sleep, timeout},
};

/// How long a device waits for a response.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a call arrives at the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// For the first time.
    First,
    /// For the first time; its transaction stays open for this long.
    Slowly(Duration),
    /// Once more, as a copy that the network made.
    Again,
}

/// A call, and how the server carries it out: perhaps twice, perhaps never.
pub(crate) struct Call<T> {
    pub(crate) name: super::Call,
    pub(crate) execute: Box<dyn Fn(Arrival) -> BoxFuture<'static, RemoteResult<T>> + Send + Sync>,
    /// Whether a response says that everything was done.
    pub(crate) is_done: fn(&T) -> bool,
}

/// The network of one device.
#[derive(Debug)]
pub(crate) struct Courier {
    uplink: Arc<Uplink>,
    conditions: Mutex<Conditions>,
}

impl Courier {
    /// A network on which calls take no time.
    pub(super) fn instant() -> Self {
        Self { uplink: Arc::default(), conditions: Mutex::default() }
    }

    /// A network with delays that follow from the seed, to a server that others reach too.
    pub(crate) fn with_delays(uplink: Arc<Uplink>, seed: u64) -> Self {
        Self { uplink, conditions: Mutex::new(Conditions::with_delays(seed)) }
    }

    fn conditions(&self) -> MutexGuard<'_, Conditions> {
        self.conditions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After `skip` more calls, one gets this fault. Several orders for the same call go to the calls after it.
    pub(crate) fn order(&self, skip: u32, fault: Fault) {
        self.conditions().order(skip, fault);
    }

    /// For this long, calls get random faults.
    pub(crate) fn rough(&self, seed: u64, lasting: Duration, per_mille: u64) {
        self.conditions().rough(seed, lasting, per_mille);
    }

    /// For this long, there is no network.
    pub(crate) fn offline_for(&self, lasting: Duration) {
        self.conditions().offline_for(lasting);
    }

    /// For this long, a captive portal answers every call.
    pub(crate) fn intercepted_for(&self, lasting: Duration) {
        self.conditions().intercepted_for(lasting);
    }

    /// There is no network, until this is called again.
    pub(super) fn set_offline(&self, offline: bool) {
        self.conditions().set_offline(offline);
    }

    /// From now on a batch of more than `mutations` times out.
    pub(super) fn carries_at_most(&self, mutations: usize) {
        self.conditions().carries_at_most(mutations);
    }

    /// Ends all faults.
    pub(crate) fn heal(&self) {
        self.conditions().heal();
    }

    /// The delivery of the next call, with this many mutations.
    pub(crate) fn next(&self, mutations: usize) -> Delivery {
        self.conditions().next(mutations)
    }

    /// Carries a call and returns its response.
    pub(crate) async fn carry<T: Send + 'static>(&self, delivery: Delivery, call: Call<T>) -> RemoteResult<T> {
        let (name, uplink) = (call.name, Arc::clone(&self.uplink));
        let (tell, told) = oneshot::channel();
        let journey = tokio::spawn(async move {
            let breaks = uplink.breaks();
            Journey { uplink, breaks, delivery, call }.travel(tell).await;
        });
        match timeout(PATIENCE, told).await {
            Ok(Ok(answer)) => answer,
            Err(_) => Err(RemoteError::new(RemoteErrorKind::TimedOut, name)),
            Ok(Err(_)) => match journey.await {
                // A server that panics, such as a mock with an assertion, must fail its test.
                Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
                _ => Err(RemoteError::new(RemoteErrorKind::Interrupted, name)),
            },
        }
    }
}

/// A call in flight.
struct Journey<T> {
    uplink: Arc<Uplink>,
    /// How often all connections had broken when it left.
    breaks: u64,
    delivery: Delivery,
    call: Call<T>,
}

impl<T: Send> Journey<T> {
    /// Takes the call to the server and the response back.
    async fn travel(self, tell: oneshot::Sender<RemoteResult<T>>) {
        let (answer, late_copy) = self.answer().await;
        let answer = match self.delivery.fault {
            Some(Fault::LoseAnswer) => self.fail(RemoteErrorKind::Interrupted),
            Some(Fault::Garble) if answer.is_ok() => self.fail(RemoteErrorKind::Malformed),
            _ => answer,
        };
        let longer = if let Some(Fault::SlowBack(longer)) = self.delivery.fault { Some(longer) } else { None };
        pause(longer.map(milliseconds).or(self.delivery.delays.map(|delays| delays.back))).await;
        // If the caller is gone, nobody receives the response.
        let _ = tell.send(if self.is_cut() { self.fail(RemoteErrorKind::Interrupted) } else { answer });
        if let Some(later) = late_copy {
            drop(self.once_more(later).await);
        }
    }

    /// The response, and the delay after which a copy of the call arrives. If the response says that not everything was
    /// done, the copy arrives before it, and the copy's response is returned: a network that repeats a call has had no
    /// response to forward yet.
    async fn answer(&self) -> (RemoteResult<T>, Option<u32>) {
        let answer = self.arrive().await;
        let Some(Fault::Twice(later)) = self.delivery.fault else { return (answer, None) };
        let never_left = matches!(&answer, Err(error) if error.kind() == RemoteErrorKind::Unreachable);
        if never_left {
            return (answer, None);
        }
        let done = answer.as_ref().is_ok_and(self.call.is_done);
        if done { (answer, Some(later)) } else { (self.once_more(later).await, None) }
    }

    /// The server receives the call again.
    async fn once_more(&self, later: u32) -> RemoteResult<T> {
        pause(Some(milliseconds(later))).await;
        if self.is_cut() {
            return self.fail(RemoteErrorKind::Interrupted);
        }
        (self.call.execute)(Arrival::Again).await
    }

    /// The server's response, if the call arrives.
    async fn arrive(&self) -> RemoteResult<T> {
        let longer = if let Some(Fault::Slow(longer)) = self.delivery.fault { Some(longer) } else { None };
        pause(longer.map(milliseconds).or(self.delivery.delays.map(|delays| delays.out))).await;
        if self.delivery.fault == Some(Fault::Unreachable) || self.uplink.is_down() {
            return self.fail(RemoteErrorKind::Unreachable);
        }
        if self.delivery.fault == Some(Fault::LoseRequest) || self.is_cut() {
            return self.fail(RemoteErrorKind::Interrupted);
        }
        let later = |kind, seconds: u8| {
            Err(RemoteError::new(kind, self.call.name).with_retry_after(Duration::from_secs(seconds.into())))
        };
        match self.delivery.fault {
            Some(Fault::TooMany(seconds)) => later(RemoteErrorKind::RateLimited, seconds),
            Some(Fault::Unavailable(seconds)) => later(RemoteErrorKind::Unavailable, seconds),
            Some(Fault::Failure) => self.fail(RemoteErrorKind::Other),
            Some(Fault::Error(kind)) => self.fail(kind),
            Some(Fault::SlowCommit(lasting)) => (self.call.execute)(Arrival::Slowly(milliseconds(lasting))).await,
            _ => (self.call.execute)(Arrival::First).await,
        }
    }

    /// Whether all connections have broken since it left.
    fn is_cut(&self) -> bool {
        self.uplink.breaks() != self.breaks
    }

    fn fail(&self, kind: RemoteErrorKind) -> RemoteResult<T> {
        Err(RemoteError::new(kind, self.call.name))
    }
}

const fn milliseconds(count: u32) -> Duration {
    Duration::from_millis(count as u64)
}

/// Even a call that takes no time gives other tasks their turn, as in real life.
async fn pause(delay: Option<Duration>) {
    match delay {
        Some(delay) => sleep(delay).await,
        None => yield_now().await,
    }
}
