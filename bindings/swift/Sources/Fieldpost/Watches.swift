import FieldpostFFI

/// Watches, as streams.
///
/// The first element is what is there now. A stream ends when its task is cancelled, when nobody has it any more, or when the client
/// is shut down. One reader reads a stream; watch again for another one.
extension Client {
    /// The conversations that match, as changes of a list; `Array.apply` applies them.
    public func watchConversations(
        _ query: ConversationQuery = ConversationQuery()
    ) async throws -> AsyncStream<Watched<[ConversationDiff]>> {
        let feed = Feed<[ConversationDiff]>()
        let subscription = try await watchConversations(query: query, listener: feed.listener)
        return feed.until { subscription.cancel() }
    }

    /// Part of a thread, as changes of a list.
    public func watchThread(
        _ conversation: ConversationId,
        window: FieldpostFFI.Window = FieldpostFFI.Window()
    ) async throws -> AsyncStream<Watched<ThreadUpdate>> {
        let feed = Feed<ThreadUpdate>()
        let subscription = try await watchThread(conversation: conversation, window: window, listener: feed.listener)
        return feed.until { subscription.cancel() }
    }

    /// A timeline with its updates.
    public func openTimeline(
        _ conversation: ConversationId,
        options: TimelineOptions = TimelineOptions()
    ) async throws -> OpenTimeline {
        let feed = Feed<TimelineUpdate>()
        let timeline = try await self.timeline(conversation: conversation, options: options, listener: feed.listener)
        return OpenTimeline(timeline: timeline, updates: feed.until { timeline.cancel() })
    }

    /// What happens in the outbox. The first elements are what is in it already.
    public func watchOutbox() throws -> AsyncStream<Watched<OutboxEvent>> {
        let feed = Feed<OutboxEvent>()
        let subscription = try watchOutbox(listener: feed.listener)
        return feed.until { subscription.cancel() }
    }

    /// The number for a badge.
    public func watchUnreadForBadge() throws -> AsyncStream<Watched<UInt32>> {
        let feed = Feed<UInt32>()
        let subscription = try watchUnreadForBadge(listener: feed.listener)
        return feed.until { subscription.cancel() }
    }

    /// The number of all unread messages.
    public func watchTotalUnread() throws -> AsyncStream<Watched<UInt32>> {
        let feed = Feed<UInt32>()
        let subscription = try watchTotalUnread(listener: feed.listener)
        return feed.until { subscription.cancel() }
    }

    /// The status.
    public func watchStatus() throws -> AsyncStream<Watched<Status>> {
        let feed = Feed<Status>()
        let subscription = try watchStatus(listener: feed.listener)
        return feed.until { subscription.cancel() }
    }

    /// Who is writing in a conversation.
    public func watchTyping(_ conversation: ConversationId) throws -> AsyncStream<Watched<[Person]>> {
        let feed = Feed<[Person]>()
        let subscription = try watchTyping(conversation: conversation, listener: feed.listener)
        return feed.until { subscription.cancel() }
    }

    /// The records that a query asks for, as changes of a list.
    public func watchRecords(_ query: RecordQuery) async throws -> AsyncStream<Watched<[RecordDiff]>> {
        let feed = Feed<[RecordDiff]>()
        let subscription = try await watchRecords(query: query, listener: feed.listener)
        return feed.until { subscription.cancel() }
    }

    /// How many records wait, have failed, or are in conflict.
    public func watchRecordCounts() throws -> AsyncStream<Watched<RecordCounts>> {
        let feed = Feed<RecordCounts>()
        let subscription = try watchRecordCounts(listener: feed.listener)
        return feed.until { subscription.cancel() }
    }

    /// Messages and records in one state.
    public func watchContext() throws -> AsyncStream<Watched<ContextState>> {
        let feed = Feed<ContextState>()
        let subscription = try watchContext(listener: feed.listener)
        return feed.until { subscription.cancel() }
    }
}

/// A timeline: read its updates, the first of which is a reset, and move it.
public struct OpenTimeline: Sendable {
    /// Moves it: `paginateBackwards`, `goTo`, `fillGap`.
    public let timeline: Timeline
    /// Its changes.
    public let updates: AsyncStream<Watched<TimelineUpdate>>
}
