//! What an admin reads of the reports, and decides about them. Nothing of it is kept on the device, and no pass waits for it.

use super::Engine;
use crate::SyncError;
use fieldpost_domain::{MessageReport, ReportId, ReportPage};
use fieldpost_remote::ReportsRequest;

impl Engine {
    /// One page of the reports of the caller's orgs.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn reports(&self, request: ReportsRequest) -> Result<ReportPage, SyncError> {
        let call = |token| {
            let request = request.clone();
            async move { self.api.reports(&token, request).await }
        };
        Ok(self.call("reports", call).await??)
    }

    /// Marks a report as dealt with.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn resolve_report(&self, report: ReportId) -> Result<MessageReport, SyncError> {
        let call = |token| async move { self.api.resolve_report(&token, report).await };
        Ok(self.call("resolve_report", call).await??)
    }
}
