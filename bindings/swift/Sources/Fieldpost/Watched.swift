import FieldpostFFI
import Foundation

/// What a watch tells.
public enum Watched<Value: Sendable>: Sendable {
    /// What is there now, or what has changed since the last update.
    case update(Value)
    /// Reading a change has failed. The watch goes on: the next update brings what was missed.
    case failure(Failure)
}

extension Watched: Equatable where Value: Equatable {}

/// What a watch has told and nobody has read yet.
///
/// The library calls all listeners from one thread, so none of them can wait for a reader. Updates that nobody reads are joined instead,
/// and a reader that comes late catches up in one step.
final class Backlog<Value: Sendable>: @unchecked Sendable {
    /// Puts an update behind those that wait.
    typealias Join = (_ waiting: inout [Value], _ update: Value) -> Void

    // What follows is touched with the lock alone. Nothing is called in it that may lock something else.
    private let lock = NSLock()
    private let join: Join
    private var updates: [Value] = []
    private var failure: Failure?

    init(_ join: @escaping Join) {
        self.join = join
    }

    /// An update brings what an earlier failure has missed.
    func add(_ update: Value) {
        lock.withLock {
            join(&updates, update)
            failure = nil
        }
    }

    func add(_ failure: Failure) {
        lock.withLock { self.failure = failure }
    }

    /// The next one to read.
    func next() -> Watched<Value>? {
        lock.withLock {
            if !updates.isEmpty {
                return .update(updates.removeFirst())
            }
            defer { failure = nil }
            return failure.map { .failure($0) }
        }
    }
}

/// A state: only the newest counts.
func newest<Value>(_ waiting: inout [Value], _ update: Value) {
    waiting = [update]
}

/// Events: each counts.
func each<Value>(_ waiting: inout [Value], _ update: Value) {
    waiting.append(update)
}

/// Changes of a list: they become one update, and those of a reader that is too far behind become the list as it is.
func changes<Value, Diff: ListDiff>(
    _ diffs: WritableKeyPath<Value, [Diff]>,
    atMost limit: Int = 256
) -> (_ waiting: inout [Value], _ update: Value) -> Void {
    var list: [Diff.Item] = []
    return { waiting, update in
        list.apply(update[keyPath: diffs])
        guard let earlier = waiting.first else {
            waiting = [update]
            return
        }
        // What an update says beside the list is of its time: the newest counts.
        var joined = update
        joined[keyPath: diffs] = earlier[keyPath: diffs] + update[keyPath: diffs]
        if joined[keyPath: diffs].count > limit {
            joined[keyPath: diffs] = [.reset(values: list)]
        }
        waiting = [joined]
    }
}

/// Passes on to a stream what the library tells a listener.
final class Listener<Value: Sendable>: Sendable {
    private let backlog: Backlog<Value>
    /// Says that there is something to read.
    private let signal: AsyncStream<Void>.Continuation

    fileprivate init(_ backlog: Backlog<Value>, _ signal: AsyncStream<Void>.Continuation) {
        self.backlog = backlog
        self.signal = signal
    }

    func onUpdate(update: Value) throws {
        backlog.add(update)
        signal.yield()
    }

    func onError(failure: Failure) throws {
        backlog.add(failure)
        signal.yield()
    }

    func onEnd() throws {
        signal.finish()
    }
}

extension Listener: ConversationsListener where Value == [ConversationDiff] {}
extension Listener: ThreadListener where Value == ThreadUpdate {}
extension Listener: TimelineListener where Value == TimelineUpdate {}
extension Listener: OutboxListener where Value == OutboxEvent {}
extension Listener: CountListener where Value == UInt32 {}
extension Listener: StatusListener where Value == Status {}
extension Listener: TypingListener where Value == [Person] {}
extension Listener: RecordsListener where Value == [RecordDiff] {}
extension Listener: RecordCountsListener where Value == RecordCounts {}
extension Listener: ContextListener where Value == ContextState {}

/// A stream that is fed by a listener.
struct Feed<Value: Sendable> {
    let listener: Listener<Value>
    private let backlog: Backlog<Value>
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    init(_ join: @escaping Backlog<Value>.Join) {
        backlog = Backlog(join)
        (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        listener = Listener(backlog, signal)
    }

    /// The stream. When its reader is cancelled, or nobody has it any more, the library stops as well.
    func until(_ cancel: @escaping @Sendable () -> Void) -> AsyncStream<Watched<Value>> {
        signal.onTermination = { @Sendable _ in cancel() }
        // The stream alone has the signals from here on: they end with it.
        return AsyncStream { [backlog, signals] in
            if let event = backlog.next() {
                return event
            }
            for await _ in signals {
                if let event = backlog.next() {
                    return event
                }
            }
            return nil
        }
    }
}
