//! The contract's suite on the real stack.

use async_trait::async_trait;
use fieldpost_remote::{
    Auth, Credentials, MessagingApi,
    conformance::{Action, Backend, Member, Unsupported, Verdict, World},
};
use fieldpost_remote_supabase::{SupabaseConfig, SupabaseRemote};
use fieldpost_tests::{Account, Stack, node};
use serde_json::{Value, json};
use std::str::FromStr;

/// The Supabase implementation over PostgreSQL and Supabase Lite.
struct RealStack {
    stack: Stack,
    remote: SupabaseRemote,
}

impl RealStack {
    fn new() -> Self {
        let stack = Stack::running();
        let remote = SupabaseRemote::new(SupabaseConfig::new(&stack.url, &stack.anon_key)).unwrap();
        Self { stack, remote }
    }
}

#[async_trait]
impl Backend for RealStack {
    fn api(&self) -> &dyn MessagingApi {
        &self.remote
    }

    fn auth(&self) -> &dyn Auth {
        &self.remote
    }

    async fn new_world(&self, medics: usize) -> World {
        let org = self.stack.provision(&json!({"medics": medics}));
        World { org_id: parse(&org.org_id), admin: member(&org.admin), medics: org.medics.iter().map(member).collect() }
    }

    async fn perform(&self, action: Action) -> Verdict {
        acted(&node("act.mjs", &serde_json::to_value(action).unwrap()))
    }
}

fn acted(answer: &Value) -> Verdict {
    match answer["unsupported"].as_str() {
        // A verdict borrows its reason for good; the few there are may stay in memory.
        Some(reason) => Err(Unsupported(Box::leak(reason.to_owned().into_boxed_str()))),
        None => Ok(()),
    }
}

fn member(account: &Account) -> Member {
    Member {
        credentials: Credentials { email: account.email.clone(), password: account.password.clone().into() },
        person_id: parse(&account.user_id),
        medic_id: account.medic_id.as_deref().map(parse),
        first_name: account.first_name.clone().unwrap_or_default(),
        last_name: account.last_name.clone().unwrap_or_default(),
    }
}

fn parse<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fieldpost_remote::remote_conformance!(RealStack::new());

mod records {
    use super::{RealStack, parse};
    use async_trait::async_trait;
    use fieldpost_domain::{
        AuditId,
        records::{AuditOperation, RecordId},
    };
    use fieldpost_remote::{
        RecordsApi,
        conformance::{
            Unsupported, Verdict,
            records::{RecordAction, RecordsBackend, StoredAudit},
        },
    };
    use fieldpost_tests::{node, sql};
    use serde_json::json;
    use std::sync::Once;

    #[async_trait]
    impl RecordsBackend for RealStack {
        fn records(&self) -> &dyn RecordsApi {
            &self.remote
        }

        async fn perform_on_records(&self, action: RecordAction) -> Verdict {
            super::acted(&node("act.mjs", &serde_json::to_value(action).unwrap()))
        }

        async fn stored_audit(&self, id: AuditId) -> Result<Option<StoredAudit>, Unsupported> {
            let found = sql(&format!(
                "select user_id, table_name, record_id, operation, context, fieldpost.time_text(created_at) as created_at \
                 from public.audit_log where id = '{id}'"
            ));
            let text = |column: &str| found[0][column].as_str().unwrap_or_default().to_owned();
            Ok(found[0].is_object().then(|| StoredAudit {
                person_id: parse(&text("user_id")),
                table: text("table_name"),
                record_id: parse::<RecordId>(&text("record_id")),
                operation: AuditOperation::from(text("operation").as_str()),
                context: found[0]["context"].as_str().map(str::to_owned),
                at: parse(&text("created_at")),
            }))
        }
    }

    /// With the table `visits` of the suite.
    fn stack() -> RealStack {
        static MADE: Once = Once::new();
        MADE.call_once(|| assert_eq!(node("visits.mjs", &json!({}))["done"], true));
        RealStack::new()
    }

    fieldpost_remote::records_conformance!(stack());
}
