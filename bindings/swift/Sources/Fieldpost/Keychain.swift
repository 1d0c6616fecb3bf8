import FieldpostFFI
import Foundation

#if canImport(Security)
import Security
#endif

/// Keeps the tokens of Fieldpost's session in the Keychain.
///
/// They can be read from the first unlock after a start of the device on, so that syncing in the background works, and they never
/// leave the device: neither in a backup nor to another device.
///
/// The Keychain answers slowly at times; an actor keeps the threads of the app's other tasks free of that.
public actor KeychainSecretStore: SecretStore {
    private let items: KeychainItems

    init(_ items: KeychainItems) {
        self.items = items
    }

    public func get(name: String) async throws -> String? {
        guard let data = try items.read(name) else { return nil }
        guard let secret = String(data: data, encoding: .utf8) else {
            throw SecretFailure.Other(reason: "the item is no text")
        }
        return secret
    }

    public func put(name: String, secret: String) async throws {
        try items.write(name, Data(secret.utf8))
    }

    public func remove(name: String) async throws {
        try items.remove(name)
    }
}

/// The key of an encrypted file, made once and kept in the Keychain: `ClientOptions(…, key: try DatabaseKey.load(service: "…"))`.
public enum DatabaseKey {
    /// It is never replaced: when the app and an extension ask at once for the first time, both get the one that came first.
    static func load(_ items: KeychainItems, name: String) throws -> Data {
        if let key = try items.read(name) {
            return key
        }
        let key = try items.random(32)
        if try items.add(name, key) {
            return key
        }
        guard let first = try items.read(name) else {
            throw SecretFailure.Unavailable(reason: "the Keychain has a key, and does not give it away")
        }
        return first
    }
}

#if canImport(Security)

extension KeychainSecretStore {
    /// - Parameters:
    ///   - service: Names the items; one for each app and server.
    ///   - accessGroup: A group that the app shares with its extensions.
    public init(service: String, accessGroup: String? = nil) {
        self.init(KeychainItems(keychain: SystemKeychain(), service: service, accessGroup: accessGroup))
    }
}

extension DatabaseKey {
    /// The key; a new one at the first call.
    ///
    /// - Parameters:
    ///   - service: Names the item, as for ``KeychainSecretStore``.
    ///   - name: One for each file.
    ///   - accessGroup: A group that the app shares with its extensions. Another group has another key, so stay with the first.
    /// - Throws: `SecretFailure` when the Keychain cannot be asked. Never make another key then: the file could not be read with it.
    public static func load(service: String, name: String = "database", accessGroup: String? = nil) throws -> Data {
        try load(KeychainItems(keychain: SystemKeychain(), service: service, accessGroup: accessGroup), name: name)
    }
}

/// The Keychain of the device.
struct SystemKeychain: Keychain {
    func read(_ item: KeychainItem) -> (status: Int32, data: Data?) {
        var query = item.query
        query[kSecReturnData as String] = true
        query[kSecMatchLimit as String] = kSecMatchLimitOne
        var found: CFTypeRef?
        let status = SecItemCopyMatching(query as CFDictionary, &found)
        return (status, found as? Data)
    }

    func add(_ item: KeychainItem, _ data: Data) -> Int32 {
        let added = item.query.merging(values(data)) { _, new in new }
        return SecItemAdd(added as CFDictionary, nil)
    }

    func update(_ item: KeychainItem, _ data: Data) -> Int32 {
        SecItemUpdate(item.query as CFDictionary, values(data) as CFDictionary)
    }

    func remove(_ item: KeychainItem) -> Int32 {
        SecItemDelete(item.query as CFDictionary)
    }

    func random(_ count: Int) -> (status: Int32, bytes: Data) {
        var bytes = [UInt8](repeating: 0, count: count)
        let status = SecRandomCopyBytes(kSecRandomDefault, count, &bytes)
        return (status, Data(bytes))
    }

    func text(of status: Int32) -> String {
        SecCopyErrorMessageString(status, nil) as String? ?? "status \(status)"
    }

    private func values(_ data: Data) -> [String: Any] {
        [
            kSecValueData as String: data,
            kSecAttrAccessible as String: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly,
        ]
    }
}

extension KeychainItem {
    fileprivate var query: [String: Any] {
        var query: [String: Any] = [
            kSecClass as String: kSecClassGenericPassword,
            kSecAttrService as String: service,
            kSecAttrAccount as String: name,
            // On macOS too the keychain that knows accessibility and access groups.
            kSecUseDataProtectionKeychain as String: true,
        ]
        if let accessGroup {
            query[kSecAttrAccessGroup as String] = accessGroup
        }
        return query
    }
}

#endif
