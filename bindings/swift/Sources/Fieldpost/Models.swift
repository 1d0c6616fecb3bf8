import FieldpostFFI
import Observation

/// The list of conversations, for a view: `.task { await model.run() }`.
@Observable @MainActor
public final class ConversationsModel {
    /// What the list shows, newest first.
    public private(set) var conversations: [ConversationSummary] = []
    /// Whether the first load of the file has come.
    public private(set) var loaded = false
    /// Why the last update could not be read; nil as soon as one comes.
    public private(set) var failure: Failure?

    private let client: Client
    private let query: ConversationQuery

    public init(client: Client, query: ConversationQuery = ConversationQuery()) {
        self.client = client
        self.query = query
    }

    /// Follows the list until the task is cancelled or the client is shut down.
    public func run() async {
        do {
            for await event in try await client.watchConversations(query) {
                take(event)
            }
        } catch {
            failure = Failure(error)
        }
    }

    private func take(_ event: Watched<[ConversationDiff]>) {
        switch event {
        case .update(let diffs):
            conversations.apply(diffs)
            loaded = true
            failure = nil
        case .failure(let failure):
            self.failure = failure
        }
    }
}

/// One conversation as a timeline, for a view: `.task { await model.run() }`.
@Observable @MainActor
public final class ThreadModel {
    /// What the timeline shows, oldest first.
    public private(set) var items: [TimelineItem] = []
    /// What there is beyond both ends.
    public private(set) var ends: Ends?
    /// Why the last update or call failed; nil as soon as one comes.
    public private(set) var failure: Failure?

    private let client: Client
    private let conversation: ConversationId
    private let options: TimelineOptions
    private var timeline: Timeline?

    public init(client: Client, conversation: ConversationId, options: TimelineOptions = TimelineOptions()) {
        self.client = client
        self.conversation = conversation
        self.options = options
    }

    /// Follows the timeline until the task is cancelled or the client is shut down.
    public func run() async {
        do {
            let open = try await client.openTimeline(conversation, options: options)
            timeline = open.timeline
            for await event in open.updates {
                take(event)
            }
            // Another run may have begun meanwhile.
            if timeline === open.timeline {
                timeline = nil
            }
        } catch {
            failure = Failure(error)
        }
    }

    /// Sends a text. It is kept on the device at once, and shows in the timeline. Returns whether it was kept.
    @discardableResult
    public func send(_ text: String) async -> Bool {
        await attempt { _ = try await self.client.send(conversation: self.conversation, text: text) }
    }

    /// Loads older messages; to be called when the first item comes into view.
    public func loadOlder() async {
        guard let timeline else { return }
        await attempt { _ = try await timeline.paginateBackwards() }
    }

    /// Sends a message again that the server has refused.
    public func retry(_ item: ItemId) async {
        guard let timeline else { return }
        await attempt { _ = try await timeline.retry(item: item) }
    }

    /// Marks the conversation as read up to a message.
    public func markRead(upTo seq: UInt64) async {
        await attempt { _ = try await self.client.markRead(conversation: self.conversation, upTo: seq) }
    }

    @discardableResult
    private func attempt(_ call: () async throws -> Void) async -> Bool {
        do {
            try await call()
            return true
        } catch {
            failure = Failure(error)
            return false
        }
    }

    private func take(_ event: Watched<TimelineUpdate>) {
        switch event {
        case .update(let update):
            items.apply(update.diffs)
            ends = update.ends
            failure = nil
        case .failure(let failure):
            self.failure = failure
        }
    }
}

/// How syncing goes, for a view: `.task { await model.run() }`.
@Observable @MainActor
public final class StatusModel {
    /// The status; nil before the first one has come.
    public private(set) var status: Status?

    private let client: Client

    public init(client: Client) {
        self.client = client
    }

    /// Follows the status until the task is cancelled or the client is shut down.
    public func run() async {
        guard let updates = try? client.watchStatus() else { return }
        for await case .update(let status) in updates {
            self.status = status
        }
    }
}

/// The number for a badge, for a view: `.task { await model.run() }`.
@Observable @MainActor
public final class UnreadModel {
    /// The number; nil before the first one has come.
    public private(set) var count: UInt32?

    private let client: Client

    public init(client: Client) {
        self.client = client
    }

    /// Follows the number until the task is cancelled or the client is shut down.
    public func run() async {
        guard let updates = try? client.watchUnreadForBadge() else { return }
        for await case .update(let count) in updates {
            self.count = count
        }
    }
}
