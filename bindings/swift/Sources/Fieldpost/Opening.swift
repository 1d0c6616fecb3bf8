import FieldpostFFI

extension Client {
    /// Opens the file and builds the client, when the library is of this package's version. Needs no network.
    ///
    /// - Parameters:
    ///   - options: The file, the project, and what else an app wants otherwise.
    ///   - tokens: The tokens of a session that the app owns, for example ``AppTokens``.
    ///   - secrets: Where the tokens of Fieldpost's own session lie, for example ``KeychainSecretStore``.
    /// - Throws: ``VersionMismatch``, or a ``FieldpostError``.
    public static func open(
        _ options: ClientOptions,
        tokens: (any TokenProvider)? = nil,
        secrets: (any SecretStore)? = nil
    ) async throws -> Client {
        try LibraryVersion.check()
        return try await Client.open(options: options, tokens: tokens, secrets: secrets)
    }
}
