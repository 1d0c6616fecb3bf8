//! The reference server as a backend, alone or behind something else.

use super::{Action, Backend, Member, Unsupported, Verdict, World};
use crate::{
    Auth, Credentials, LiveHints, MessagingApi,
    reference::{Profile, ReferenceServer},
};
use async_trait::async_trait;
use fieldpost_domain::{Emoji, Metadata};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The reference server under test.
#[derive(Debug, Clone, Default)]
pub struct ReferenceBackend {
    /// The server.
    pub server: ReferenceServer,
}

#[async_trait]
impl Backend for ReferenceBackend {
    fn api(&self) -> &dyn MessagingApi {
        &self.server
    }

    fn auth(&self) -> &dyn Auth {
        &self.server
    }

    fn live(&self) -> Option<&dyn LiveHints> {
        Some(&self.server)
    }

    async fn new_world(&self, medics: usize) -> World {
        new_world(&self.server, medics)
    }

    async fn perform(&self, action: Action) -> Verdict {
        perform(&self.server, action)
    }
}

/// Creates a world on a reference server; for backends that put something in front of it.
#[must_use]
pub fn new_world(server: &ReferenceServer, medics: usize) -> World {
    static WORLDS: AtomicUsize = AtomicUsize::new(0);
    let number = WORLDS.fetch_add(1, Ordering::Relaxed);
    let org_id = server.add_org(&format!("World {number}"));
    let new = |name: String, add: &dyn Fn(Profile<'_>) -> Member| {
        let (email, password) = (format!("{name}.{number}@world.test").to_lowercase(), format!("pw-{name}-{number}"));
        add(Profile { first_name: &name, last_name: "Worlds", email: &email, password: &password })
    };
    let admin = new("Admin".to_owned(), &|profile| Member {
        person_id: server.add_admin(org_id, profile),
        medic_id: None,
        ..member(profile)
    });
    let medics = (0..medics).map(|index| {
        new(format!("Medic{index}"), &|profile| {
            let medic = server.add_medic(org_id, profile);
            Member { person_id: medic.person_id, medic_id: Some(medic.medic_id), ..member(profile) }
        })
    });
    World { org_id, admin, medics: medics.collect() }
}

/// What a profile says; the caller fills in the ids.
fn member(profile: Profile<'_>) -> Member {
    Member {
        credentials: Credentials { email: profile.email.to_owned(), password: profile.password.into() },
        person_id: fieldpost_domain::PersonId::from_uuid(uuid::Uuid::nil()),
        medic_id: None,
        first_name: profile.first_name.to_owned(),
        last_name: profile.last_name.to_owned(),
    }
}

/// Performs an action on a reference server; for backends that put something in front of it.
pub fn perform(server: &ReferenceServer, action: Action) -> Verdict {
    let done = match action {
        Action::InsertMessage { id, conversation_id, sender_id, content, idempotency_key } => {
            let metadata = idempotency_key.map(|key| [("idempotency_key".to_owned(), key.to_string().into())]);
            let metadata = metadata.map(|fields| Metadata::from_stored(fields.into_iter().collect()));
            server.insert_message_with(id, conversation_id, sender_id, &content, metadata).is_some()
        }
        Action::EditMessage { id, content } => server.edit_message(id, &content),
        Action::SoftDelete { id } => server.soft_delete(id),
        Action::React { id, person_id, emoji, removed } => server.react(id, person_id, &Emoji::told(&emoji), removed),
        Action::HardDelete { id } => server.hard_delete(id),
        Action::DeleteConversation { id } => server.delete_conversation(id),
        Action::ReassignMedic { id, medic_id } => server.reassign_medic(id, Some(medic_id)),
        Action::RemoveMember { person_id } => server.remove_member(person_id),
        Action::ChangeRole { person_id, role } => server.change_role(person_id, role),
        Action::SeedConversations { org_id, sender_id, count, messages_each } => {
            for index in 0..count {
                let medic = server.add_medic_without_account(org_id, "Seeded", &index.to_string());
                let conversation = server.open_direct(org_id, medic, sender_id);
                let texts: Vec<_> = (1..=messages_each).map(|number| format!("Message {number}")).collect();
                server.insert_messages(conversation, sender_id, &texts);
            }
            true
        }
        other => return operate(server, other),
    };
    assert!(done, "the action found nothing to act on");
    Ok(())
}

/// Actions on the server itself rather than on its rows.
fn operate(server: &ReferenceServer, action: Action) -> Verdict {
    match action {
        Action::ExpireTokens { person_id } => server.expire_tokens(person_id),
        Action::ChangeEpoch => server.change_epoch(),
        Action::AdvanceClock { by } => server.advance_clock(by),
        Action::RetryNext { conversation_id, code } => server.retry_next(Some(conversation_id), code),
        _ => return Err(Unsupported("do this")),
    }
    Ok(())
}
