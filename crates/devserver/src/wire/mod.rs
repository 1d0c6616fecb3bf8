//! Shared by all requests: the endpoints and the request log.

mod endpoint;
mod requests;

pub use endpoint::Endpoint;
pub use requests::{RequestRecord, Requests};
