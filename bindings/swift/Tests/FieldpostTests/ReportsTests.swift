import XCTest

@testable import Fieldpost

#if os(Linux)
import Glibc
#endif

/// Faults that others have reported of packages like this one: README.md has the table.
final class ReportsTests: XCTestCase {
    /// uniffi-rs 2771, matrix-rust-sdk 2324: what is cancelled is carried out all the same, and nothing is left behind.
    func testACancelledCallIsCarriedOut() async throws {
        let (client, direct) = try await loaded(self)
        let before = try await client.pending().pending
        let sends = (0..<50).map { number in
            Task { try await client.send(conversation: direct, text: "\(number)") }
        }
        for send in sends {
            send.cancel()
        }
        for send in sends {
            _ = try await send.value
        }

        let pending = try await client.pending().pending
        XCTAssertEqual(pending, before + 50)
    }

    /// uniffi-rs 2771: a call that waits for the server does not end with its task. `delivery(of:)` does.
    func testWaitingForADeliveryEndsWithItsTask() async throws {
        let (client, direct) = try await loaded(self)
        let sent = try await client.send(conversation: direct, text: "hello")
        let waiting = Task { try await client.delivery(of: sent.id) }
        try await begun(client)

        waiting.cancel()

        // powersync-swift 123: a cancel is no failure of the call.
        do {
            _ = try await waiting.value
            XCTFail("there is an outcome without a sync")
        } catch {
            XCTAssertTrue(error is CancellationError, "\(error)")
        }
    }

    /// Waiting has begun, and has been told what is in the outbox.
    private func begun(_ client: Client) async throws {
        for _ in 0..<10 {
            try await listened(client)
        }
    }

    func testADeliveryIsTold() async throws {
        let (client, direct) = try await loaded(self)
        let sent = try await client.send(conversation: direct, text: "hello")
        let waiting = Task { try await client.delivery(of: sent.id) }
        try await begun(client)

        _ = try await client.sync()

        guard case .sent = try await waiting.value else { return XCTFail("it was not sent") }
        guard case .sent = try await client.delivery(of: sent.id) else { return XCTFail("it is not sent any more") }
    }

    func testWaitingForADeliveryEndsWithItsTaskAlsoWhilePaused() async throws {
        let (client, direct) = try await loaded(self)
        let sent = try await client.send(conversation: direct, text: "hello")
        try await client.pause()
        let waiting = Task { try await client.delivery(of: sent.id) }
        for _ in 0..<50 {
            // The file is closed, and says so.
            _ = try? await client.pending()
        }

        waiting.cancel()

        do {
            _ = try await waiting.value
            XCTFail("there is an outcome without a sync")
        } catch {
            XCTAssertTrue(error is CancellationError, "\(error)")
        }
        try await client.resume()
    }

    func testADeliveryOfWhatWasTakenBackIsTold() async throws {
        let (client, direct) = try await loaded(self)
        let sent = try await client.send(conversation: direct, text: "hello")
        let waiting = Task { try await client.delivery(of: sent.id) }
        try await begun(client)

        _ = try await client.cancel(entry: .message(id: sent.id))

        switch try await waiting.value {
        case .gone, nil: break
        case let other?: XCTFail("\(other)")
        }
    }

    func testADeliveryThatIsWaitedForEndsWithTheClient() async throws {
        let (client, direct) = try await loaded(self)
        let sent = try await client.send(conversation: direct, text: "hello")
        let waiting = Task { try await client.delivery(of: sent.id) }
        try await begun(client)

        try await client.shutdown()

        do {
            _ = try await waiting.value
            XCTFail("a closed client has an outcome")
        } catch let error as FieldpostError {
            XCTAssertEqual(error.kind, .closed)
        }
    }

    /// uniffi-rs 2356: what an app shows of an error is not the source of a value.
    func testErrorsSayTheirReason() {
        let failed = FieldpostError.Failed(kind: .offline, retry: .whenOnline, reason: "no network")
        let mismatch = VersionMismatch(package: "1", library: "2")

        XCTAssertEqual((failed as any Error).localizedDescription, "no network")
        XCTAssertEqual((mismatch as any Error).localizedDescription, mismatch.description)
        XCTAssertEqual((SecretFailure.Denied(reason: "no") as any Error).localizedDescription, "no")
        XCTAssertEqual((TokenError.SignedOut as any Error).localizedDescription, "Nobody is signed in.")
        XCTAssertEqual((TokenError.Unavailable(reason: "later") as any Error).localizedDescription, "later")
    }

    func testAViewIsToldOfEachError() {
        struct OfTheApp: Error {}
        let failed = FieldpostError.Failed(kind: .offline, retry: .whenOnline, reason: "no network")

        XCTAssertEqual(Failure(failed), Failure(kind: .offline, retry: .whenOnline, reason: "no network"))
        XCTAssertEqual(Failure(SecretFailure.Denied(reason: "no")).kind, .secretsRefused)
        XCTAssertEqual(Failure(SecretFailure.Unavailable(reason: "locked")).kind, .secretsOutOfReach)
        XCTAssertEqual(Failure(SecretFailure.Unavailable(reason: "locked")).reason, "locked")
        XCTAssertTrue(Failure(VersionMismatch(package: "1", library: "2")).reason.contains("is 1"))
        XCTAssertEqual(Failure(OfTheApp()).reason, "OfTheApp")
    }

    /// uniffi-rs 2416: a bad id stops the process.
    func testABadIdIsATypedErrorEverywhere() async throws {
        let client = try await opened(self)
        for call in [
            { _ = try await client.send(conversation: "no id", text: "hello") },
            { _ = try await client.watchThread("no id") },
            { _ = try await client.openTimeline("no id") },
            { _ = try client.watchTyping("no id") },
            { _ = try await client.delivery(of: "no id") },
        ] as [@Sendable () async throws -> Void] {
            do {
                try await call()
                XCTFail("a bad id was taken")
            } catch let error as FieldpostError {
                XCTAssertEqual(error.kind, .invalidArgument)
            }
        }
    }

    /// relay 1266: streams whose readers are gone keep all that comes.
    func testAStreamThatNobodyReadsDoesNotGrow() async throws {
        let backlog = Backlog<[TimelineDiff]>(changes(\.self))
        for number in 0..<10_000 {
            backlog.add([.reset(values: [.day(day: "\(number)")])])
        }

        guard case .update(let diffs) = backlog.next() else { return XCTFail("nothing waits") }
        XCTAssertLessThanOrEqual(diffs.count, 257)
    }

    /// supabase-swift 1154: a cancel and an update at the same time stop both for ever.
    func testReadersAreCancelledWhileUpdatesCome() async throws {
        for _ in 0..<500 {
            let feed = Feed<UInt32>(newest)
            let listener = feed.listener
            let stream = feed.until {}
            let reader = Task {
                for await _ in stream {}
            }
            let updates = Task.detached {
                for number in 0..<20 as Range<UInt32> {
                    try listener.onUpdate(update: number)
                }
            }
            let end = Task.detached { try listener.onEnd() }
            reader.cancel()
            await reader.value
            try await updates.value
            try await end.value
        }
    }

    /// supabase-swift 1187: a client that nobody has any more stays, because its own tasks hold it.
    @MainActor
    func testAClientGoesWithItsLastOwner() async throws {
        weak var gone: Client?
        do {
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).db").path
            let client = try await Client.open(ClientOptions(database: file, url: "http://127.0.0.1:9", anonKey: "key", allowHttp: true))
            gone = client
            let model = StatusModel(client: client)
            let run = Task { await model.run() }
            await until("the status is there") { model.status != nil }
            run.cancel()
            await run.value
            _ = try client.watchStatus()
        }
        await until("it is gone") { gone == nil }
    }

    /// uniffi-rs 1697: an answer that comes too late, or never, keeps its task.
    func testAProviderThatNeverAnswersIsCancelled() async throws {
        let cancelled = Shared(false)
        let tokens = AppTokens { _ in
            do {
                try await Task.sleep(for: .seconds(600))
            } catch {
                cancelled.change { $0 = true }
                throw error
            }
            throw TokenError.SignedOut
        }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).db").path
        let options = ClientOptions(
            database: file, url: "http://127.0.0.1:9", anonKey: "key", allowHttp: true, live: false, callbackLimit: 0.05
        )
        let client = try await Client.open(options, tokens: tokens)

        do {
            _ = try await client.sync()
            XCTFail("it syncs without a token")
        } catch is FieldpostError {}

        await until("its task is cancelled") { cancelled.value }
        await until("nothing of it is left") { uniffiForeignFutureHandleCountFieldpostFfi() == 0 }
        try await client.shutdown()
    }

    /// Swift 6 checks at run time that what belongs to the main actor runs there: nothing of the app is called from elsewhere.
    @MainActor
    func testAProviderThatIsMadeOnTheMainActorIsCalledFromTheLibrary() async throws {
        let asked = Shared(0)
        let tokens = AppTokens { _ in
            asked.change { $0 += 1 }
            return await MainActor.run { SessionToken(personId: "no id", accessToken: "token") }
        }
        let client = try await opened(self, tokens: tokens)

        _ = try? await client.sync()

        XCTAssertGreaterThan(asked.value, 0)
    }

    /// powersync-swift 123: what is thrown at a cancel is wrapped into an error of the library.
    func testAnAnswerOfTheAppThatWasCancelledIsNoSignOut() async throws {
        let tokens = AppTokens { _ in throw CancellationError() }

        await XCTAssertThrows(TokenError.Unavailable(reason: "CancellationError")) {
            _ = try await tokens.token(refused: nil)
        }
    }

    func testASignOutOfTheAppIsOne() async throws {
        let tokens = AppTokens { _ in throw TokenError.SignedOut }

        await XCTAssertThrows(TokenError.SignedOut) {
            _ = try await tokens.token(refused: nil)
        }
    }

    #if os(Linux)
    /// uniffi-rs 2758: each asynchronous call leaks (256 bytes of the future, in 0.30).
    func testCallsLeakNothing() async throws {
        let client = try await opened(self)
        func calls(_ count: Int) async throws {
            for _ in 0..<count {
                _ = try await client.totalUnread()
            }
        }
        try await calls(2_000)
        let before = residentBytes()
        try await calls(20_000)
        XCTAssertLessThan(residentBytes() - before, 20_000 * 128)
    }

    func testSubscriptionsLeakNothing() async throws {
        let (client, direct) = try await loaded(self)
        func subscriptions(_ count: Int) async throws {
            for _ in 0..<count {
                for await _ in try client.watchStatus() { break }
                for await _ in try await client.watchThread(direct) { break }
                for await _ in try await client.openTimeline(direct).updates { break }
            }
        }
        try await subscriptions(100)
        let (bytes, threads) = (residentBytes(), threadCount())
        try await subscriptions(400)
        XCTAssertLessThan(residentBytes() - bytes, 400 * 4_096)
        XCTAssertLessThanOrEqual(threadCount(), threads + 2)
    }

    private func threadCount() -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count) ?? 0
    }

    private func residentBytes() -> Int {
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")[1]
        return (pages.flatMap { Int($0) } ?? 0) * sysconf(Int32(_SC_PAGESIZE))
    }
    #endif
}
