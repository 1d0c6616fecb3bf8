import Fieldpost
import XCTest

final class ListsTests: XCTestCase {
    func testEachChangeDoesToAListWhatItSays() {
        var days = [TimelineItem.day(day: "old")]

        days.apply([
            TimelineDiff.reset(values: [.day(day: "b")]),
            .pushFront(value: .day(day: "a")),
            .append(values: [.day(day: "c"), .day(day: "e")]),
            .insert(index: 3, value: .day(day: "d")),
            .set(index: 0, value: .start),
            .pushBack(value: .unread),
        ])
        XCTAssertEqual(days, [.start, .day(day: "b"), .day(day: "c"), .day(day: "d"), .day(day: "e"), .unread])

        days.apply([TimelineDiff.remove(index: 1), .popFront, .popBack, .truncate(length: 1)])
        XCTAssertEqual(days, [.day(day: "c")])

        days.apply([TimelineDiff.clear])
        XCTAssertEqual(days, [])
    }

    func testItemsOfATimelineKeepTheirIds() {
        let loading = TimelineItem.gap(from: 3, to: 7, loading: true)
        let waiting = TimelineItem.gap(from: 3, to: 7, loading: false)

        XCTAssertEqual(loading.id, waiting.id)
        // It is filled from its end.
        XCTAssertEqual(loading.id, TimelineItem.gap(from: 3, to: 5, loading: false).id)
        XCTAssertNotEqual(TimelineItem.day(day: "2026-01-30").id, TimelineItem.day(day: "2026-01-31").id)
    }
}
