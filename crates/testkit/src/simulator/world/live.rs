//! Live hints, after healing: what has ended comes back by itself, and brings what was missed long before the timer would.

use super::{Process, World};
use crate::{
    LiveCall, LiveNetwork,
    simulator::{Breach, Invariant},
};
use fieldpost_domain::{ConversationId, MessageId, PersonId};
use fieldpost_sync::LiveStatus;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// By then a connection that had ended is open again, also one that was open on one side only.
const BACK: Duration = Duration::from_secs(90);

/// By then a pass has ended that a hint or a join has asked for.
const PASS: Duration = Duration::from_secs(20);

/// Two heartbeats, and what it takes to connect and join.
const TWO_HEARTBEATS: Duration = Duration::from_secs(60);

/// When somebody writes.
#[derive(Clone, Copy)]
enum Occasion {
    Closed,
    Silent,
    Pushed,
}

impl Occasion {
    const fn name(self) -> &'static str {
        match self {
            Self::Closed => "its topics were closed",
            Self::Silent => "its line was silent",
            Self::Pushed => "another device pushed it",
        }
    }
}

impl World {
    /// Judges each device that syncs on its own and whose person sees something.
    pub(super) async fn live_is_kept(&mut self) {
        for device in self.by_themselves() {
            let Some(process) = self.wake_one(device, 0).await else { continue };
            let owner = self.devices[device].owner.id;
            let Some(row) = self.hub.server.conversations_of(owner).into_iter().next() else { continue };
            process.engine.foreground();
            let mut status = process.engine.status();
            let live = async { status.wait_for(|status| status.live == LiveStatus::Live).await.is_ok() };
            let is_live = tokio::time::timeout(BACK, live).await;
            if !signed_in(&process) || process.is_dead() {
                continue;
            }
            if is_live.is_err() {
                return self.is_dead(&process, "is not live though everything works");
            }
            let live = self.devices[device].live.clone();
            self.misses_nothing(device, &process, row.id, &live).await;
            // A device whose clock is wrong learns late when its first token ends; then the topics are joined again at once.
            if self.devices[device].clock.wrong_by_micros() == 0 {
                self.stays_joined(&process, &live).await;
            }
        }
    }

    /// What is committed while a topic is closed, or while the line is silent, is here soon after; so is what another device pushes.
    async fn misses_nothing(&self, device: usize, process: &Arc<Process>, id: ConversationId, live: &LiveNetwork) {
        let owner = self.devices[device].owner.id;
        for occasion in [Occasion::Closed, Occasion::Silent, Occasion::Pushed] {
            self.after_the_timer(process).await;
            match occasion {
                Occasion::Closed => live.close_topics(),
                Occasion::Silent => {
                    live.silence();
                    sleep(TWO_HEARTBEATS).await;
                }
                Occasion::Pushed => {}
            }
            let what = occasion.name();
            let Some(message) = self.told(id, owner, occasion) else { return };
            sleep(PASS).await;
            let here = match self.devices[device].look().await {
                Ok(store) => matches!(store.message(message).await, Ok(Some(_))),
                Err(_) => return,
            };
            if !here && signed_in(process) && !process.is_dead() {
                return self.is_dead(process, &format!("does not fetch what was written after {what}"));
            }
        }
    }

    /// Somebody writes; none if the person may not see it.
    fn told(&self, id: ConversationId, owner: PersonId, occasion: Occasion) -> Option<MessageId> {
        let sender = self.roster.of_org(&self.hub.server, id).into_iter().next().unwrap_or(owner);
        let (server, text) = (&self.hub.server, format!("written when {}", occasion.name()));
        let message = match occasion {
            Occasion::Pushed => server.insert_pushed_message(id, sender, &text),
            Occasion::Closed | Occasion::Silent => server.insert_message(id, sender, &text),
        }?;
        self.hub.messages_for(owner, id).iter().any(|shown| shown.id == message.id).then_some(message.id)
    }

    /// The server gets a newer token before the old one ends, so nothing has to be joined anew.
    async fn stays_joined(&self, process: &Arc<Process>, live: &LiveNetwork) {
        if process.manner.owns_session {
            return;
        }
        sleep(BACK).await;
        live.take_calls();
        sleep(Duration::from_secs(u64::from(self.setup.token_lifetime)) + TWO_HEARTBEATS).await;
        let anew = live.take_calls().iter().any(|call| matches!(call, LiveCall::Join(_)));
        if anew && signed_in(process) && !process.is_dead() {
            self.is_dead(process, "has lost its topics because its token has expired");
        }
    }

    /// Waits until the timer is far away: a pass has just ended, and what it brought was told to have arrived.
    async fn after_the_timer(&self, process: &Arc<Process>) {
        for _ in 0..200 {
            sleep(Duration::from_secs(1)).await;
            let quiet = self.observer().now().saturating_sub(process.last_call());
            if (8_000..12_000).contains(&quiet) {
                return;
            }
        }
    }

    fn is_dead(&self, process: &Process, what: &str) {
        self.observer().report(Breach::new(Invariant::Liveness, format!("{} {what}", process.name)));
    }
}

fn signed_in(process: &Process) -> bool {
    process.engine.status().borrow().signed_in
}
