//! The 13 defects of the app that Fieldpost replaces (docs/defects.md), each in one scenario that both live through: a
//! model of the old app, in which the defect happens, and Fieldpost, in which it does not. One check judges both, so a
//! test that passes also shows that its check can fail.

mod changes;
mod clinical;
mod cursor;
mod device;
mod naming;
mod old;
mod privacy;
mod sending;

use crate::given::Site;
use chrono::TimeDelta;
use fieldpost::{Client, Clock as _, ConversationId};
use fieldpost_devserver::{DevServer, FaultProxy};
use fieldpost_remote::reference::{DEMO_PASSWORD, ReferenceServer};
use fieldpost_testkit::{ManualClock, env};
use fieldpost_tests::{Phone, Picky};
use std::{fmt::Debug, sync::Arc};

/// What a check says: the defect in words, if it happened.
type Verdict = Result<(), String>;

/// Whether what came of a scenario is what a person expects.
fn same<T: PartialEq + Debug>(found: &T, expected: &T) -> Verdict {
    if found == expected { Ok(()) } else { Err(format!("expected {expected:?}, found {found:?}")) }
}

/// The direct conversation of a medic of the demo.
fn direct_of(site: &Site, medic: &str) -> ConversationId {
    let person = site.reference.person_with(medic).unwrap();
    site.reference.conversations_of(person).into_iter().find(|one| one.medic_id.is_some()).unwrap().id
}

/// Time passes, here and there.
fn pass(clocks: &[&ManualClock], by: TimeDelta) {
    clocks.iter().for_each(|clock| clock.advance(by));
}

/// The demo world, on a server whose clock the test moves.
async fn site_with_clock() -> (Site, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    let shown = Arc::clone(&clock);
    let reference = ReferenceServer::builder().clock(move || shown.now()).project(Picky).build();
    reference.add_demo();
    let server = DevServer::builder().reference(reference.clone()).start().await.unwrap();
    let network = FaultProxy::before(&server).await.unwrap();
    (Site { reference, server, network }, clock)
}

/// A phone with a clock of its own and the clinical tables, whose owner has signed in and synced once.
async fn phone_with_clock(site: &Site, email: &str, seed: u64) -> (Phone, Client, Arc<ManualClock>) {
    let (env, clock) = env(seed);
    let phone = site.phone();
    let client = phone.builder().env(env).clinical().open().await.unwrap();
    client.sign_in(email, DEMO_PASSWORD).await.unwrap();
    client.trigger_sync().await.unwrap().messages.unwrap();
    (phone, client, clock)
}
