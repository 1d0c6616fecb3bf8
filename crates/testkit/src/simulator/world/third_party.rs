//! Other clients: they write in transactions that they hold open for a while.

use super::World;
use crate::simulator::{rules, step::ThirdPartyOp};
use fieldpost_remote::reference::Locked;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::sleep;

impl World {
    pub(super) fn third_party(&mut self, ops: &[ThirdPartyOp], holding: u32, roll_back: bool) {
        let (hub, observer) = (Arc::clone(&self.hub), Arc::clone(&self.hub.observer));
        let open = self.hub.server.begin();
        for op in ops {
            if self.do_third_party_op(&open, *op) == Err(Locked) {
                observer.count("deadlock victims");
                observer.say(|| "another client meets a lock and is rolled back".to_owned());
                return open.roll_back();
            }
        }
        observer.count(if holding > 0 { "held transactions" } else { "quick transactions" });
        let changes_sight = ops.iter().any(|op| op.changes_sight());
        let work = async move {
            sleep(Duration::from_millis(holding.into())).await;
            if roll_back {
                observer.count("rollbacks");
                observer.say(|| "another client rolls back".to_owned());
                return open.roll_back();
            }
            let done = open.commit();
            rules::note(&mut hub.places(), &hub.server);
            hub.sights.fetch_add(u64::from(done && changes_sight), Ordering::SeqCst);
            observer.say(|| format!("another client {}", if done { "commits" } else { "was cut off" }));
        };
        self.third_parties.push(tokio::spawn(work));
    }

    /// Waits until all have ended.
    pub(super) async fn strangers_end(&mut self) {
        for third_party in std::mem::take(&mut self.third_parties) {
            // A task that panicked has already reported it.
            drop(third_party.await);
        }
    }
}
