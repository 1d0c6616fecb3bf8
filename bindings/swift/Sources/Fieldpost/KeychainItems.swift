import FieldpostFFI
import Foundation

/// The keychain of a platform: it answers with a status of Apple's Security framework.
protocol Keychain: Sendable {
    func read(_ item: KeychainItem) -> (status: Int32, data: Data?)
    func add(_ item: KeychainItem, _ data: Data) -> Int32
    func update(_ item: KeychainItem, _ data: Data) -> Int32
    func remove(_ item: KeychainItem) -> Int32
    func random(_ count: Int) -> (status: Int32, bytes: Data)
    /// What a status means, for people.
    func text(of status: Int32) -> String
}

/// What names a secret.
struct KeychainItem: Hashable, Sendable {
    let service: String
    let name: String
    let accessGroup: String?
}

/// The answers that make a difference, by their names in Apple's Security framework.
enum KeychainStatus {
    static let success: Int32 = 0
    static let userCanceled: Int32 = -128
    static let notAvailable: Int32 = -25291
    static let authFailed: Int32 = -25293
    static let duplicateItem: Int32 = -25299
    static let itemNotFound: Int32 = -25300
    static let interactionNotAllowed: Int32 = -25308
    static let missingEntitlement: Int32 = -34018
}

/// The secrets of one service.
struct KeychainItems: Sendable {
    let keychain: any Keychain
    let service: String
    let accessGroup: String?

    func read(_ name: String) throws -> Data? {
        let (status, data) = keychain.read(item(name))
        if status == KeychainStatus.itemNotFound {
            return nil
        }
        guard status == KeychainStatus.success, let data else {
            throw failure(status)
        }
        return data
    }

    /// Keeps a secret, whether there is one or not.
    func write(_ name: String, _ data: Data) throws {
        var status = keychain.update(item(name), data)
        if status == KeychainStatus.itemNotFound {
            status = keychain.add(item(name), data)
        }
        if status == KeychainStatus.duplicateItem {
            // An extension of the app was faster.
            status = keychain.update(item(name), data)
        }
        guard status == KeychainStatus.success else {
            throw failure(status)
        }
    }

    /// Keeps a secret unless there is one already. Returns whether it was kept.
    func add(_ name: String, _ data: Data) throws -> Bool {
        let status = keychain.add(item(name), data)
        if status == KeychainStatus.duplicateItem {
            return false
        }
        guard status == KeychainStatus.success else {
            throw failure(status)
        }
        return true
    }

    func remove(_ name: String) throws {
        let status = keychain.remove(item(name))
        guard status == KeychainStatus.success || status == KeychainStatus.itemNotFound else {
            throw failure(status)
        }
    }

    func random(_ count: Int) throws -> Data {
        let (status, bytes) = keychain.random(count)
        guard status == KeychainStatus.success else {
            throw SecretFailure.Other(reason: "no random bytes (\(status))")
        }
        return bytes
    }

    private func item(_ name: String) -> KeychainItem {
        KeychainItem(service: service, name: name, accessGroup: accessGroup)
    }

    private func failure(_ status: Int32) -> SecretFailure {
        let reason = keychain.text(of: status)
        return switch status {
        case KeychainStatus.interactionNotAllowed, KeychainStatus.notAvailable: .Unavailable(reason: reason)
        case KeychainStatus.authFailed, KeychainStatus.missingEntitlement, KeychainStatus.userCanceled:
            .Denied(reason: reason)
        default: .Other(reason: reason)
        }
    }
}
