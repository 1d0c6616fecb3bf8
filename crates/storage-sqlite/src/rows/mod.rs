//! From rows to the types of the contract.

pub(crate) mod conversation;
pub(crate) mod draft;
pub(crate) mod json;
pub(crate) mod message;
pub(crate) mod person;
pub(crate) mod reaction;
