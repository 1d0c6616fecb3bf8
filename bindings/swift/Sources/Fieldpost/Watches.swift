import FieldpostFFI

/// Watches, as streams.
///
/// The first element is what is there now, unless a watch says something else. A stream ends when its task is cancelled, when nobody has it any more, or when the client
/// is shut down. One reader reads a stream; watch again for another one.
///
/// A reader that is slower than the changes misses none of them: those that wait for it come as one update.
extension Client {
    /// The conversations that match, as changes of a list; `Array.apply` applies them.
    public func watchConversations(
        _ query: ConversationQuery = ConversationQuery()
    ) async throws -> AsyncStream<Watched<[ConversationDiff]>> {
        try await stream(changes(\.self)) { try await watchConversations(query: query, listener: $0) }
    }

    /// Part of a thread, as changes of a list.
    public func watchThread(
        _ conversation: ConversationId,
        window: FieldpostFFI.Window = FieldpostFFI.Window()
    ) async throws -> AsyncStream<Watched<ThreadUpdate>> {
        try await stream(changes(\.diffs)) {
            try await watchThread(conversation: conversation, window: window, listener: $0)
        }
    }

    /// A timeline with its updates.
    public func openTimeline(
        _ conversation: ConversationId,
        options: TimelineOptions = TimelineOptions()
    ) async throws -> OpenTimeline {
        let feed = Feed<TimelineUpdate>(changes(\.diffs))
        let timeline = try await self.timeline(conversation: conversation, options: options, listener: feed.listener)
        return OpenTimeline(timeline: timeline, updates: feed.until { timeline.cancel() })
    }

    /// What happens in the outbox. The first elements are what is in it already.
    public func watchOutbox() throws -> AsyncStream<Watched<OutboxEvent>> {
        try stream(each) { try watchOutbox(listener: $0) }
    }

    /// The number for a badge.
    public func watchUnreadForBadge() throws -> AsyncStream<Watched<UInt32>> {
        try stream(newest) { try watchUnreadForBadge(listener: $0) }
    }

    /// The number of all unread messages.
    public func watchTotalUnread() throws -> AsyncStream<Watched<UInt32>> {
        try stream(newest) { try watchTotalUnread(listener: $0) }
    }

    /// The status.
    public func watchStatus() throws -> AsyncStream<Watched<Status>> {
        try stream(newest) { try watchStatus(listener: $0) }
    }

    /// Who is writing in a conversation. The first element comes when somebody does. The app must have switched `typing` on.
    public func watchTyping(_ conversation: ConversationId) throws -> AsyncStream<Watched<[Person]>> {
        try stream(newest) { try watchTyping(conversation: conversation, listener: $0) }
    }

    /// The records that a query asks for, as changes of a list.
    public func watchRecords(_ query: RecordQuery) async throws -> AsyncStream<Watched<[RecordDiff]>> {
        try await stream(changes(\.self)) { try await watchRecords(query: query, listener: $0) }
    }

    /// How many records wait, have failed, or are in conflict.
    public func watchRecordCounts() throws -> AsyncStream<Watched<RecordCounts>> {
        try stream(newest) { try watchRecordCounts(listener: $0) }
    }

    /// Messages and records in one state.
    public func watchContext() throws -> AsyncStream<Watched<ContextState>> {
        try stream(newest) { try watchContext(listener: $0) }
    }

    private func stream<Value>(
        _ join: @escaping Backlog<Value>.Join,
        _ watch: (Listener<Value>) async throws -> Subscription
    ) async rethrows -> AsyncStream<Watched<Value>> {
        let feed = Feed(join)
        let subscription = try await watch(feed.listener)
        return feed.until { subscription.cancel() }
    }

    private func stream<Value>(
        _ join: @escaping Backlog<Value>.Join,
        _ watch: (Listener<Value>) throws -> Subscription
    ) rethrows -> AsyncStream<Watched<Value>> {
        let feed = Feed(join)
        let subscription = try watch(feed.listener)
        return feed.until { subscription.cancel() }
    }
}

/// A timeline: read its updates, the first of which is a reset, and move it.
public struct OpenTimeline: Sendable {
    /// Moves it: `paginateBackwards`, `goTo`, `fillGap`.
    public let timeline: Timeline
    /// Its changes. The timeline ends with them: keep reading as long as it is shown.
    public let updates: AsyncStream<Watched<TimelineUpdate>>
}
