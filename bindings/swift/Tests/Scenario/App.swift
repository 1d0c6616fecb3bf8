import Fieldpost
import Foundation

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

// What an app brings: tokens, a keychain.

/// A session that the app owns.
actor Provider: TokenProvider {
    private let session: Json
    private var then: String
    private(set) var asked = 0
    private(set) var refusals = 0

    init(session: Json, then: String) {
        self.session = session
        self.then = then
    }

    func answers(_ then: String) {
        self.then = then
    }

    func token(refused: String?) async throws -> SessionToken {
        asked += 1
        switch then {
        case "signed_out": throw TokenError.SignedOut
        case "throws": throw StepFailed("the app has a fault")
        case "never": try await Task.sleep(for: .seconds(600))
        default: break
        }
        if refused != nil {
            refusals += 1
            then = "token"
        }
        guard let token = session["access_token"]?.text, let person = session["user"]?["id"]?.text else {
            throw StepFailed("no session: \(session.line)")
        }
        // The right claims, and a signature that the server does not know.
        let refusedToken = token.dropLast(4) + (token.hasSuffix("AAAA") ? "BBBB" : "AAAA")
        return SessionToken(personId: person, accessToken: then == "refused" ? String(refusedToken) : token)
    }
}

/// A keychain in memory.
actor MemoryKeychain: SecretStore {
    private var secrets: [String: String] = [:]
    private var then = "open"

    var count: Int { secrets.count }

    func answers(_ then: String) {
        self.then = then
    }

    func get(name: String) async throws -> String? {
        try unlocked()
        return secrets[name]
    }

    func put(name: String, secret: String) async throws {
        try unlocked()
        secrets[name] = secret
    }

    func remove(name: String) async throws {
        try unlocked()
        secrets[name] = nil
    }

    private func unlocked() throws {
        if then == "locked" {
            throw SecretFailure.Unavailable(reason: "the device is locked")
        }
    }
}

/// What GoTrue answers to a password.
func passwordSession(_ url: String, _ key: String, email: String, password: String) async throws -> Json {
    guard let address = URL(string: "\(url)/auth/v1/token?grant_type=password") else { throw StepFailed("no address: \(url)") }
    var request = URLRequest(url: address)
    request.httpMethod = "POST"
    request.httpBody = Data(Json.object(["email": .text(email), "password": .text(password)]).line.utf8)
    request.setValue(key, forHTTPHeaderField: "apikey")
    request.setValue("application/json", forHTTPHeaderField: "content-type")
    let (answer, _) = try await URLSession.shared.data(for: request)
    return try Json.parse(answer)
}

/// Hears all lines of the log.
final class Lines: LogSink, @unchecked Sendable {
    private let lock = NSLock()
    private var heard: [LogLine] = []

    var all: [LogLine] { lock.withLock { heard } }

    func log(line: LogLine) throws {
        lock.withLock { heard.append(line) }
    }
}

/// Hears how far a change of key is.
final class HeardProgress: KeyProgressListener, @unchecked Sendable {
    private let lock = NSLock()
    private var heard: [KeyProgress] = []

    var all: [KeyProgress] { lock.withLock { heard } }

    func onProgress(progress: KeyProgress) throws {
        lock.withLock { heard.append(progress) }
    }
}

/// Throws at its first calls.
final class Throwing: ThreadListener, @unchecked Sendable {
    private let lock = NSLock()
    private var times: Int
    private let output: AsyncStream<Json>.Continuation

    init(_ times: Int, _ output: AsyncStream<Json>.Continuation) {
        self.times = times
        self.output = output
    }

    func onUpdate(update: ThreadUpdate) throws {
        let throwing = lock.withLock {
            times -= 1
            return times >= 0
        }
        if throwing {
            throw StepFailed("the listener has a fault")
        }
        output.yield(Json(of: update))
    }

    func onError(failure: Failure) throws {}

    func onEnd() throws {
        output.finish()
    }
}

/// Threads and memory of this process.
struct Usage {
    private let threads: Int
    private let kib: Int

    init() {
        threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count) ?? 0
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let resident = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        kib = resident?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
    }

    func grown(since before: Usage) -> [String: Json] {
        [
            "threads_grown": .number(Double(threads - before.threads)),
            "memory_grown_kib": .number(Double(kib - before.kib)),
        ]
    }
}
