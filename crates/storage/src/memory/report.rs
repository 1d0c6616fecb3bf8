//! Finds what looks different by comparing two states, so that no report can be forgotten.

use super::state::State;
use crate::{ChangeSet, Touched};
use fieldpost_domain::ConversationId;
use std::collections::{BTreeMap, BTreeSet};

impl State {
    pub(super) fn changed_since(&self, before: &Self) -> ChangeSet {
        let changes = self.changed_messages_since(before);
        #[cfg(feature = "records")]
        let changes = {
            let mut changes = changes;
            if !std::sync::Arc::ptr_eq(&self.records, &before.records) {
                changes.merge(self.records.changed_since(&before.records));
            }
            changes
        };
        changes
    }

    fn changed_messages_since(&self, before: &Self) -> ChangeSet {
        // Every line of the list depends on names and roles.
        if (&self.people, self.me, self.account) != (&before.people, before.me, before.account) {
            return ChangeSet::everything();
        }
        let touched = self.touched_since(before);
        let unread = touched.iter().any(|id| self.unread_if_here(*id) != before.unread_if_here(*id));
        // The capability that an entry waits for is part of its state.
        let outbox = self.outbox != before.outbox || self.server != before.server;
        ChangeSet { conversations: Touched::Only(touched), unread, outbox, ..ChangeSet::nothing() }
    }

    fn touched_since(&self, before: &Self) -> BTreeSet<ConversationId> {
        let mut touched: BTreeSet<ConversationId> = differing(&before.threads, &self.threads).copied().collect();
        touched.extend(differing(&before.settings, &self.settings));
        touched.extend(differing(&before.drafts, &self.drafts));
        touched.extend(differing(&before.markers, &self.markers).map(|(conversation, _)| *conversation));
        for id in differing(&before.messages, &self.messages) {
            let rows = [before.messages.get(id), self.messages.get(id)];
            touched.extend(rows.into_iter().flatten().map(|row| row.conversation_id()));
        }
        for key in differing(&before.reactions, &self.reactions) {
            let rows = [before.reactions.get(key), self.reactions.get(key)];
            touched.extend(rows.into_iter().flatten().map(|row| row.conversation_id));
        }
        for id in differing(&before.aliases, &self.aliases) {
            touched.insert(*id);
            touched.extend(self.aliases.get(id));
        }
        let entry =
            |state: &'_ Self| state.outbox.iter().map(|entry| (entry.id, entry.clone())).collect::<BTreeMap<_, _>>();
        let (old, new) = (entry(before), entry(self));
        for id in differing(&old, &new) {
            touched.extend([old.get(id), new.get(id)].into_iter().flatten().map(|entry| entry.intent.lane()));
        }
        touched
    }

    fn unread_if_here(&self, conversation: ConversationId) -> Option<(u64, u64)> {
        let here = self.threads.contains_key(&conversation);
        here.then(|| (self.unread(conversation), self.unread_mentions(conversation)))
    }
}

/// The keys whose values differ, including keys of only one map.
fn differing<'a, K: Ord, V: PartialEq>(
    before: &'a BTreeMap<K, V>,
    after: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = &'a K> {
    let gone = before.keys().filter(|key| !after.contains_key(key));
    let other = after.iter().filter(|(key, value)| before.get(key) != Some(value)).map(|(key, _)| key);
    gone.chain(other)
}
