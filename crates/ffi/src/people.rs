//! The roster.

use crate::{Client, Result};
use fieldpost::{MedicId, OrgId, PersonId};

/// What a person is in an org.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum Role {
    /// Works on a site.
    Medic,
    /// Coordinates; sees all conversations of the org.
    OrgAdmin,
    /// A role that this version does not know.
    Other,
}

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Person {
    /// The user.
    pub id: PersonId,
    /// The org.
    pub org_id: OrgId,
    /// What they are in it.
    pub role: Role,
    /// May be empty.
    pub first_name: String,
    /// May be empty.
    pub last_name: String,
    /// The name to show.
    pub display_name: String,
    /// Their row in the roster of medics.
    pub medic_id: Option<MedicId>,
    /// No longer a member.
    pub removed: bool,
}

#[uniffi::export]
impl Client {
    /// Everybody that the signed-in person may see, sorted by name.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn people(&self) -> Result<Vec<Person>> {
        self.run(|client| async move { Ok(client.people().await?.into_iter().map(Into::into).collect()) }).await
    }

    /// The people with this part of a name.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidArgument`] for more than 500 characters.
    pub async fn find_people(&self, part: String) -> Result<Vec<Person>> {
        self.run(|client| async move { Ok(client.find_people(&part).await?.into_iter().map(Into::into).collect()) })
            .await
    }
}

impl From<fieldpost::Person> for Person {
    fn from(person: fieldpost::Person) -> Self {
        Self {
            id: person.id,
            org_id: person.org_id,
            display_name: person.display_name(),
            role: match person.role {
                fieldpost::Role::Medic => Role::Medic,
                fieldpost::Role::OrgAdmin => Role::OrgAdmin,
                fieldpost::Role::Unknown(_) => Role::Other,
            },
            first_name: person.first_name,
            last_name: person.last_name,
            medic_id: person.medic_id,
            removed: person.removed,
        }
    }
}
