//! Mutations as they stand in the file: what both the outbox and the replica do with them.

pub(crate) mod addressed;
pub(crate) mod covering;
pub(crate) mod echo;
pub(crate) mod overlay;
pub(crate) mod park;
pub(crate) mod record;
pub(crate) mod settings;
