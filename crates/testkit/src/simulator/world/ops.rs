//! One write of another client.

use super::World;
use crate::simulator::{dice::pick, step::ThirdPartyOp};
use fieldpost_domain::{ConversationId, ConversationKind, Emoji, MedicId, MessageId, Role, Seq};
use fieldpost_remote::reference::{Locked, OpenTransaction};

/// Few, so that people meet.
pub(super) const EMOJIS: [&str; 3] = ["👍", "🎉", "❤"];

/// The text of other clients' edits.
pub(crate) const BY_OTHERS: &str = "edited";

impl World {
    pub(super) fn do_third_party_op(&self, open: &OpenTransaction, op: ThirdPartyOp) -> Result<(), Locked> {
        match op {
            ThirdPartyOp::Insert { pick, sender } => self.insert(open, pick, sender),
            ThirdPartyOp::Edit { pick } => self.on_message(pick, |id| open.edit_message(id, BY_OTHERS)),
            ThirdPartyOp::SoftDelete { pick } => self.on_message(pick, |id| open.soft_delete(id)),
            ThirdPartyOp::React { pick: number, person } => self.on_message(number, |id| {
                let person = self.roster.person(person).id;
                let place = self.hub.server.message(id).map(|message| message.conversation_id);
                let sees = self.hub.server.conversations_of(person).iter().any(|row| Some(row.id) == place);
                let Some(emoji) = pick(&EMOJIS, number).filter(|_| sees) else { return Ok(()) };
                open.react(id, person, Emoji::told(emoji))
            }),
            ThirdPartyOp::HardDelete { pick } => self.on_message(pick, |id| open.hard_delete(id)),
            ThirdPartyOp::DeleteConversation { pick } => self.on_conversation(pick, |id| open.delete_conversation(id)),
            ThirdPartyOp::Rename { pick: number } => {
                self.on_conversation(number, |id| open.rename_conversation(id, &format!("Notices {}", number % 100)))
            }
            ThirdPartyOp::Reassign { pick, medic } => self.reassign(open, pick, medic),
            ThirdPartyOp::Set { .. } => self.set_elsewhere(open, op),
            ThirdPartyOp::Mark { pick, person, share } => self.on_conversation(pick, |id| {
                let last = self.hub.server.conversation(id).map_or(0, |row| row.last_seq.get());
                open.mark(id, self.roster.person(person).id, Seq::new(last * u64::from(share) / 100))
            }),
            _ => {
                self.change_people(open, op);
                Ok(())
            }
        }
    }

    fn change_people(&self, open: &OpenTransaction, op: ThirdPartyOp) {
        let server = &self.hub.server;
        match op {
            ThirdPartyOp::RemoveMember { person } => open.remove_member(self.roster.person(person).id),
            ThirdPartyOp::AddMember { person, elsewhere } => {
                let person = self.roster.person(person);
                let org = self.roster.orgs[usize::from(elsewhere)];
                // A person is a member of only one org at a time.
                if server.member(person.id).is_none() {
                    open.add_member(person.id, org, Role::Medic, "Back", "Again");
                }
            }
            ThirdPartyOp::ChangeRole { person } => {
                let id = self.roster.person(person).id;
                match server.member(id).map(|member| member.role) {
                    Some(Role::Medic) => open.change_role(id, Role::OrgAdmin),
                    Some(_) => open.change_role(id, Role::Medic),
                    None => {}
                }
            }
            ThirdPartyOp::RenamePerson { person, number } => {
                open.rename_person(self.roster.person(person).id, "Renamed", &number.to_string());
            }
            _ => {}
        }
    }

    fn insert(&self, open: &OpenTransaction, number: u64, sender: u64) -> Result<(), Locked> {
        self.on_conversation(number, |id| {
            let people = self.roster.of_org(&self.hub.server, id);
            let Some(sender) = pick(&people, sender) else { return Ok(()) };
            let text = self.hub.narrow.text(format!("from another client {number}"), number);
            open.insert_message(id, sender, &text).map(drop)
        })
    }

    /// To a medic of the org without a conversation, or to nobody: there is one direct conversation per medic.
    fn reassign(&self, open: &OpenTransaction, number: u64, medic: u64) -> Result<(), Locked> {
        let server = &self.hub.server;
        self.on_conversation(number, |id| {
            let Some(row) = server.conversation(id).filter(|row| row.kind == ConversationKind::Direct) else {
                return Ok(());
            };
            let members = self.roster.people.iter().flat_map(|person| server.memberships(person.id));
            let medics = members.filter(|member| member.org_id == row.org_id).filter_map(|member| member.medic_id);
            let taken: Vec<MedicId> = server
                .conversation_ids()
                .into_iter()
                .filter_map(|id| server.conversation(id).and_then(|row| row.medic_id))
                .collect();
            let free: Vec<MedicId> = medics.filter(|medic| !taken.contains(medic)).collect();
            // If somebody else takes this medic before the commit, the rule of one conversation per medic breaks.
            let medic = if free.is_empty() || medic.is_multiple_of(3) { None } else { pick(&free, medic) };
            open.reassign_medic(id, medic)
        })
    }

    fn on_conversation(
        &self,
        number: u64,
        act: impl FnOnce(ConversationId) -> Result<(), Locked>,
    ) -> Result<(), Locked> {
        pick(&self.hub.server.conversation_ids(), number).map_or(Ok(()), act)
    }

    fn on_message(&self, number: u64, act: impl FnOnce(MessageId) -> Result<(), Locked>) -> Result<(), Locked> {
        let server = &self.hub.server;
        let threads = server.conversation_ids().into_iter().flat_map(|id| server.messages_of(id));
        let messages: Vec<_> = threads.map(|message| message.id).collect();
        pick(&messages, number).map_or(Ok(()), act)
    }
}
