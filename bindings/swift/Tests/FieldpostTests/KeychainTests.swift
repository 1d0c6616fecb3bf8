import Fieldpost
import XCTest

/// The Keychain needs an app that is signed: run these with a host app, on a device or a simulator.
final class KeychainTests: XCTestCase {
    private let service = "dev.fieldpost.tests"

    func testASecretIsKeptReplacedAndDeleted() async throws {
        let store = KeychainSecretStore(service: service)

        try await store.put(name: "session", secret: "one")
        try await store.put(name: "session", secret: "two")
        let kept = try await store.get(name: "session")
        XCTAssertEqual(kept, "two")

        try await store.remove(name: "session")
        try await store.remove(name: "session")
        let gone = try await store.get(name: "session")
        XCTAssertNil(gone)
    }

    func testTheKeyOfAFileIsMadeOnce() throws {
        let first = try DatabaseKey.load(service: service)
        let second = try DatabaseKey.load(service: service)

        XCTAssertEqual(first.count, 32)
        XCTAssertEqual(first, second)
    }
}
