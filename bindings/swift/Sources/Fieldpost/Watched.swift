import FieldpostFFI

/// What a watch tells.
public enum Watched<Value: Sendable>: Sendable {
    /// What is there now, or what has changed since the last update.
    case update(Value)
    /// Reading a change has failed. The watch goes on: the next update brings what was missed.
    case failure(Failure)
}

/// Passes on to a stream what the library tells a listener.
final class Listener<Value: Sendable>: Sendable {
    private let output: AsyncStream<Watched<Value>>.Continuation

    fileprivate init(_ output: AsyncStream<Watched<Value>>.Continuation) {
        self.output = output
    }

    func onUpdate(update: Value) throws {
        output.yield(.update(update))
    }

    func onError(failure: Failure) throws {
        output.yield(.failure(failure))
    }

    func onEnd() throws {
        output.finish()
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

/// A stream that is fed by a listener. It keeps all that nobody has read yet, because changes of a list build on one another.
struct Feed<Value: Sendable> {
    let listener: Listener<Value>
    private let stream: AsyncStream<Watched<Value>>
    private let output: AsyncStream<Watched<Value>>.Continuation

    init() {
        let (stream, output) = AsyncStream.makeStream(of: Watched<Value>.self)
        self.stream = stream
        self.output = output
        listener = Listener(output)
    }

    /// The stream. When its reader is cancelled, or nobody has it any more, the library stops as well.
    func until(_ cancel: @escaping @Sendable () -> Void) -> AsyncStream<Watched<Value>> {
        output.onTermination = { _ in cancel() }
        return stream
    }
}
