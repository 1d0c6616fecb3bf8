//! Faults that were ordered for a number of requests to an endpoint. They apply to exactly those.

use super::fault::Fault;
use crate::wire::Endpoint;

#[derive(Debug)]
struct Order {
    /// None: any.
    endpoint: Option<Endpoint>,
    times: u32,
    fault: Fault,
}

#[derive(Debug, Default)]
pub(super) struct Orders(Vec<Order>);

impl Orders {
    pub(super) fn add(&mut self, endpoint: Option<Endpoint>, times: u32, fault: Fault) {
        self.0.push(Order { endpoint, times, fault });
    }

    pub(super) fn cancel(&mut self) {
        self.0.clear();
    }

    /// The fault of a request to this endpoint, if one is ordered.
    pub(super) fn take(&mut self, endpoint: Endpoint) -> Option<Fault> {
        self.0.retain(|order| order.times > 0);
        let order = self.0.iter_mut().find(|order| order.endpoint.is_none_or(|wanted| wanted == endpoint))?;
        order.times -= 1;
        Some(order.fault)
    }
}
