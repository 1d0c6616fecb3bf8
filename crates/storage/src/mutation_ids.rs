//! Ids for mutations that the store records by itself.
//!
//! The caller gives the id of each mutation that a person makes. A store records two kinds by itself, when a page shows
//! that the server does not know them: a message that the server lost, and a read mark. Their ids are new, not derived
//! from other ids. So if a mutation is recorded twice, a result for the first one does not settle the second.

use fieldpost_domain::{MutationId, Time};
use std::fmt;

/// Creates new ids.
pub trait MutationIds: fmt::Debug + Send + Sync {
    /// A unique id for a mutation that is recorded at this time.
    fn new_id(&self, at: Time) -> MutationId;
}

/// Random ids, from a generator that the operating system seeds.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl MutationIds for RandomIds {
    fn new_id(&self, at: Time) -> MutationId {
        MutationId::from_parts(at, rand::random())
    }
}
