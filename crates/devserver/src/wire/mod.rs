//! What is common to all requests: which endpoint is meant, what goes wrong on purpose, what is counted.

mod endpoint;
mod faults;
mod outer;
mod requests;

pub use endpoint::Endpoint;
pub(crate) use faults::Fault;
pub use faults::Faults;
pub(crate) use outer::outer;
pub use requests::{RequestRecord, Requests};
