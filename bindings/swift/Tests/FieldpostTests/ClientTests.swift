import XCTest

@testable import Fieldpost

/// These need no server: everything works on the file.
final class ClientTests: XCTestCase {
    func testTheLibraryIsOfThisPackagesVersion() throws {
        XCTAssertEqual(LibraryVersion.ofLibrary(), LibraryVersion.package)
        try LibraryVersion.check()
    }

    func testALibraryOfAnotherVersionIsAnError() {
        XCTAssertThrowsError(try LibraryVersion.check(library: "0.0.1")) { error in
            XCTAssertEqual(error as? VersionMismatch, VersionMismatch(package: LibraryVersion.package, library: "0.0.1"))
        }
    }

    func testAnIdOfAnotherKindIsATypedError() async throws {
        let client = try await opened(self)

        do {
            _ = try await client.send(conversation: "no id", text: "hello")
            XCTFail("a bad id was taken")
        } catch let error as FieldpostError {
            XCTAssertEqual(error.kind, .invalidArgument)
        }
        try await client.shutdown()
    }

    func testAWatchBeginsWithWhatIsThereAndEndsWithTheClient() async throws {
        let client = try await opened(self)
        var updates = try client.watchTotalUnread().makeAsyncIterator()

        guard case .update(let count) = await updates.next() else {
            return XCTFail("the first element is no update")
        }
        XCTAssertEqual(count, 0)

        try await client.shutdown()
        while await updates.next() != nil {}
    }

    func testACancelledReaderEndsTheWatch() async throws {
        let client = try await opened(self)
        let stream = try client.watchStatus()
        let reader = Task {
            for await _ in stream {}
        }

        reader.cancel()
        await reader.value
        try await client.shutdown()
    }

    func testAfterTheShutdownACallIsClosed() async throws {
        let client = try await opened(self)
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
        let client = try await opened(self)
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
