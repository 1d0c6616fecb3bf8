import FieldpostFFI

extension FieldpostError {
    /// What happened, for programs.
    public var kind: ErrorKind {
        switch self {
        case .Failed(let kind, _, _): kind
        }
    }

    /// Whether and when the same call can succeed.
    public var retry: RetryAdvice {
        switch self {
        case .Failed(_, let retry, _): retry
        }
    }

    /// What happened, for people, in English. It has no content and no token.
    public var reason: String {
        switch self {
        case .Failed(_, _, let reason): reason
        }
    }
}

extension Failure {
    /// What a view shows of an error that a call has thrown.
    public init(_ error: any Error) {
        if let error = error as? FieldpostError {
            self.init(kind: error.kind, retry: error.retry, reason: error.reason)
        } else {
            self.init(kind: .internal, retry: .never, reason: "\(type(of: error))")
        }
    }
}
