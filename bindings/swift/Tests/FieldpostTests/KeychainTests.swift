import Foundation
import XCTest

@testable import Fieldpost

/// What the layer makes of the answers of a keychain.
final class KeychainTests: XCTestCase {
    private let keychain = KeychainOnPaper()

    private func items(accessGroup: String? = nil) -> KeychainItems {
        KeychainItems(keychain: keychain, service: "dev.fieldpost.tests", accessGroup: accessGroup)
    }

    func testASecretIsKeptReplacedAndDeleted() async throws {
        let store = KeychainSecretStore(items())

        try await store.put(name: "session", secret: "one")
        try await store.put(name: "session", secret: "two")
        let kept = try await store.get(name: "session")
        XCTAssertEqual(kept, "two")

        try await store.remove(name: "session")
        try await store.remove(name: "session")
        let gone = try await store.get(name: "session")
        XCTAssertNil(gone)
    }

    func testASecretThatAnExtensionHasJustAddedIsReplaced() async throws {
        let store = KeychainSecretStore(items())
        keychain.meanwhile { [items = items()] in try items.write("session", Data("of the extension".utf8)) }

        try await store.put(name: "session", secret: "of the app")

        let kept = try await store.get(name: "session")
        XCTAssertEqual(kept, "of the app")
    }

    func testASecretThatIsNoTextIsAFailure() async throws {
        try items().write("session", Data([0xff, 0xfe]))

        await XCTAssertThrows(SecretFailure.Other(reason: "the item is no text")) {
            _ = try await KeychainSecretStore(self.items()).get(name: "session")
        }
    }

    func testTheKeyOfAFileIsMadeOnce() throws {
        let first = try DatabaseKey.load(items(), name: "database")
        let second = try DatabaseKey.load(items(), name: "database")
        let other = try DatabaseKey.load(items(), name: "other")

        XCTAssertEqual(first.count, 32)
        XCTAssertEqual(first, second)
        XCTAssertNotEqual(first, other)
    }

    /// With the key that lost, one of the two could not open the file any more.
    func testAppAndExtensionThatMakeAKeyAtOnceGetTheSame() throws {
        var ofTheExtension: Data?
        keychain.meanwhile { [items = items()] in
            ofTheExtension = try DatabaseKey.load(items, name: "database")
        }

        let ofTheApp = try DatabaseKey.load(items(), name: "database")

        XCTAssertNotNil(ofTheExtension)
        XCTAssertEqual(ofTheApp, ofTheExtension)
        XCTAssertEqual(try DatabaseKey.load(items(), name: "database"), ofTheExtension)
    }

    func testALockedDeviceMakesNoOtherKey() throws {
        let key = try DatabaseKey.load(items(), name: "database")
        keychain.answers(KeychainStatus.interactionNotAllowed)

        XCTAssertThrowsError(try DatabaseKey.load(items(), name: "database")) { error in
            XCTAssertEqual(error as? SecretFailure, .Unavailable(reason: "status -25308"))
        }

        keychain.answers(nil)
        XCTAssertEqual(try DatabaseKey.load(items(), name: "database"), key)
    }

    /// Some devices say "not found" of an item that is there before the first unlock.
    func testAKeyThatIsNotFoundAndCannotBeAddedIsNotReplaced() throws {
        let key = try DatabaseKey.load(items(), name: "database")
        keychain.hides = true

        XCTAssertThrowsError(try DatabaseKey.load(items(), name: "database")) { error in
            guard case .Unavailable = error as? SecretFailure else { return XCTFail("\(error)") }
        }

        keychain.hides = false
        XCTAssertEqual(try DatabaseKey.load(items(), name: "database"), key)
    }

    func testNoRandomBytesAreNoKey() throws {
        keychain.isRandom = false

        XCTAssertThrowsError(try DatabaseKey.load(items(), name: "database"))
        XCTAssertNil(try items().read("database"))
    }

    func testWhatTheKeychainAnswersIsTyped() throws {
        let expected: [(Int32, SecretFailure)] = [
            (KeychainStatus.interactionNotAllowed, .Unavailable(reason: "status -25308")),
            (KeychainStatus.notAvailable, .Unavailable(reason: "status -25291")),
            (KeychainStatus.authFailed, .Denied(reason: "status -25293")),
            (KeychainStatus.missingEntitlement, .Denied(reason: "status -34018")),
            (KeychainStatus.userCanceled, .Denied(reason: "status -128")),
            (-50, .Other(reason: "status -50")),
        ]
        for (status, failure) in expected {
            keychain.answers(status)
            for call in [
                { _ = try self.items().read("session") },
                { try self.items().write("session", Data()) },
                { _ = try self.items().add("session", Data()) },
                { try self.items().remove("session") },
            ] {
                XCTAssertThrowsError(try call()) { XCTAssertEqual($0 as? SecretFailure, failure) }
            }
        }
    }

    func testAGroupHasItsOwnItems() throws {
        try items(accessGroup: "group").write("session", Data("shared".utf8))

        XCTAssertNil(try items().read("session"))
        XCTAssertEqual(try items(accessGroup: "group").read("session"), Data("shared".utf8))
    }
}

#if canImport(Security)

/// The Keychain needs an app that is signed: run these with a host app, on a device or a simulator.
final class SystemKeychainTests: XCTestCase {
    private let service = "dev.fieldpost.tests"

    override func setUp() async throws {
        try XCTSkipIf(Bundle.main.bundleIdentifier == "com.apple.dt.xctest.tool", "needs a host app")
    }

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

    func testTheAnswersAreThoseOfTheFramework() {
        XCTAssertEqual(KeychainStatus.success, errSecSuccess)
        XCTAssertEqual(KeychainStatus.userCanceled, errSecUserCanceled)
        XCTAssertEqual(KeychainStatus.notAvailable, errSecNotAvailable)
        XCTAssertEqual(KeychainStatus.authFailed, errSecAuthFailed)
        XCTAssertEqual(KeychainStatus.duplicateItem, errSecDuplicateItem)
        XCTAssertEqual(KeychainStatus.itemNotFound, errSecItemNotFound)
        XCTAssertEqual(KeychainStatus.interactionNotAllowed, errSecInteractionNotAllowed)
        XCTAssertEqual(KeychainStatus.missingEntitlement, errSecMissingEntitlement)
    }
}

#endif

/// A keychain that answers as Apple's does, and what a test wants it to answer.
private final class KeychainOnPaper: Keychain, @unchecked Sendable {
    private var secrets: [KeychainItem: Data] = [:]
    private var status: Int32?
    private var between: (() throws -> Void)?
    private var count: UInt8 = 0
    /// Says "not found" of all that is there, and takes nothing.
    var hides = false
    var isRandom = true

    func answers(_ status: Int32?) {
        self.status = status
    }

    /// Happens once, right before the next item is added.
    func meanwhile(_ work: @escaping () throws -> Void) {
        between = work
    }

    func read(_ item: KeychainItem) -> (status: Int32, data: Data?) {
        if let status { return (status, nil) }
        guard !hides, let secret = secrets[item] else { return (KeychainStatus.itemNotFound, nil) }
        return (KeychainStatus.success, secret)
    }

    func add(_ item: KeychainItem, _ data: Data) -> Int32 {
        if let status { return status }
        if hides { return KeychainStatus.interactionNotAllowed }
        if let work = between {
            between = nil
            XCTAssertNoThrow(try work())
        }
        guard secrets[item] == nil else { return KeychainStatus.duplicateItem }
        secrets[item] = data
        return KeychainStatus.success
    }

    func update(_ item: KeychainItem, _ data: Data) -> Int32 {
        if let status { return status }
        guard !hides, secrets[item] != nil else { return KeychainStatus.itemNotFound }
        secrets[item] = data
        return KeychainStatus.success
    }

    func remove(_ item: KeychainItem) -> Int32 {
        if let status { return status }
        return secrets.removeValue(forKey: item) == nil ? KeychainStatus.itemNotFound : KeychainStatus.success
    }

    func random(_ count: Int) -> (status: Int32, bytes: Data) {
        self.count += 1
        return (isRandom ? KeychainStatus.success : -1, Data(repeating: self.count, count: count))
    }

    func text(of status: Int32) -> String { "status \(status)" }
}
