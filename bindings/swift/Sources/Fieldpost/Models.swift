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
    private let turns = Turns()

    public init(client: Client, query: ConversationQuery = ConversationQuery()) {
        self.client = client
        self.query = query
    }

    /// Follows the list until the task is cancelled or the client is shut down. A second run begins when the first one ends.
    public func run() async {
        await turns.take {
            await follow({ try await client.watchConversations(query) }, failed: { failure = $0 }, show: { diffs in
                conversations.apply(diffs)
                loaded = true
            })
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
    /// Why the last update could not be read; nil as soon as one comes.
    public private(set) var failure: Failure?
    /// Why the last call of this model has failed; nil as soon as one succeeds.
    public private(set) var callFailure: Failure?

    private let client: Client
    private let conversation: ConversationId
    private let options: TimelineOptions
    private var timeline: Timeline?
    private let turns = Turns()

    public init(client: Client, conversation: ConversationId, options: TimelineOptions = TimelineOptions()) {
        self.client = client
        self.conversation = conversation
        self.options = options
    }

    /// Follows the timeline until the task is cancelled or the client is shut down. A second run begins when the first one ends.
    public func run() async {
        await turns.take {
            await follow(open, failed: { failure = $0 }, show: { update in
                items.apply(update.diffs)
                ends = update.ends
            })
            timeline = nil
        }
    }

    /// Sends a text. It is kept on the device at once, and the timeline shows it: one that is not at its end goes there. Returns whether
    /// it was kept.
    @discardableResult
    public func send(_ text: String) async -> Bool {
        let kept = await attempt { _ = try await client.send(conversation: conversation, text: text) }
        if kept, let ends, ends.newer != .end {
            await go(to: .newest)
        }
        return kept
    }

    /// Loads older messages; to be called when the first item comes into view. Does nothing before the first update.
    public func loadOlder() async {
        await attempt { _ = try await timeline?.paginateBackwards() }
    }

    /// Loads newer messages; to be called when the last item comes into view, of a timeline that was not opened at its end.
    public func loadNewer() async {
        await attempt { _ = try await timeline?.paginateForwards() }
    }

    /// Loads what is missing in a gap; to be called when it comes into view.
    public func fillGap(_ item: ItemId) async {
        await attempt { _ = try await timeline?.fillGap(item: item) }
    }

    /// Shows another place of the conversation.
    public func go(to place: OpenAt) async {
        await attempt { try await timeline?.goTo(place: place) }
    }

    /// Sends a message again that the server has refused.
    public func retry(_ item: ItemId) async {
        await attempt { _ = try await timeline?.retry(item: item) }
    }

    /// Takes a message back that the server has refused, or that still waits.
    public func takeBack(_ item: ItemId) async {
        await attempt { _ = try await timeline?.takeBack(item: item) }
    }

    /// Marks the conversation as read up to a message.
    public func markRead(upTo seq: UInt64) async {
        await attempt { _ = try await client.markRead(conversation: conversation, upTo: seq) }
    }

    private func open() async throws -> AsyncStream<Watched<TimelineUpdate>> {
        let open = try await client.openTimeline(conversation, options: options)
        timeline = open.timeline
        return open.updates
    }

    @discardableResult
    private func attempt(_ call: () async throws -> Void) async -> Bool {
        do {
            try await call()
            callFailure = nil
            return true
        } catch {
            callFailure = Failure(error)
            return false
        }
    }
}

/// How syncing goes, for a view: `.task { await model.run() }`.
@Observable @MainActor
public final class StatusModel {
    /// The status; nil before the first one has come.
    public private(set) var status: Status?
    /// Why the last update could not be read; nil as soon as one comes.
    public private(set) var failure: Failure?

    private let client: Client

    public init(client: Client) {
        self.client = client
    }

    /// Follows the status until the task is cancelled or the client is shut down.
    public func run() async {
        await follow({ try client.watchStatus() }, failed: { failure = $0 }, show: { status = $0 })
    }
}

/// The number for a badge, for a view: `.task { await model.run() }`.
@Observable @MainActor
public final class UnreadModel {
    /// The number; nil before the first one has come.
    public private(set) var count: UInt32?
    /// Why the last update could not be read; nil as soon as one comes.
    public private(set) var failure: Failure?

    private let client: Client

    public init(client: Client) {
        self.client = client
    }

    /// Follows the number until the task is cancelled or the client is shut down.
    public func run() async {
        await follow({ try client.watchUnreadForBadge() }, failed: { failure = $0 }, show: { count = $0 })
    }
}

/// Follows a watch to its end.
@MainActor
private func follow<Value>(
    _ watch: () async throws -> AsyncStream<Watched<Value>>,
    failed: (Failure?) -> Void,
    show: (Value) -> Void
) async {
    do {
        for await event in try await watch() {
            switch event {
            case .update(let value):
                show(value)
                failed(nil)
            case .failure(let failure):
                failed(failure)
            }
        }
    } catch {
        failed(Failure(error))
    }
}

/// One run of a model at a time: the changes of two watches do not fit into one list.
@MainActor
private final class Turns {
    private var taken = false
    private var waiting: [AsyncStream<Void>.Continuation] = []

    /// Runs as soon as nobody else does. What is cancelled while it waits does not run.
    func take(_ run: () async -> Void) async {
        guard await isNext() else { return }
        await run()
        pass()
    }

    private func isNext() async -> Bool {
        guard taken else {
            taken = true
            return true
        }
        let (turn, next) = AsyncStream.makeStream(of: Void.self)
        waiting.append(next)
        for await _ in turn {
            return true
        }
        return false
    }

    private func pass() {
        while !waiting.isEmpty {
            // The one that comes first and has not been cancelled.
            if case .enqueued = waiting.removeFirst().yield() {
                return
            }
        }
        taken = false
    }
}
