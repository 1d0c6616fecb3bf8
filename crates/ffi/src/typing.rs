//! Who is writing.

use crate::{Client, Person, Result, Subscription, listening::listener, runtime};
use fieldpost::ConversationId;
use futures::{StreamExt, TryStreamExt};
use std::sync::Arc;

listener!(
    /// Is told who is writing in a conversation.
    TypingListener,
    Vec<Person>
);

#[uniffi::export]
impl Client {
    /// Tells the others in a conversation that the person is writing. Call it with each key.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Configuration`] unless the app has switched typing on.
    pub fn set_typing(&self, conversation: ConversationId) -> Result<()> {
        let client = self.sdk()?;
        let _inside = runtime::runtime()?.enter();
        Ok(client.conversation(conversation).set_typing()?)
    }

    /// Who is writing in a conversation: nobody at first.
    ///
    /// # Errors
    /// As [`Client::set_typing`].
    pub fn watch_typing(
        &self,
        conversation: ConversationId,
        listener: Box<dyn TypingListener>,
    ) -> Result<Arc<Subscription>> {
        let client = self.sdk()?;
        let _inside = runtime::runtime()?.enter();
        let updates = client.conversation(conversation).watch_typing()?;
        let shown = updates.map_ok(|people| people.into_iter().map(Into::into).collect());
        Subscription::follow(listener, None, shown.take_until(Box::pin(self.ended()?)))
    }
}
