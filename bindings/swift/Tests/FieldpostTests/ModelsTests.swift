import Fieldpost
import XCTest

@MainActor
final class ModelsTests: XCTestCase {
    func testAListFollowsUntilItsViewGoes() async throws {
        let (client, direct) = try await loaded(self)
        let model = ConversationsModel(client: client)
        let run = Task { await model.run() }
        await until("the list is there") { model.loaded }
        let expected = try await client.conversations()
        XCTAssertEqual(model.conversations, expected)

        _ = try await client.pin(conversation: direct)
        await until("it is pinned") { model.conversations.first?.pinnedAt != nil }

        run.cancel()
        await run.value
        XCTAssertNil(model.failure)
        _ = try await client.unpin(conversation: direct)
    }

    func testTwoViewsOfOneModelShowNothingTwice() async throws {
        let (client, direct) = try await loaded(self)
        let model = ThreadModel(client: client, conversation: direct, options: TimelineOptions(openAt: .newest))
        let first = Task { await model.run() }
        let second = Task { await model.run() }
        await until("the thread is there") { model.ends != nil }
        // The second one would have begun by now.
        for _ in 0..<10 {
            try await listened(client)
        }

        await model.send("once")
        await until("it is shown") { texts(model).contains("once") }
        await model.send("after it")
        await until("the next is shown") { texts(model).contains("after it") }
        XCTAssertEqual(texts(model).suffix(2), ["once", "after it"])

        // The other view is still there.
        first.cancel()
        await first.value
        await model.send("for the other view")
        await until("the other view follows") { texts(model).last == "for the other view" }
        XCTAssertEqual(texts(model).suffix(3), ["once", "after it", "for the other view"])

        second.cancel()
        await second.value
    }

    func testAViewThatGoesBeforeItsTurnDoesNotHoldUpTheNext() async throws {
        let (client, direct) = try await loaded(self)
        let model = ThreadModel(client: client, conversation: direct, options: TimelineOptions(openAt: .newest))
        let first = Task { await model.run() }
        await until("the thread is there") { model.ends != nil }
        let second = Task { await model.run() }
        let third = Task { await model.run() }
        await Task.yield()

        second.cancel()
        await second.value
        first.cancel()
        await first.value
        await model.send("to the third")

        await until("the third follows") { texts(model).last == "to the third" }
        try await client.shutdown()
        await third.value
    }

    func testAModelRunsAgainWhenItsViewComesBack() async throws {
        let (client, direct) = try await loaded(self)
        let model = ThreadModel(client: client, conversation: direct, options: TimelineOptions(openAt: .newest))
        let first = Task { await model.run() }
        await until("the thread is there") { model.ends != nil }
        first.cancel()
        await first.value
        _ = try await client.send(conversation: direct, text: "meanwhile")

        let again = Task { await model.run() }

        await until("it is up to date") { texts(model).last == "meanwhile" }
        again.cancel()
        await again.value
    }

    func testAThreadLoadsWhatIsOlder() async throws {
        let (client, direct) = try await loaded(self)
        for number in 1...120 {
            _ = try await client.send(conversation: direct, text: "message \(number)")
        }
        // What waits is always shown.
        _ = try await client.sync()
        let options = TimelineOptions(openAt: .newest, page: 10)
        let model = ThreadModel(client: client, conversation: direct, options: options)
        let run = Task { await model.run() }
        await until("the end is there") { texts(model).last == "message 120" }
        XCTAssertFalse(texts(model).contains("message 5"))

        while !texts(model).contains("message 5") && model.callFailure == nil {
            await model.loadOlder()
        }

        XCTAssertNil(model.callFailure)
        XCTAssertEqual(Set(model.items.map(\.id)).count, model.items.count, "a view needs an id for each")
        run.cancel()
        await run.value
    }

    func testAMessageThatIsSentFromOlderOnesIsShown() async throws {
        let (client, direct) = try await loaded(self)
        for number in 1...30 {
            _ = try await client.send(conversation: direct, text: "message \(number)")
        }
        _ = try await client.sync()
        let older = try await client.messages(conversation: direct, window: Window(limit: 30)).messages[0]
        let options = TimelineOptions(openAt: .message(id: older.id), page: 10)
        let model = ThreadModel(client: client, conversation: direct, options: options)
        let run = Task { await model.run() }
        await until("the thread is there") { model.ends != nil }
        XCTAssertNotEqual(model.ends?.newer, .end)

        await model.send("from up here")

        await until("it is shown") { texts(model).last == "from up here" }
        run.cancel()
        await run.value
    }

    func testAThreadLoadsWhatIsNewer() async throws {
        let (client, direct) = try await loaded(self)
        for number in 1...60 {
            _ = try await client.send(conversation: direct, text: "message \(number)")
        }
        _ = try await client.sync()
        let older = try await client.messages(conversation: direct, window: Window(limit: 60)).messages[0]
        let options = TimelineOptions(openAt: .message(id: older.id), page: 10)
        let model = ThreadModel(client: client, conversation: direct, options: options)
        let run = Task { await model.run() }
        await until("the thread is there") { model.ends != nil }

        while model.ends?.newer != .end && model.callFailure == nil {
            await model.loadNewer()
        }

        XCTAssertNil(model.callFailure)
        await until("the end is shown") { texts(model).last == "message 60" }
        run.cancel()
        await run.value
    }

    func testWhatACallFailsWithStaysUntilOneSucceeds() async throws {
        let (client, direct) = try await loaded(self)
        let model = ThreadModel(client: client, conversation: direct, options: TimelineOptions(openAt: .newest))
        let run = Task { await model.run() }
        await until("the thread is there") { model.ends != nil }

        let kept = await model.send("")
        XCTAssertFalse(kept)
        XCTAssertEqual(model.callFailure?.kind, .invalidContent)

        // An update of the thread says nothing about the call.
        _ = try await client.send(conversation: direct, text: "of another screen")
        await until("the update is there") { texts(model).last == "of another screen" }
        XCTAssertEqual(model.callFailure?.kind, .invalidContent)

        await model.send("hello")
        XCTAssertNil(model.callFailure)
        run.cancel()
        await run.value
    }

    func testAModelOfAClosedClientSaysSo() async throws {
        let client = try await opened(self)
        try await client.shutdown()
        let conversations = ConversationsModel(client: client)
        let status = StatusModel(client: client)
        let unread = UnreadModel(client: client)

        await conversations.run()
        await status.run()
        await unread.run()

        XCTAssertEqual(conversations.failure?.kind, .closed)
        XCTAssertEqual(status.failure?.kind, .closed)
        XCTAssertEqual(unread.failure?.kind, .closed)
    }

    func testStatusAndBadgeFollow() async throws {
        let (client, direct) = try await loaded(self)
        let status = StatusModel(client: client)
        let unread = UnreadModel(client: client)
        let runs = [Task { await status.run() }, Task { await unread.run() }]
        await until("both are there") { status.status != nil && unread.count != nil }

        _ = try await client.send(conversation: direct, text: "hello")
        await until("it waits") { status.status?.pending == 1 }

        try await client.shutdown()
        for run in runs {
            await run.value
        }
    }

    private func texts(_ model: ThreadModel) -> [String] {
        model.items.compactMap { item in
            guard case .message(let message, _, _) = item else { return nil }
            return message.text
        }
    }
}
