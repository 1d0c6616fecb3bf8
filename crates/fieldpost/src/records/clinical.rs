//! The four clinical tables.

use super::{Model, NearMiss, Records, SafetyCheck, TableName, Treatment, TypedRecords, Worker};
use crate::Client;

/// Typed handles to the clinical tables. [`crate::Builder::clinical`] declares them.
#[derive(Debug, Clone)]
pub struct Clinical {
    client: Client,
}

impl Clinical {
    pub(super) const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Treatments. A RIDDOR-reportable one is sent at once, before everything else.
    #[must_use]
    pub fn treatments(&self) -> TypedRecords<Treatment> {
        self.table()
    }

    /// Workers.
    #[must_use]
    pub fn workers(&self) -> TypedRecords<Worker> {
        self.table()
    }

    /// Near misses.
    #[must_use]
    pub fn near_misses(&self) -> TypedRecords<NearMiss> {
        self.table()
    }

    /// Safety checks.
    #[must_use]
    pub fn safety_checks(&self) -> TypedRecords<SafetyCheck> {
        self.table()
    }

    fn table<M: Model + Send + Sync>(&self) -> TypedRecords<M> {
        let name: TableName = M::table().name;
        TypedRecords::new(Records::new(self.client.clone(), name))
    }
}
