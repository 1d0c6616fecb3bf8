//! Who is writing. None of this is stored.

use super::Updates;
use crate::{Conversation, ConversationId, Error, Person, Result, client::Inner};
use fieldpost_sync::Writing;
use futures::stream;
use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
};
use tokio::sync::watch;

impl Conversation {
    /// Tells the others in this conversation that the person is writing. Call it with each key: the others are told at most every
    /// three seconds, while the client is started and live. In a broadcast only admins are shown.
    ///
    /// # Errors
    /// [`Error::Configuration`] unless the app has switched typing on ([`crate::Builder::typing`]).
    pub fn set_typing(&self) -> Result<()> {
        let inner = self.inner_with_typing()?;
        inner.sides.messages.types(self.id());
        Ok(())
    }

    /// Who is writing in this conversation: the others alone, and nobody at first. Each of them is shown for some seconds
    /// after she was heard of last. Whose row is not on the device is not shown.
    ///
    /// # Errors
    /// [`Error::Configuration`] unless the app has switched typing on ([`crate::Builder::typing`]).
    pub fn watch_typing(&self) -> Result<Updates<Vec<Person>>> {
        let inner = self.inner_with_typing()?;
        inner.sides.messages.look_at_typing(self.id());
        let looking = Looking {
            client: Arc::downgrade(inner),
            alive: inner.alive.subscribe(),
            writing: inner.sides.messages.writing(),
            conversation: self.id(),
            shown: BTreeSet::new(),
        };
        Ok(Updates::of(stream::unfold(looking, Looking::next)))
    }

    fn inner_with_typing(&self) -> Result<&Arc<Inner>> {
        let inner = &self.client().inner;
        if inner.typing {
            return Ok(inner);
        }
        Err(Error::Configuration("typing is switched off; switch it on with Builder::typing".to_owned()))
    }
}

/// Somebody who looks.
struct Looking {
    client: Weak<Inner>,
    alive: watch::Receiver<()>,
    writing: watch::Receiver<Writing>,
    conversation: ConversationId,
    shown: BTreeSet<fieldpost_domain::PersonId>,
}

impl Looking {
    async fn next(mut self) -> Option<(Result<Vec<Person>>, Self)> {
        loop {
            tokio::select! {
                biased;
                changed = self.writing.changed() => changed.ok()?,
                // Nothing is sent on it, so this means that the client has ended.
                _ = self.alive.changed() => return None,
            }
            let now = self.writing.borrow_and_update().get(&self.conversation).cloned().unwrap_or_default();
            if now == self.shown {
                continue;
            }
            let people = self.people(&now).await?;
            self.shown = now;
            return Some((people, self));
        }
    }

    async fn people(&self, ids: &BTreeSet<fieldpost_domain::PersonId>) -> Option<Result<Vec<Person>>> {
        let inner = self.client.upgrade()?;
        let mut people = Vec::new();
        for id in ids {
            match inner.store.person(*id).await {
                Ok(person) => people.extend(person),
                Err(error) => return Some(Err(error.into())),
            }
        }
        Some(Ok(people))
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        if let Some(inner) = self.client.upgrade() {
            inner.sides.messages.look_away(self.conversation);
        }
    }
}
