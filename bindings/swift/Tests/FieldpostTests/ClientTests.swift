import Fieldpost
import XCTest

/// These need no server: everything works on the file.
final class ClientTests: XCTestCase {
    private var file = ""

    override func setUp() async throws {
        file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).db").path
    }

    override func tearDown() async throws {
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: file + suffix)
        }
    }

    private func opened() async throws -> Client {
        let options = ClientOptions(database: file, url: "http://127.0.0.1:9", anonKey: "key", allowHttp: true, live: false)
        return try await Client.open(options)
    }

    func testTheLibraryIsOfThisPackagesVersion() throws {
        XCTAssertEqual(LibraryVersion.ofLibrary(), LibraryVersion.package)
        try LibraryVersion.check()
    }

    func testAnIdOfAnotherKindIsATypedError() async throws {
        let client = try await opened()

        do {
            _ = try await client.send(conversation: "no id", text: "hello")
            XCTFail("a bad id was taken")
        } catch let error as FieldpostError {
            XCTAssertEqual(error.kind, .invalidArgument)
        }
        try await client.shutdown()
    }

    func testAWatchBeginsWithWhatIsThereAndEndsWithTheClient() async throws {
        let client = try await opened()
        var updates = try client.watchTotalUnread().makeAsyncIterator()

        guard case .update(let count) = await updates.next() else {
            return XCTFail("the first element is no update")
        }
        XCTAssertEqual(count, 0)

        try await client.shutdown()
        while await updates.next() != nil {}
    }

    func testACancelledReaderEndsTheWatch() async throws {
        let client = try await opened()
        let stream = try client.watchStatus()
        let reader = Task {
            for await _ in stream {}
        }

        reader.cancel()
        await reader.value
        try await client.shutdown()
    }

    func testAfterTheShutdownACallIsClosed() async throws {
        let client = try await opened()
        try await client.shutdown()

        do {
            _ = try await client.sync()
            XCTFail("a closed client syncs")
        } catch let error as FieldpostError {
            XCTAssertEqual(error.kind, .closed)
        }
    }

    func testWhatATokenProviderThrowsIsNoSignOut() async throws {
        struct NoNetwork: Error {}
        let tokens = AppTokens { _ in throw NoNetwork() }

        do {
            _ = try await tokens.token(refused: nil)
            XCTFail("there is a token")
        } catch let error as TokenError {
            XCTAssertEqual(error, .Unavailable(reason: "NoNetwork"))
        }
    }

    @MainActor
    func testAModelShowsTheListOfAnEmptyFile() async throws {
        let client = try await opened()
        let model = ConversationsModel(client: client)
        let run = Task { await model.run() }

        // The shutdown ends the watch, after its first update.
        while !model.loaded && model.failure == nil {
            await Task.yield()
        }
        try await client.shutdown()
        await run.value
        XCTAssertEqual(model.conversations, [])
    }
}
