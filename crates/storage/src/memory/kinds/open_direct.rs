//! The effect of opening a direct conversation: its local row.

use crate::memory::{
    outbox::queued,
    state::{State, Thread},
};
use crate::{ConversationSummary, NewDirect, StorageError, StorageErrorKind, StorageResult};
use fieldpost_domain::{
    Conversation, ConversationId, ConversationKind, Extra, Intent, MutationId, OpenDirect, OrgId, PersonId, Seq, Time,
    Version,
};
use std::collections::BTreeSet;

impl State {
    pub(in crate::memory) fn open_direct(
        &mut self,
        mutation: MutationId,
        new: NewDirect,
    ) -> StorageResult<ConversationSummary> {
        let id = self.resolve(new.id);
        if let Some(thread) = self.threads.get(&id) {
            return Ok(self.summary(thread));
        }
        let not_synced = || StorageError::new(StorageErrorKind::NotSynced, "open_direct");
        let org = self.medic_row(new.medic_id).or(self.me_row()).map(|person| person.org_id).ok_or_else(not_synced)?;
        if let Some(thread) = self.threads.values().find(|thread| thread.is_direct_with(org, new.medic_id)) {
            return Ok(self.summary(thread));
        }
        let opener = self.owner().ok_or_else(not_synced)?;
        let intent = OpenDirect { conversation_id: id, medic_id: Some(new.medic_id), org_id: Some(org) };
        self.record(mutation, Intent::OpenDirect(intent), queued(), new.at);
        let mut thread = opened_offline(id, new.at, org, opener);
        thread.row.medic_id = Some(new.medic_id);
        let view = self.summary(&thread);
        self.threads.insert(id, thread);
        Ok(view)
    }
}

pub(super) fn opened_offline(id: ConversationId, at: Time, org_id: OrgId, created_by: PersonId) -> Thread {
    let row = Conversation {
        id,
        org_id,
        kind: ConversationKind::Direct,
        subject: None,
        medic_id: None,
        medic_name: None,
        created_by,
        created_at: at,
        updated_at: at,
        last_seq: Seq::ZERO,
        last_message_at: None,
        last_message_preview: None,
        unread: 0,
        unread_mentions: 0,
        omitted: None,
        version: Version::ZERO,
        extra: Extra::new(),
    };
    Thread { row, on_server: false, range: None, deleted_seqs: BTreeSet::new(), counted_to: Seq::ZERO }
}
