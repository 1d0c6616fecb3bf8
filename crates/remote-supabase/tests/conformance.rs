//! Runs the suite of the remote contract against this client over a real socket, with the reference server at the other
//! end.
//!
//! The devserver implements docs/protocol.md on its own and shares no types with this crate, so a sentence that one of
//! the two has misread shows here.

#![expect(clippy::expect_used, reason = "a step that fails has to fail its test")]

use async_trait::async_trait;
use fieldpost_devserver::DevServer;
use fieldpost_remote::{
    Auth, LiveHints, MessagingApi,
    conformance::{Action, Backend, Verdict, World, reference},
    reference::ReferenceServer,
};
use fieldpost_remote_supabase::{SupabaseConfig, SupabaseRemote};

/// A separate devserver for each test, and the client under test.
struct Wire {
    server: DevServer,
    remote: SupabaseRemote,
}

impl Wire {
    async fn start() -> Self {
        let server = DevServer::builder().reference(ReferenceServer::new()).start().await.expect("a port on loopback");
        let config = SupabaseConfig::new(server.url(), server.anon_key());
        let remote = SupabaseRemote::new(config).expect("the devserver's address and key are right");
        Self { server, remote }
    }
}

#[async_trait]
impl Backend for Wire {
    fn api(&self) -> &dyn MessagingApi {
        &self.remote
    }

    fn auth(&self) -> &dyn Auth {
        &self.remote
    }

    fn live(&self) -> Option<&dyn LiveHints> {
        Some(&self.remote)
    }

    async fn new_world(&self, medics: usize) -> World {
        reference::new_world(self.server.reference(), medics)
    }

    async fn perform(&self, action: Action) -> Verdict {
        reference::perform(self.server.reference(), action)
    }
}

fieldpost_remote::remote_conformance!(Wire::start().await);

#[cfg(feature = "records")]
mod records {
    use super::{DevServer, SupabaseConfig, SupabaseRemote, Wire, async_trait};
    use fieldpost_domain::AuditId;
    use fieldpost_remote::{
        RecordsApi,
        conformance::{
            Unsupported, Verdict,
            records::{Held, RecordAction, RecordsBackend, StoredAudit, reference},
        },
    };

    impl Wire {
        async fn with_records() -> Self {
            let server = DevServer::builder().reference(reference::server()).start().await.expect("a port on loopback");
            let config = SupabaseConfig::new(server.url(), server.anon_key());
            let remote = SupabaseRemote::new(config).expect("the devserver's address and key are right");
            Self { server, remote }
        }
    }

    #[async_trait]
    impl RecordsBackend for Wire {
        fn records(&self) -> &dyn RecordsApi {
            &self.remote
        }

        async fn perform_on_records(&self, action: RecordAction) -> Verdict {
            reference::perform(self.server.reference(), action)
        }

        async fn hold(&self, action: RecordAction) -> Result<Box<dyn Held>, Unsupported> {
            reference::hold(self.server.reference(), action)
        }

        async fn stored_audit(&self, id: AuditId) -> Result<Option<StoredAudit>, Unsupported> {
            Ok(reference::stored_audit(self.server.reference(), id))
        }
    }

    fieldpost_remote::records_conformance!(Wire::with_records().await);
}
