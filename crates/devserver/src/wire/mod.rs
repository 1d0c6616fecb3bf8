//! What is common to all requests: which endpoints there are, what goes wrong on purpose, what is counted.

mod endpoint;
mod faults;
mod requests;

pub use endpoint::Endpoint;
pub(crate) use faults::Fault;
pub use faults::Faults;
pub use requests::{RequestRecord, Requests};
