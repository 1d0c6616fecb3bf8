//! The role that keeps what a person did until the server has answered.

pub(crate) mod batch;
pub(crate) mod change;
mod claim;
mod decide;
mod expire;
pub(crate) mod mark_read;
mod open_broadcast;
mod open_direct;
pub(crate) mod send;
mod set_conversation;
pub(crate) mod settle;
mod views;

pub(crate) use claim::{check_readable, claim};

use crate::{SqliteStore, db::Durability};
use async_trait::async_trait;
use fieldpost_domain::{
    ConversationId, Cursor, MessageContent, MessageId, Mutation, MutationId, PushResult, Seq, SettingsChange, Time,
};
use fieldpost_storage::{
    BatchLimits, ConversationSummary, NewBroadcast, NewDirect, Outbox, OutboxCounts, OutboxEntry, OutgoingMessage,
    SettleReport, StorageResult, ThreadMessage,
};
use std::collections::HashSet;

#[async_trait]
impl Outbox for SqliteStore {
    async fn send(&self, mutation: MutationId, message: OutgoingMessage) -> StorageResult<ThreadMessage> {
        let write = self.db.write("send", Durability::PowerCut).await?;
        let sent = send::send(write.tx(), mutation, message).await;
        write.finish(sent).await
    }

    async fn open_direct(&self, mutation: MutationId, new: NewDirect) -> StorageResult<ConversationSummary> {
        let write = self.db.write("open_direct", Durability::PowerCut).await?;
        let opened = open_direct::open_direct(write.tx(), mutation, &new).await;
        write.finish(opened).await
    }

    async fn open_broadcast(&self, mutation: MutationId, new: NewBroadcast) -> StorageResult<ConversationSummary> {
        let write = self.db.write("open_broadcast", Durability::PowerCut).await?;
        let opened = open_broadcast::open_broadcast(write.tx(), mutation, &new).await;
        write.finish(opened).await
    }

    async fn mark_read(
        &self,
        mutation: MutationId,
        conversation: ConversationId,
        up_to: Seq,
        at: Time,
    ) -> StorageResult<Seq> {
        let write = self.db.write("mark_read", Durability::PowerCut).await?;
        let marked = mark_read::mark_read(write.tx(), &*self.ids, mutation, conversation, up_to, at).await;
        write.finish(marked).await
    }

    async fn set_conversation(
        &self,
        mutation: MutationId,
        conversation: ConversationId,
        change: SettingsChange,
        at: Time,
    ) -> StorageResult<ConversationSummary> {
        let write = self.db.write("set_conversation", Durability::PowerCut).await?;
        let set = set_conversation::set_conversation(write.tx(), mutation, conversation, change, at).await;
        write.finish(set).await
    }

    async fn next_batch(&self, limits: BatchLimits, held: &HashSet<ConversationId>) -> StorageResult<Vec<Mutation>> {
        let read = self.db.look("next_batch")?;
        let empty = batch::is_empty(read.tx()).await;
        if read.finish(empty).await? {
            return Ok(Vec::new());
        }
        let write = self.db.write("next_batch", Durability::PowerCut).await?;
        let batch = batch::take(write.tx(), limits, held).await;
        write.finish(batch).await
    }

    async fn settle(&self, results: Vec<PushResult>) -> StorageResult<SettleReport> {
        let write = self.db.write("settle", Durability::PowerCut).await?;
        let settled = settle::settle(write.tx(), results).await;
        write.finish(settled).await
    }

    async fn settle_quiet(&self, results: Vec<PushResult>, from: &Cursor, to: &Cursor) -> StorageResult<SettleReport> {
        let write = self.db.write("settle", Durability::PowerCut).await?;
        let settled = settle::settle_quiet(write.tx(), results, from, to).await;
        write.finish(settled).await
    }

    async fn withdraw(&self, mutations: &[MutationId]) -> StorageResult<()> {
        let write = self.db.write("withdraw", Durability::PowerCut).await?;
        let withdrawn = batch::withdraw(write.tx(), mutations).await;
        write.finish(withdrawn).await
    }

    async fn expire(&self, before: Time) -> StorageResult<u64> {
        let read = self.db.look("expire")?;
        let any = expire::any(read.tx(), before).await;
        if !read.finish(any).await? {
            return Ok(0);
        }
        let write = self.db.write("expire", Durability::PowerCut).await?;
        let expired = expire::expire(write.tx(), before).await;
        write.finish(expired).await
    }

    async fn retry(&self, mutation: MutationId, at: Time) -> StorageResult<OutboxEntry> {
        let write = self.db.write("retry", Durability::PowerCut).await?;
        let queued = decide::retry(write.tx(), mutation, at).await;
        write.finish(queued).await
    }

    async fn change(&self, mutation: Mutation, at: Time) -> StorageResult<ThreadMessage> {
        let write = self.db.write("change", Durability::PowerCut).await?;
        let changed = change::change(write.tx(), mutation, at).await;
        write.finish(changed).await
    }

    async fn changes_of(&self, message: MessageId) -> StorageResult<Vec<OutboxEntry>> {
        let read = self.db.look("changes_of")?;
        let entries = views::of_target(read.tx(), message.as_uuid()).await;
        read.finish(entries).await
    }

    async fn edit(&self, mutation: MutationId, content: MessageContent, at: Time) -> StorageResult<OutboxEntry> {
        let write = self.db.write("edit", Durability::PowerCut).await?;
        let edited = decide::edit(write.tx(), mutation, content, at).await;
        write.finish(edited).await
    }

    async fn cancel(&self, mutation: MutationId) -> StorageResult<Vec<OutboxEntry>> {
        let write = self.db.write("cancel", Durability::PowerCut).await?;
        let left = decide::cancel(write.tx(), mutation).await;
        write.finish(left).await
    }

    async fn entry_of(&self, message: MessageId) -> StorageResult<Option<OutboxEntry>> {
        let read = self.db.look("entry_of")?;
        let entry = views::of_message(read.tx(), message.as_uuid()).await;
        read.finish(entry).await
    }

    async fn entries(&self, limit: u32) -> StorageResult<Vec<OutboxEntry>> {
        let read = self.db.look("entries")?;
        let entries = views::entries(read.tx(), limit).await;
        read.finish(entries).await
    }

    async fn counts(&self) -> StorageResult<OutboxCounts> {
        let read = self.db.look("counts")?;
        let counts = views::counts(read.tx()).await;
        read.finish(counts).await
    }
}
