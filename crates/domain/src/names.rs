//! Display names: of a conversation, and of a message's sender.
//!
//! A medic sees "Admin", whichever admin answers; an admin sees the medic's name.

use crate::{Conversation, ConversationKind, Person, PersonId, Role};

/// Shown to medics instead of an admin's name, and for a sender whose name is not known.
pub const ADMIN: &str = "Admin";
/// Shown to an admin when a direct conversation's medic is not known.
pub const UNKNOWN_MEDIC: &str = "Unknown Medic";
/// The name of a broadcast without a subject.
pub const BROADCAST: &str = "Broadcast";

/// The fields of a conversation that its name depends on.
#[derive(Debug, Clone, Copy)]
pub struct Title<'a> {
    /// The kind of conversation.
    pub kind: &'a ConversationKind,
    /// The subject of a broadcast.
    pub subject: Option<&'a str>,
    /// The medic's name by the server.
    pub medic_name: Option<&'a str>,
}

impl Title<'_> {
    /// The name of the conversation for a viewer with this role. `medic` is the full name of the conversation's medic,
    /// if the person is known.
    #[must_use]
    pub fn participant_name(self, viewer: &Role, medic: Option<String>) -> String {
        match (self.kind, viewer) {
            (ConversationKind::Broadcast, _) => non_blank(self.subject).unwrap_or_else(|| BROADCAST.to_owned()),
            (ConversationKind::Direct, Role::Medic) => ADMIN.to_owned(),
            _ => medic.or_else(|| non_blank(self.medic_name)).unwrap_or_else(|| UNKNOWN_MEDIC.to_owned()),
        }
    }
}

/// The name of a conversation for a viewer with this role. `medic` is the conversation's medic, found by
/// [`crate::MedicId`]; without one the name from the server is used.
#[must_use]
pub fn participant_name(conversation: &Conversation, viewer: &Role, medic: Option<&Person>) -> String {
    let Conversation { kind, subject, medic_name, .. } = conversation;
    let title = Title { kind, subject: subject.as_deref(), medic_name: medic_name.as_deref() };
    title.participant_name(viewer, medic.and_then(Person::full_name))
}

/// The name of a sender: a medic's name, else [`ADMIN`]. [`PersonId::NOBODY`] (a deleted account) has no name.
#[must_use]
pub fn sender_name(id: PersonId, sender: Option<&Person>) -> String {
    if id.is_nobody() {
        return String::new();
    }
    sender.filter(|person| person.is_medic()).and_then(Person::full_name).unwrap_or_else(|| ADMIN.to_owned())
}

/// First and last name joined by a space; none if both are blank.
#[must_use]
pub fn full_name(first: &str, last: &str) -> Option<String> {
    non_blank(Some(&format!("{} {}", first.trim(), last.trim())))
}

fn non_blank(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConversationId, Extra, MedicId, OrgId, Seq, Version};
    use uuid::Uuid;

    fn person(role: Role, medic_id: Option<MedicId>) -> Person {
        Person {
            id: PersonId::from_uuid(Uuid::from_u128(1)),
            org_id: OrgId::from_uuid(Uuid::nil()),
            role,
            first_name: "Ada".to_owned(),
            last_name: "Moss".to_owned(),
            medic_id,
            removed: false,
            version: Version::new(1),
            extra: Extra::new(),
        }
    }

    fn conversation(kind: ConversationKind, subject: Option<&str>) -> Conversation {
        Conversation {
            id: ConversationId::from_uuid(Uuid::nil()),
            org_id: OrgId::from_uuid(Uuid::nil()),
            kind,
            subject: subject.map(str::to_owned),
            medic_id: None,
            medic_name: None,
            created_by: PersonId::from_uuid(Uuid::nil()),
            created_at: crate::Time::UNIX_EPOCH,
            updated_at: crate::Time::UNIX_EPOCH,
            last_seq: Seq::ZERO,
            last_message_at: None,
            last_message_preview: None,
            unread: 0,
            unread_mentions: 0,
            omitted: None,
            version: Version::new(1),
            extra: Extra::new(),
        }
    }

    #[test]
    fn a_medic_sees_admin_and_an_admin_sees_the_medic() {
        let direct = conversation(ConversationKind::Direct, None);
        let ada = person(Role::Medic, Some(MedicId::from_uuid(Uuid::from_u128(9))));
        assert_eq!(participant_name(&direct, &Role::Medic, Some(&ada)), "Admin");
        assert_eq!(participant_name(&direct, &Role::OrgAdmin, Some(&ada)), "Ada Moss");
        assert_eq!(participant_name(&direct, &Role::OrgAdmin, None), "Unknown Medic");
    }

    #[test]
    fn a_broadcast_shows_its_subject() {
        let crane = conversation(ConversationKind::Broadcast, Some(" Crane 3 "));
        assert_eq!(participant_name(&crane, &Role::Medic, None), "Crane 3");
        let blank = conversation(ConversationKind::Broadcast, Some(" "));
        assert_eq!(participant_name(&blank, &Role::OrgAdmin, None), "Broadcast");
    }

    #[test]
    fn a_sender_is_a_medic_by_name_or_admin() {
        let id = PersonId::from_uuid(Uuid::from_u128(1));
        assert_eq!(sender_name(id, Some(&person(Role::Medic, None))), "Ada Moss");
        assert_eq!(sender_name(id, Some(&person(Role::OrgAdmin, None))), "Admin");
        assert_eq!(sender_name(id, None), "Admin");
    }

    #[test]
    fn a_person_without_a_name_is_shown_by_their_part() {
        let medic_id = Some(MedicId::from_uuid(Uuid::from_u128(9)));
        for (role, medic_id, shown) in [
            (Role::OrgAdmin, None, "Admin"),
            (Role::Unknown("dispatcher".to_owned()), None, "Admin"),
            (Role::Medic, None, "Unknown Medic"),
            (Role::OrgAdmin, medic_id, "Unknown Medic"),
        ] {
            let mut person = person(role, medic_id);
            assert_eq!(person.display_name(), "Ada Moss");
            (person.first_name, person.last_name) = (" ".to_owned(), String::new());
            assert_eq!(person.display_name(), shown);
        }
    }

    #[test]
    fn nobody_has_no_name() {
        assert_eq!(sender_name(PersonId::NOBODY, None), "");
    }
}
