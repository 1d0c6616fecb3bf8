//! The effect of opening a broadcast: its local row.

use super::open_direct::opened_offline;
use crate::memory::{outbox::queued, state::State};
use crate::{ConversationSummary, NewBroadcast, NotPossible, StorageError, StorageErrorKind, StorageResult};
use fieldpost_domain::{ConversationKind, Intent, MutationId, OpenBroadcast, Role};

impl State {
    pub(in crate::memory) fn open_broadcast(
        &mut self,
        mutation: MutationId,
        new: NewBroadcast,
    ) -> StorageResult<ConversationSummary> {
        let fails = |kind| StorageError::new(kind, "open_broadcast");
        let owner = self.owner().ok_or_else(|| fails(StorageErrorKind::NotSynced))?;
        let mut rows = self.people.values().filter(|person| person.id == owner && !person.removed).peekable();
        rows.peek().ok_or_else(|| fails(StorageErrorKind::NotSynced))?;
        let no_admin = || fails(StorageErrorKind::NotApplicable(NotPossible::ReadOnly));
        let org = rows.find(|person| person.role == Role::OrgAdmin).ok_or_else(no_admin)?.org_id;
        let is_it = |row: &fieldpost_domain::Conversation| row.kind == ConversationKind::Broadcast && row.org_id == org;
        if let Some(thread) = self.threads.values().find(|thread| is_it(&thread.row)) {
            return Ok(self.summary(thread));
        }
        let id = self.resolve(new.id);
        let intent = OpenBroadcast { conversation_id: id, org_id: org, subject: new.subject.clone() };
        self.record(mutation, Intent::OpenBroadcast(intent), queued(), new.at);
        let mut thread = opened_offline(id, new.at, org, owner);
        (thread.row.kind, thread.row.subject) = (ConversationKind::Broadcast, new.subject);
        let view = self.summary(&thread);
        self.threads.insert(id, thread);
        Ok(view)
    }
}
