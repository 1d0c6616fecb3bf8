//! Faults on demand, nothing random: a fault is ordered for a number of requests to an endpoint, and applies to exactly
//! those.

use super::endpoint::Endpoint;
use crate::net::Switch;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection breaks before the server carries out the request.
    Reset,
    /// The server carries out the request; the response never arrives.
    LoseAnswer,
    /// The server carries out the request; half of the response arrives.
    CutAnswer,
    /// A gateway answers in HTML; the server does not carry out the request.
    BadGateway,
    /// 429, with `Retry-After` in seconds.
    RateLimit(u64),
    /// The server's own 503.
    Unavailable,
}

#[derive(Debug)]
struct Order<T> {
    endpoint: Option<Endpoint>,
    times: u32,
    what: T,
}

#[derive(Debug, Default)]
struct Orders {
    faults: Vec<Order<Fault>>,
    delays: Vec<Order<Duration>>,
}

/// Orders faults. All clones act on the same server.
///
/// Several orders for the same endpoint are used up one after the other. `endpoint` takes an [`Endpoint`], or `None`
/// for any.
#[derive(Debug, Clone)]
pub struct Faults {
    orders: Arc<Mutex<Orders>>,
    switch: Switch,
}

impl Faults {
    pub(crate) fn new(switch: Switch) -> Self {
        Self { orders: Arc::default(), switch }
    }

    /// Carries out the next `times` requests and loses their responses: the connection breaks instead.
    pub fn lose_answers(&self, endpoint: impl Into<Option<Endpoint>>, times: u32) {
        self.order(endpoint.into(), times, Fault::LoseAnswer);
    }

    /// Carries out the next `times` requests and cuts their responses in half.
    pub fn cut_answers(&self, endpoint: impl Into<Option<Endpoint>>, times: u32) {
        self.order(endpoint.into(), times, Fault::CutAnswer);
    }

    /// Breaks the connection of the next `times` requests without carrying them out.
    pub fn reset_connections(&self, endpoint: impl Into<Option<Endpoint>>, times: u32) {
        self.order(endpoint.into(), times, Fault::Reset);
    }

    /// Answers the next `times` requests with a gateway's 502, in HTML.
    pub fn bad_gateway(&self, endpoint: impl Into<Option<Endpoint>>, times: u32) {
        self.order(endpoint.into(), times, Fault::BadGateway);
    }

    /// Answers the next `times` requests with 503, as PostgREST does without a database.
    pub fn unavailable(&self, endpoint: impl Into<Option<Endpoint>>, times: u32) {
        self.order(endpoint.into(), times, Fault::Unavailable);
    }

    /// Answers the next `times` requests with 429 and `Retry-After`, in whole seconds.
    pub fn rate_limit(&self, endpoint: impl Into<Option<Endpoint>>, times: u32, retry_after: Duration) {
        self.order(endpoint.into(), times, Fault::RateLimit(retry_after.as_secs()));
    }

    /// Delays the next `times` requests before they are carried out. Can be combined with any other fault.
    pub fn delay(&self, endpoint: impl Into<Option<Endpoint>>, times: u32, by: Duration) {
        self.lock().delays.push(Order { endpoint: endpoint.into(), times, what: by });
    }

    /// Takes the server off the network, or puts it back: connections break and new ones are refused. Returns when that
    /// has happened.
    pub async fn offline(&self, offline: bool) {
        self.switch.turn(!offline).await;
    }

    /// Cancels all orders that are not used up. The network switch stays as it is.
    pub fn clear(&self) {
        *self.lock() = Orders::default();
    }

    pub(crate) fn take(&self, endpoint: Endpoint) -> (Option<Fault>, Option<Duration>) {
        let mut orders = self.lock();
        (spend(&mut orders.faults, endpoint), spend(&mut orders.delays, endpoint))
    }

    fn order(&self, endpoint: Option<Endpoint>, times: u32, what: Fault) {
        self.lock().faults.push(Order { endpoint, times, what });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn spend<T: Copy>(orders: &mut Vec<Order<T>>, endpoint: Endpoint) -> Option<T> {
    orders.retain(|order| order.times > 0);
    let order = orders.iter_mut().find(|order| order.endpoint.is_none_or(|wanted| wanted == endpoint))?;
    order.times -= 1;
    Some(order.what)
}
