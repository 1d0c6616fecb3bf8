//! The contract's suite on the real stack.

use async_trait::async_trait;
use fieldpost_remote::{
    Auth, Credentials, MessagingApi,
    conformance::{Action, Backend, Member, Unsupported, Verdict, World},
};
use fieldpost_remote_supabase::{SupabaseConfig, SupabaseRemote};
use fieldpost_tests::{Account, Stack, node};
use serde_json::json;
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
        let answer = node("act.mjs", &serde_json::to_value(action).unwrap());
        match answer["unsupported"].as_str() {
            // A verdict borrows its reason for good; the few there are may stay in memory.
            Some(reason) => Err(Unsupported(Box::leak(reason.to_owned().into_boxed_str()))),
            None => Ok(()),
        }
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
