//! Shared by all requests: the endpoints, the faults, the request log.

mod endpoint;
mod faults;
mod requests;

pub use endpoint::Endpoint;
pub(crate) use faults::Fault;
pub use faults::Faults;
pub use requests::{RequestRecord, Requests};
