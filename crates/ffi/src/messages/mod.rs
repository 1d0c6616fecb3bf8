//! Messages: what a thread shows, and what people do with it.

mod changing;
mod reading;
mod sending;
mod shown;

pub use reading::*;
pub use sending::{Delivery, Draft};
pub(crate) use sending::{metadata, metadata_text};
pub use shown::*;
