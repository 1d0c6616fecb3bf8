//! The start of every story: a world whose people are signed in.

use super::{Action, Actor, Backend, Verdict, World, fresh};
use fieldpost_domain::{ConversationId, MedicId, MessageId, NewMessage, PersonId};

/// A world on a backend.
pub struct Scene<'b> {
    /// The backend under test.
    pub backend: &'b dyn Backend,
    /// The org and its people.
    pub world: World,
}

impl<'b> Scene<'b> {
    /// A fresh org with an admin and `medics` medics.
    pub async fn with_medics(backend: &'b dyn Backend, medics: usize) -> Self {
        let world = backend.new_world(medics).await;
        assert_eq!(world.medics.len(), medics, "the backend made another world than asked");
        Self { backend, world }
    }

    /// The admin, signed in.
    pub async fn admin(&self) -> Actor<'b> {
        Actor::sign_in(self.backend, &self.world.admin).await
    }

    /// A medic, signed in.
    pub async fn medic(&self, index: usize) -> Actor<'b> {
        Actor::sign_in(self.backend, &self.world.medics[index]).await
    }

    /// Performs an action outside the contract.
    pub async fn perform(&self, action: Action) -> Verdict {
        self.backend.perform(action).await
    }

    /// The person of a medic.
    #[must_use]
    pub fn person(&self, index: usize) -> PersonId {
        self.world.medics[index].person_id
    }

    /// A medic's row in the roster.
    #[must_use]
    pub fn medic_id(&self, index: usize) -> MedicId {
        self.world.medics[index].medic_id.expect("a medic of the world has a row in the roster")
    }

    /// A third-party client writes a message.
    pub async fn stranger_writes(
        &self,
        sender_id: PersonId,
        conversation_id: ConversationId,
        content: &str,
    ) -> Result<MessageId, super::Unsupported> {
        let id = fresh::message_id();
        let (content, idempotency_key) = (content.to_owned(), None);
        self.perform(Action::InsertMessage { id, conversation_id, sender_id, content, idempotency_key }).await?;
        Ok(id)
    }

    /// An older version of the app sends a message: the server makes the id, and the app puts its own into the
    /// metadata.
    pub async fn older_app_sends(&self, message: &NewMessage) -> Result<MessageId, super::Unsupported> {
        let (id, conversation_id, sender_id) = (fresh::message_id(), message.conversation_id, message.sender_id);
        let (content, idempotency_key) = (message.content.as_str().to_owned(), Some(message.id));
        self.perform(Action::InsertMessage { id, conversation_id, sender_id, content, idempotency_key }).await?;
        Ok(id)
    }
}
