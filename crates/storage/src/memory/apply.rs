//! Applies the rows of a page, and the page of a pull.

use super::rows::Placed;
use super::state::{KeptAside, Row, State};
use crate::{ApplyReport, StorageError, StorageErrorKind, StorageResult, SyncPosition, unreadable};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{
    Access, AccessChange, Changes, ConversationDigest, ConversationId, Cursor, Message, PullPage, RefusalCode,
    Tombstone, UnreadableRow,
};
use std::collections::BTreeSet;

impl State {
    pub(super) fn apply_pull(&mut self, from: &Cursor, page: PullPage) -> StorageResult<ApplyReport> {
        if !matches!(&self.position, SyncPosition::Following(cursor) if cursor == from) {
            return Err(StorageError::new(StorageErrorKind::Superseded, "apply_pull"));
        }
        let mut report = ApplyReport::default();
        let read = self.read_as_told(&page.changes, false);
        let named = self.named(&page.changes);
        self.apply(page.changes, &mut report);
        self.subtract_reads(&read);
        report.marked_again = self.requeue_read_marks(read, page.server_time);
        self.position = SyncPosition::Following(page.cursor);
        self.server = Some(page.server);
        report.delivered = self.note_arrived(&named, page.server_time);
        self.run_open = page.more;
        report.digest_matches = page.digest.map(|digest| self.matches_digest(&digest));
        Ok(report)
    }

    /// Applies rows in the order of the contract. Grants come first because their conversations are in the same page;
    /// revocations come last.
    pub(super) fn apply(&mut self, changes: Changes, report: &mut ApplyReport) {
        let touched = self.threads_of(&changes);
        let (grants, revocations): (Vec<_>, Vec<_>) =
            changes.access.into_iter().partition(|change| change.access == Access::Grant);
        for grant in grants {
            report.count(self.note_access(grant.conversation_id, grant.version, false));
        }
        for person in changes.people {
            report.count(self.put_person(person));
        }
        // Stored conversations come first, so that one opened here is not merged with another row for the same medic.
        let (here, others): (Vec<_>, Vec<_>) =
            changes.conversations.into_iter().partition(|row| self.threads.contains_key(&row.id));
        for conversation in here.into_iter().chain(others) {
            report.count(self.put_conversation(conversation));
        }
        for message in changes.messages {
            self.apply_message(message, report);
        }
        for marker in changes.read_markers {
            report.count(self.put_marker(marker));
        }
        for reaction in changes.reactions {
            report.count(self.put_reaction(reaction));
        }
        for row in changes.settings {
            report.count(self.put_settings(row));
        }
        for tombstone in changes.tombstones {
            self.apply_tombstone(&tombstone, report);
        }
        for covered in changes.covered {
            self.cover_adjoining(self.resolve(covered.conversation_id), covered.range);
        }
        for change in revocations {
            self.apply_revocation(change, report);
        }
        for row in changes.unreadable {
            self.keep_aside(row, report);
        }
        for conversation in touched {
            self.extend(conversation);
        }
    }

    /// The conversations that a page names.
    pub(super) fn named(&self, changes: &Changes) -> BTreeSet<ConversationId> {
        let rows = changes.conversations.iter().map(|row| row.id);
        self.threads_of(changes).into_iter().chain(rows.map(|id| self.resolve(id))).collect()
    }

    fn threads_of(&self, changes: &Changes) -> BTreeSet<ConversationId> {
        let messages = changes.messages.iter().map(|message| message.conversation_id);
        let tombstones = changes.tombstones.iter().map(|tombstone| tombstone.conversation_id);
        let covered = changes.covered.iter().map(|covered| covered.conversation_id);
        messages.chain(tombstones).chain(covered).map(|id| self.resolve(id)).collect()
    }

    fn apply_message(&mut self, message: Message, report: &mut ApplyReport) {
        let (id, mine) = (message.id, Some(message.sender_id) == self.owner());
        self.place_message(message, report);
        if mine && matches!(self.messages.get(&id), Some(Row::Server(_))) {
            // The message was refused or lost here, but was sent from another device or restored.
            self.outbox.retain(|entry| !(entry.is_failed() && entry.intent.creates() == Some(id)));
        }
    }

    fn place_message(&mut self, message: Message, report: &mut ApplyReport) {
        match self.put_message(message) {
            Placed::Changed { new } => {
                report.count(true);
                report.new_messages += u64::from(new);
            }
            Placed::Stale => report.count(false),
            Placed::Orphan(message) => {
                let payload = serde_json::to_string(&message).unwrap_or_default();
                let reason = "its conversation is not here".to_owned();
                self.keep_aside(UnreadableRow { list: "messages".to_owned(), payload, reason }, report);
            }
        }
    }

    fn apply_tombstone(&mut self, tombstone: &Tombstone, report: &mut ApplyReport) {
        let (applied, leaving) = self.record_tombstone(tombstone);
        report.count(applied);
        if let Some(conversation) = leaving
            && self.purge(conversation, RefusalCode::ConversationDeleted)
        {
            report.purged.push(conversation);
        }
    }

    fn apply_revocation(&mut self, change: AccessChange, report: &mut ApplyReport) {
        if let Access::Unknown(_) = change.access {
            let payload = serde_json::to_string(&change).unwrap_or_default();
            let reason = "an unknown kind of access".to_owned();
            return self.keep_aside(UnreadableRow { list: "access".to_owned(), payload, reason }, report);
        }
        let newer = self.note_access(change.conversation_id, change.version, true);
        report.count(newer);
        if newer {
            self.doubt_losses(change.conversation_id);
        }
        if newer && self.revoke(change.conversation_id) {
            report.purged.push(change.conversation_id);
        }
    }

    /// False if the conversation was not stored.
    fn revoke(&mut self, conversation: ConversationId) -> bool {
        if planted(PlantedBug::RevokedStays) {
            return self.threads.remove(&conversation).is_some();
        }
        self.purge(conversation, RefusalCode::AccessLost)
    }

    /// Keeps an unreadable row for a newer version. Each row is kept once.
    fn keep_aside(&mut self, row: UnreadableRow, report: &mut ApplyReport) {
        let conversation = unreadable::conversation_of(&row).map(|id| self.resolve(id));
        if conversation.is_some_and(|id| !self.threads.contains_key(&id) && self.has_left(id)) {
            return report.count(false);
        }
        report.unreadable += 1;
        if !self.unreadable.iter().any(|kept| kept.row.list == row.list && kept.row.payload == row.payload) {
            self.unreadable.push(KeptAside { conversation, row });
        }
        let too_many = self.unreadable.len().saturating_sub(unreadable::KEPT as usize);
        self.unreadable.drain(..too_many);
    }

    /// Whether a digest matches the stored conversations that the server knows.
    pub(super) fn matches_digest(&self, digest: &ConversationDigest) -> bool {
        let known = self.threads.iter().filter(|(_, thread)| thread.on_server).map(|(id, _)| *id);
        ConversationDigest::like(digest, known) == *digest
    }
}

impl ApplyReport {
    fn count(&mut self, changed: bool) {
        if changed {
            self.applied += 1;
        } else {
            self.stale += 1;
        }
    }
}
