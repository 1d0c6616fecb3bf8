//! Opening a direct conversation: its local row.

use crate::memory::{
    outbox::queued,
    state::{State, Thread},
};
use crate::{ConversationSummary, NewDirect};
use fieldpost_domain::{
    Conversation, ConversationId, ConversationKind, Extra, Intent, MutationId, OpenDirect, Seq, Version,
};
use std::collections::BTreeSet;

impl State {
    pub(in crate::memory) fn open_direct(&mut self, mutation: MutationId, new: NewDirect) -> ConversationSummary {
        let id = self.resolve(new.id);
        if let Some(thread) = self.threads.get(&id) {
            return self.summary(thread);
        }
        if let Some(thread) = self.threads.values().find(|thread| thread.is_direct_with(new.org_id, new.medic_id)) {
            return self.summary(thread);
        }
        let (medic_id, org_id) = (Some(new.medic_id), Some(new.org_id));
        self.record(
            mutation,
            Intent::OpenDirect(OpenDirect { conversation_id: id, medic_id, org_id }),
            queued(),
            new.at,
        );
        let thread = opened_offline(id, &new);
        let view = self.summary(&thread);
        self.threads.insert(id, thread);
        view
    }
}

fn opened_offline(id: ConversationId, new: &NewDirect) -> Thread {
    let row = Conversation {
        id,
        org_id: new.org_id,
        kind: ConversationKind::Direct,
        subject: None,
        medic_id: Some(new.medic_id),
        medic_name: None,
        created_by: new.opened_by,
        created_at: new.at,
        updated_at: new.at,
        last_seq: Seq::ZERO,
        last_message_at: None,
        last_message_preview: None,
        unread: 0,
        omitted: None,
        version: Version::ZERO,
        extra: Extra::new(),
    };
    Thread { row, on_server: false, range: None, gone: BTreeSet::new(), counted_to: Seq::ZERO }
}
