import FieldpostFFI

extension Client {
    /// Waits for the outcome of one's own message, as `delivered(message:)` does; nil if it is not on this device.
    ///
    /// Without a network that may take days. So this ends with its task, which `delivered(message:)` does not.
    ///
    /// - Throws: `CancellationError` when the task was cancelled, and a ``FieldpostError``.
    public func delivery(of message: MessageId) async throws -> Delivery? {
        // Begins before the look, so that nothing is missed between them.
        let events = try watchOutbox()
        if try await hasOutcome(message) {
            return try await delivered(message: message)
        }
        for await event in events {
            if event.concerns(message), try await hasOutcome(message) {
                return try await delivered(message: message)
            }
        }
        try Task.checkCancellation()
        // The client was shut down, and says so.
        return try await delivered(message: message)
    }

    /// Whether `delivered(message:)` returns at once.
    private func hasOutcome(_ message: MessageId) async throws -> Bool {
        do {
            let now = try await messageInfo(message: message).message
            return now.deleted || now.failure != nil || now.seq != nil
        } catch let error as FieldpostError where error.kind == .notFound {
            return true
        } catch let error as FieldpostError where error.kind == .paused {
            return false
        }
    }
}

extension Watched<OutboxEvent> {
    /// After a failure anything may have happened.
    fileprivate func concerns(_ message: MessageId) -> Bool {
        switch self {
        case .update(.waits(let entry)), .update(.changed(let entry)), .update(.left(let entry)):
            entry.messageId == message
        case .failure:
            true
        }
    }
}
