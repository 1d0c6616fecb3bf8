//! People: those with an account in an org that the signed-in person can see.

use crate::{Extra, MedicId, OrgId, PersonId, Version, names, open_enum::open_enum};
use serde::{Deserialize, Serialize};

open_enum!(
    /// A person's role in an org.
    Role {
        /// Works on a site; sees their own direct conversation and the broadcasts of the org.
        Medic => "medic",
        /// Coordinates; sees all conversations of the org.
        OrgAdmin => "org_admin",
    }
);

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The user in `auth.users`.
    pub id: PersonId,
    /// The org they belong to.
    pub org_id: OrgId,
    /// Their role in it.
    pub role: Role,
    /// May be empty.
    pub first_name: String,
    /// May be empty.
    pub last_name: String,
    /// Their row in `medics`; none for people who are no medics.
    pub medic_id: Option<MedicId>,
    /// No longer a member; kept so that old messages have a sender.
    pub removed: bool,
    /// Row version.
    pub version: Version,
    /// Fields that this version does not know.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Person {
    /// First and last name joined by a space; none if both are blank.
    #[must_use]
    pub fn full_name(&self) -> Option<String> {
        names::full_name(&self.first_name, &self.last_name)
    }

    /// The name to show: the full name, else [`names::ADMIN`] for somebody of the office and [`names::UNKNOWN_MEDIC`]
    /// for a medic.
    #[must_use]
    pub fn display_name(&self) -> String {
        let nameless = if self.is_medic() { names::UNKNOWN_MEDIC } else { names::ADMIN };
        self.full_name().unwrap_or_else(|| nameless.to_owned())
    }

    /// Whether this is a medic: by role, or by a row in `medics`.
    #[must_use]
    pub fn is_medic(&self) -> bool {
        self.medic_id.is_some() || self.role == Role::Medic
    }
}
