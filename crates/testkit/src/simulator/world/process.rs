//! One start of the app: the engine on a handle of its own.

use crate::simulator::{
    interruptible::Interruptible,
    life::{Life, Mortal},
    network::Link,
};
use fieldpost_storage::{Outbox, Store};
use fieldpost_sync::{Engine, Env, Parts};
use std::{future::Future, sync::Arc};

pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) who: u64,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) engine: Engine,
    pub(crate) env: Env,
    life: Life,
}

impl Process {
    pub(crate) fn start(name: String, store: Arc<dyn Store>, link: Link, env: Env, who: u64) -> Self {
        let roles = Arc::new(Interruptible { store: Arc::clone(&store) });
        let link = Arc::new(link);
        let parts = Parts {
            outbox: roles.clone(),
            replica: roles.clone(),
            sessions: roles.clone(),
            turns: store.clone(),
            api: link.clone(),
            auth: link,
            env: env.clone(),
        };
        Self { name, who, store, outbox: roles, engine: Engine::new(parts), env, life: Life::new() }
    }

    /// Runs something in the app; none if the app is killed meanwhile.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        Mortal::new(&self.life, work).await
    }

    pub(crate) fn kill_after(&self, polls: u16) {
        self.life.end_after(polls);
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.life.is_over()
    }
}
