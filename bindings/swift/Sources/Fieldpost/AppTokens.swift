import FieldpostFFI

/// The tokens of a session that the app owns, for example the one of supabase-swift.
///
/// ```swift
/// let tokens = AppTokens { refused in
///     do {
///         var session = try await supabase.auth.session
///         if session.accessToken == refused {
///             session = try await supabase.auth.refreshSession()
///         }
///         return SessionToken(personId: session.user.id.uuidString.lowercased(), accessToken: session.accessToken)
///     } catch AuthError.sessionMissing {
///         throw TokenError.SignedOut
///     }
/// }
/// ```
///
/// Fieldpost asks before every call, so answer from memory when possible. `refused` is a token that the server has just rejected: renew
/// the session then. An answer must come within `callbackLimit`.
public final class AppTokens: TokenProvider {
    private let answer: @Sendable (String?) async throws -> SessionToken

    /// - Parameter answer: Throws ``TokenError/SignedOut`` when nobody is signed in. Every other error means "not now", and nothing
    ///   of it but the name of its type goes to the log.
    public init(_ answer: @escaping @Sendable (_ refused: String?) async throws -> SessionToken) {
        self.answer = answer
    }

    public func token(refused: String?) async throws -> SessionToken {
        do {
            return try await answer(refused)
        } catch let error as TokenError {
            throw error
        } catch {
            throw TokenError.Unavailable(reason: "\(type(of: error))")
        }
    }
}
