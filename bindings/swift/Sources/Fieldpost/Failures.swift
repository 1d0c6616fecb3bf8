import FieldpostFFI
import Foundation

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

// `localizedDescription` is what an app shows of an error that it does not know.

extension FieldpostError: LocalizedError {
    public var errorDescription: String? { reason }
}

extension VersionMismatch: LocalizedError {
    public var errorDescription: String? { description }
}

extension SecretFailure: LocalizedError {
    public var errorDescription: String? {
        switch self {
        case .Unavailable(let reason), .Denied(let reason), .Other(let reason): reason
        }
    }
}

extension TokenError: LocalizedError {
    public var errorDescription: String? {
        switch self {
        case .SignedOut: "Nobody is signed in."
        case .Unavailable(let reason): reason
        }
    }
}

extension Failure {
    /// What a view shows of an error that a call has thrown. Of an error of the app there is no more than the name of its type.
    public init(_ error: any Error) {
        switch error {
        case let error as FieldpostError:
            self.init(kind: error.kind, retry: error.retry, reason: error.reason)
        case let error as SecretFailure:
            let kind: ErrorKind = if case .Denied = error { .secretsRefused } else { .secretsOutOfReach }
            self.init(kind: kind, retry: .never, reason: error.localizedDescription)
        case let error as VersionMismatch:
            self.init(kind: .internal, retry: .never, reason: error.description)
        default:
            self.init(kind: .internal, retry: .never, reason: "\(type(of: error))")
        }
    }
}
