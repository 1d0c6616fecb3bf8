//! Ids for mutations that nobody in the app has asked for.
//!
//! Most mutations are somebody's doing, and whoever calls gives their ids. Two kinds a store records by itself, when a page
//! says that the server does not know (any more): a message that it has lost, and how far the person has read. They get ids
//! of their own too. None follows from another id: a mutation that is recorded twice is two, and an answer to the first one
//! says nothing of the second.

use fieldpost_domain::{MutationId, Time};
use std::fmt;

/// Gives new ids.
pub trait MutationIds: fmt::Debug + Send + Sync {
    /// One that nobody has, for a mutation that is recorded at this moment.
    fn new_id(&self, at: Time) -> MutationId;
}

/// By chance, from a generator that the operating system seeds.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl MutationIds for RandomIds {
    fn new_id(&self, at: Time) -> MutationId {
        MutationId::from_parts(at, rand::random())
    }
}
