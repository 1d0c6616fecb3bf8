import Fieldpost
import XCTest

/// A client on a file of its own, which goes when the test is over.
func opened(
    _ test: XCTestCase,
    url: String = "http://127.0.0.1:9",
    anonKey: String = "key",
    tokens: (any TokenProvider)? = nil,
    secrets: (any SecretStore)? = nil,
    clinical: Bool = false
) async throws -> Client {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).db").path
    let options = ClientOptions(
        database: file, url: url, anonKey: anonKey, allowHttp: true, live: false, typing: true, clinical: clinical
    )
    let client = try await Client.open(options, tokens: tokens, secrets: secrets)
    test.addTeardownBlock {
        try await client.shutdown()
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: file + suffix)
        }
    }
    return client
}

/// A client that has loaded what the server of the tests has for Ada or somebody else, and a conversation.
///
/// `cargo xtask bindings test --only swift` starts one; elsewhere start `fieldpost serve` and set the two variables.
func loaded(
    _ test: XCTestCase,
    as email: String = "ada@fieldpost.test",
    clinical: Bool = false
) async throws -> (Client, ConversationId) {
    let environment = ProcessInfo.processInfo.environment
    guard let url = environment["FIELDPOST_URL"], let anonKey = environment["FIELDPOST_ANON_KEY"] else {
        throw XCTSkip("needs `fieldpost serve`, and FIELDPOST_URL and FIELDPOST_ANON_KEY of it")
    }
    let client = try await opened(test, url: url, anonKey: anonKey, clinical: clinical)
    _ = try await client.signIn(email: email, password: "fieldpost-demo")
    _ = try await client.sync()
    let conversations = try await client.conversations()
    let direct = try XCTUnwrap(conversations.first { $0.kind == .direct })
    return (client, direct.id)
}

/// One thread calls all listeners, in their order: what was on its way has been told when this returns.
func listened(_ client: Client) async throws {
    for await _ in try client.watchTotalUnread() { break }
}

/// Waits until something is so, which another task makes so.
@MainActor
func until(_ what: String, file: StaticString = #filePath, line: UInt = #line, _ holds: () -> Bool) async {
    let deadline = ContinuousClock.now + .seconds(20)
    while !holds() {
        guard ContinuousClock.now < deadline else {
            return XCTFail("it never came to that: \(what)", file: file, line: line)
        }
        await Task.yield()
    }
}

/// A value that tasks share.
final class Shared<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var kept: Value

    init(_ value: Value) {
        kept = value
    }

    var value: Value { lock.withLock { kept } }

    func change(_ change: (inout Value) -> Void) {
        lock.withLock { change(&kept) }
    }
}

/// The call fails with this error.
func XCTAssertThrows<Failure: Error & Equatable>(
    _ expected: Failure,
    file: StaticString = #filePath,
    line: UInt = #line,
    _ call: () async throws -> Void
) async {
    do {
        try await call()
        XCTFail("it throws nothing", file: file, line: line)
    } catch {
        XCTAssertEqual(error as? Failure, expected, "\(error)", file: file, line: line)
    }
}
