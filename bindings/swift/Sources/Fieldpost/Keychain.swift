import FieldpostFFI
import Foundation
import Security

/// Keeps the tokens of Fieldpost's session in the Keychain.
///
/// They can be read from the first unlock after a start of the device on, so that syncing in the background works, and they never
/// leave the device: neither in a backup nor to another device.
public actor KeychainSecretStore: SecretStore {
    private let items: KeychainItems

    /// - Parameters:
    ///   - service: Names the items; one for each app and server.
    ///   - accessGroup: A group that the app shares with its extensions.
    public init(service: String, accessGroup: String? = nil) {
        items = KeychainItems(service: service, accessGroup: accessGroup)
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
    /// The key; a new one at the first call.
    ///
    /// - Throws: ``SecretFailure`` when the Keychain cannot be asked. Never make another key then: the file could not be read with it.
    public static func load(service: String, name: String = "database", accessGroup: String? = nil) throws -> Data {
        let items = KeychainItems(service: service, accessGroup: accessGroup)
        if let key = try items.read(name) {
            return key
        }
        var bytes = [UInt8](repeating: 0, count: 32)
        let status = SecRandomCopyBytes(kSecRandomDefault, bytes.count, &bytes)
        guard status == errSecSuccess else {
            throw SecretFailure.Other(reason: "no random bytes (\(status))")
        }
        let key = Data(bytes)
        try items.write(name, key)
        return key
    }
}

/// The items of one service.
struct KeychainItems: Sendable {
    let service: String
    let accessGroup: String?

    func read(_ name: String) throws -> Data? {
        var query = item(name)
        query[kSecReturnData as String] = true
        query[kSecMatchLimit as String] = kSecMatchLimitOne
        var found: CFTypeRef?
        let status = SecItemCopyMatching(query as CFDictionary, &found)
        if status == errSecItemNotFound {
            return nil
        }
        guard status == errSecSuccess, let data = found as? Data else {
            throw failure(status)
        }
        return data
    }

    func write(_ name: String, _ data: Data) throws {
        let values: [String: Any] = [
            kSecValueData as String: data,
            kSecAttrAccessible as String: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly,
        ]
        var status = SecItemUpdate(item(name) as CFDictionary, values as CFDictionary)
        if status == errSecItemNotFound {
            let added = item(name).merging(values) { _, new in new }
            status = SecItemAdd(added as CFDictionary, nil)
        }
        guard status == errSecSuccess else {
            throw failure(status)
        }
    }

    func remove(_ name: String) throws {
        let status = SecItemDelete(item(name) as CFDictionary)
        guard status == errSecSuccess || status == errSecItemNotFound else {
            throw failure(status)
        }
    }

    private func item(_ name: String) -> [String: Any] {
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

    private func failure(_ status: OSStatus) -> SecretFailure {
        let reason = SecCopyErrorMessageString(status, nil) as String? ?? "status \(status)"
        return switch status {
        case errSecInteractionNotAllowed, errSecNotAvailable: .Unavailable(reason: reason)
        case errSecAuthFailed, errSecMissingEntitlement, errSecUserCanceled: .Denied(reason: reason)
        default: .Other(reason: reason)
        }
    }
}
