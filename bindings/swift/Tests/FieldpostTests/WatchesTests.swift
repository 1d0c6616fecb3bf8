import XCTest

@testable import Fieldpost

final class WatchesTests: XCTestCase {
    private let failure = Failure(kind: .storage, retry: .never, reason: "the file cannot be read")

    // MARK: what waits for a reader

    func testOfStatesTheNewestWaits() {
        let backlog = Backlog<UInt32>(newest)
        backlog.add(1)
        backlog.add(2)

        XCTAssertEqual(backlog.next(), .update(2))
        XCTAssertNil(backlog.next())
    }

    func testOfEventsAllWaitInTheirOrder() {
        let backlog = Backlog<UInt32>(each)
        for number in 1...3 as ClosedRange<UInt32> {
            backlog.add(number)
        }

        XCTAssertEqual((1...4).map { _ in backlog.next() }, [.update(1), .update(2), .update(3), nil])
    }

    func testChangesOfAListThatWaitAreOneUpdate() {
        let backlog = Backlog<TimelineUpdate>(changes(\.diffs))
        let before = Ends(older: .here, newer: .end)
        let after = Ends(older: .end, newer: .end)
        backlog.add(TimelineUpdate(diffs: [.reset(values: [.start])], ends: before))
        backlog.add(TimelineUpdate(diffs: [.pushBack(value: .unread)], ends: after))

        let joined = TimelineUpdate(diffs: [.reset(values: [.start]), .pushBack(value: .unread)], ends: after)
        XCTAssertEqual(backlog.next(), .update(joined))
        XCTAssertNil(backlog.next())
    }

    func testAReaderThatIsFarBehindGetsTheListAsItIs() {
        let backlog = Backlog<[TimelineDiff]>(changes(\.self, atMost: 10))
        var truth: [TimelineItem] = []
        var read: [TimelineItem] = []
        let add = { (diff: TimelineDiff) in
            truth.apply([diff])
            backlog.add([diff])
        }
        add(.reset(values: [.start]))
        read.apply(updates(backlog))

        for number in 0..<10 {
            add(.pushBack(value: .day(day: "\(number)")))
        }
        let atTheLimit = updates(backlog)
        XCTAssertEqual(atTheLimit.count, 10)
        read.apply(atTheLimit)
        XCTAssertEqual(read, truth)

        for number in 0..<11 {
            add(.insert(index: 1, value: .day(day: "new \(number)")))
        }
        let behind = updates(backlog)
        XCTAssertEqual(behind, [.reset(values: truth)])
        read.apply(behind)
        XCTAssertEqual(read, truth)
    }

    func testAFailureComesAfterTheUpdatesBeforeIt() {
        let backlog = Backlog<UInt32>(newest)
        backlog.add(1)
        backlog.add(failure)

        XCTAssertEqual((1...3).map { _ in backlog.next() }, [.update(1), .failure(failure), nil])
    }

    func testAnUpdateBringsWhatAFailureHasMissed() {
        let backlog = Backlog<UInt32>(newest)
        backlog.add(failure)
        backlog.add(1)

        XCTAssertEqual((1...2).map { _ in backlog.next() }, [.update(1), nil])
    }

    // MARK: how a stream ends

    func testAStreamGivesWhatCameBeforeItsEnd() async throws {
        let feed = Feed<UInt32>(each)
        try feed.listener.onUpdate(update: 1)
        try feed.listener.onError(failure: failure)
        try feed.listener.onEnd()

        var read: [Watched<UInt32>] = []
        for await event in feed.until({}) {
            read.append(event)
        }

        XCTAssertEqual(read, [.update(1), .failure(failure)])
    }

    func testAReaderThatWaitsIsWoken() async throws {
        let feed = Feed<UInt32>(each)
        let listener = feed.listener
        let read = Shared<[Watched<UInt32>]>([])
        let stream = feed.until {}
        let reader = Task {
            for await event in stream {
                read.change { $0.append(event) }
            }
        }
        for number in 1...100 as ClosedRange<UInt32> {
            try listener.onUpdate(update: number)
            await until("\(number) is read") { read.value.last == .update(number) }
        }

        try listener.onEnd()
        await reader.value
        XCTAssertEqual(read.value.count, 100)
    }

    func testAReaderThatComesLateGetsAllThatWaits() async throws {
        let feed = Feed<UInt32>(each)
        for number in 1...3 as ClosedRange<UInt32> {
            try feed.listener.onUpdate(update: number)
        }
        var events = feed.until({}).makeAsyncIterator()

        for number in 1...3 as ClosedRange<UInt32> {
            let event = await events.next()
            XCTAssertEqual(event, .update(number))
        }
    }

    func testACancelledReaderCancelsTheWatch() async {
        let cancelled = Shared(false)
        let stream = Feed<UInt32>(newest).until { cancelled.change { $0 = true } }
        let reader = Task {
            for await _ in stream {}
        }

        reader.cancel()
        await reader.value

        XCTAssertTrue(cancelled.value)
    }

    func testAReaderThatWasCancelledBeforeReadsNothing() async throws {
        let cancelled = Shared(false)
        let stream: AsyncStream<Watched<UInt32>>
        do {
            let feed = Feed<UInt32>(newest)
            try feed.listener.onUpdate(update: 1)
            stream = feed.until { cancelled.change { $0 = true } }
        }
        let reader = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            var count = 0
            for await _ in stream {
                count += 1
            }
            return count
        }

        let count = await reader.value
        XCTAssertEqual(count, 0)
        XCTAssertTrue(cancelled.value)
    }

    func testAStreamThatNobodyReadsCancelsTheWatch() {
        let cancelled = Shared(false)
        var stream: AsyncStream<Watched<UInt32>>? = Feed<UInt32>(newest).until { cancelled.change { $0 = true } }
        XCTAssertNotNil(stream)
        XCTAssertFalse(cancelled.value)

        stream = nil

        XCTAssertTrue(cancelled.value)
    }

    func testAListenerGoesWithItsStream() throws {
        weak var listener: Listener<UInt32>?
        do {
            let feed = Feed<UInt32>(newest)
            listener = feed.listener
            let stream = feed.until { [listener = feed.listener] in _ = listener }
            XCTAssertNotNil(listener)
            _ = stream
        }
        XCTAssertNil(listener)
    }

    // MARK: with the library

    func testEachWatchBeginsWithWhatIsThereAndEndsWithTheClient() async throws {
        let (client, direct) = try await loaded(self, clinical: true)
        let ended = Shared<[String]>([])
        func follow<Value>(_ name: String, _ stream: AsyncStream<Watched<Value>>, begins: Bool = true) async -> Task<Void, Never> {
            var events = stream.makeAsyncIterator()
            if begins {
                guard case .update = await events.next() else {
                    XCTFail("\(name) does not begin with an update")
                    return Task {}
                }
            }
            return Task {
                for await _ in stream {}
                ended.change { $0.append(name) }
            }
        }
        let readers = [
            await follow("conversations", try await client.watchConversations()),
            await follow("thread", try await client.watchThread(direct)),
            await follow("timeline", try await client.openTimeline(direct).updates),
            // Nothing waits and nobody writes, so there is nothing to begin with.
            await follow("outbox", try client.watchOutbox(), begins: false),
            await follow("badge", try client.watchUnreadForBadge()),
            await follow("unread", try client.watchTotalUnread()),
            await follow("status", try client.watchStatus()),
            await follow("context", try client.watchContext()),
            await follow("records", try await client.watchRecords(RecordQuery(table: "workers"))),
            await follow("counts of records", try client.watchRecordCounts()),
            await follow("typing", try client.watchTyping(direct), begins: false),
        ]

        try await client.shutdown()
        for reader in readers {
            await reader.value
        }
        XCTAssertEqual(ended.value.count, readers.count)
    }

    func testAReaderThatComesLateSeesTheSameListInOneUpdate() async throws {
        let (client, direct) = try await loaded(self)
        var events = try await client.watchThread(direct).makeAsyncIterator()
        var shown: [ThreadMessage] = []
        guard case .update(let first) = await events.next() else { return XCTFail("no update") }
        shown.apply(first.diffs)

        // Another watch tells when all has been told.
        var others = try await client.watchThread(direct).makeAsyncIterator()
        var truth: [ThreadMessage] = []
        for number in 1...40 {
            _ = try await client.send(conversation: direct, text: "\(number)")
        }
        while truth.last?.text != "40" {
            guard case .update(let update) = await others.next() else { return XCTFail("no update") }
            truth.apply(update.diffs)
        }

        var updates = 0
        while shown.last?.text != "40" {
            guard case .update(let update) = await events.next() else { return XCTFail("no update") }
            shown.apply(update.diffs)
            updates += 1
        }
        XCTAssertEqual(shown, truth)
        XCTAssertLessThanOrEqual(updates, 2)
    }

    func testAReaderThatComesLateGetsTheNewestStateAndAllEvents() async throws {
        let (client, direct) = try await loaded(self)
        var states = try client.watchStatus().makeAsyncIterator()
        var events = try client.watchOutbox().makeAsyncIterator()
        var others = try client.watchStatus().makeAsyncIterator()
        for number in 1...3 {
            _ = try await client.send(conversation: direct, text: "\(number)")
        }
        // Another watch tells when all has been told.
        while case .update(let status) = await others.next(), status.pending < 3 {}
        try await listened(client)

        guard case .update(let status) = await states.next() else { return XCTFail("no update") }
        XCTAssertEqual(status.pending, 3)
        for number in 1...3 {
            guard case .update(.waits(let entry)) = await events.next() else { return XCTFail("no event") }
            XCTAssertEqual(entry.text, "\(number)")
        }
    }

    func testTheBadgeLeavesOutWhatIsMuted() async throws {
        let (admin, _) = try await loaded(self, as: "admin@fieldpost.test")
        let (client, direct) = try await loaded(self)
        _ = try await client.mute(conversation: direct)
        _ = try await admin.send(conversation: direct, text: "from the admin")
        _ = try await admin.sync()
        _ = try await client.sync()
        let (total, badge) = (try await client.totalUnread(), try await client.unreadForBadge())
        XCTAssertGreaterThan(total, badge)

        var totals = try client.watchTotalUnread().makeAsyncIterator()
        var badges = try client.watchUnreadForBadge().makeAsyncIterator()

        let (first, second) = (await totals.next(), await badges.next())
        XCTAssertEqual(first, .update(total))
        XCTAssertEqual(second, .update(badge))
    }

    func testAWatchThatIsCancelledWhileItBeginsLeavesNoListener() async throws {
        let (client, direct) = try await loaded(self)
        let cancelled = (0..<100).map { number in
            Task {
                switch number % 3 {
                case 0:
                    for await _ in try await client.watchThread(direct) {}
                case 1:
                    for await _ in try await client.openTimeline(direct).updates {}
                default:
                    for await _ in try await client.watchConversations() {}
                }
            }
        }
        for task in cancelled {
            task.cancel()
        }
        for task in cancelled {
            try await task.value
        }

        // No watch is left that a change would wake.
        _ = try await client.send(conversation: direct, text: "hello")
        try await client.shutdown()
    }

    private func updates(_ backlog: Backlog<[TimelineDiff]>) -> [TimelineDiff] {
        guard case .update(let diffs) = backlog.next() else {
            XCTFail("nothing waits")
            return []
        }
        return diffs
    }
}
