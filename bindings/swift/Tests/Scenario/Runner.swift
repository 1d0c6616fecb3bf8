import Fieldpost
import Foundation

/// How long anything may take.
private let limit = Duration.seconds(20)

/// A watch, read in the background, and what of it has not been looked at.
actor Watch {
    nonisolated let timeline: Timeline?
    private var waiting: [Json] = []
    private var ended = false
    private var reader: Task<Void, Never>?
    private let stop: @Sendable () -> Void

    init(_ stream: AsyncStream<Json>, timeline: Timeline? = nil, stop: @escaping @Sendable () -> Void = {}) async {
        self.timeline = timeline
        self.stop = stop
        reader = Task { [weak self] in
            for await update in stream {
                await self?.add(update)
            }
            await self?.end()
        }
    }

    private func add(_ update: Json) { waiting.append(update) }

    private func end() { ended = true }

    func next() async throws -> Json {
        try await within("no update comes") { !self.waiting.isEmpty || self.ended }
        guard !waiting.isEmpty else { throw StepFailed("it has ended") }
        return waiting.removeFirst()
    }

    func untilEnded() async throws {
        try await within("it does not end") { self.ended }
    }

    func cancel() {
        stop()
        reader?.cancel()
    }

    func count() -> Int {
        defer { waiting = [] }
        return waiting.count
    }

    private func within(_ otherwise: String, _ holds: () -> Bool) async throws {
        let deadline = ContinuousClock.now + limit
        while !holds() {
            guard ContinuousClock.now < deadline else { throw StepFailed(otherwise) }
            await Task.yield()
        }
    }
}

/// Carries out steps, and tells of each.
final class Runner {
    private let url: String
    private let key: String
    private let folder: URL
    private var kept: [String: Json]
    private var clients: [String: Client] = [:]
    private var watched: [String: Watch] = [:]
    private var providers: [String: Provider] = [:]
    private var keychains: [String: MemoryKeychain] = [:]

    init(url: String, key: String, folder: URL, kept: [String: Json]) {
        self.url = url
        self.key = key
        self.folder = folder
        self.kept = kept
    }

    /// What the compiler refuses is not carried out.
    func run(_ steps: [Json], crash: Bool) async throws -> Bool {
        var passed = true
        for step in steps where step["untyped"] != .flag(true) {
            let told = await tell(step)
            print(told.line)
            fflush(nil)
            passed = passed && told["ok"] == .flag(true)
        }
        if crash {
            kill(getpid(), SIGKILL)
        }
        for client in clients.values {
            try await client.shutdown()
        }
        return passed
    }

    private func tell(_ step: Json) async -> Json {
        var told: [String: Json] = ["step": step["step"] ?? .null, "ok": .flag(true)]
        do {
            let result = try await carryOut(step)
            if let name = step["measure"] {
                told["measure"] = name
                told["micros"] = result
            }
            if ["changes", "subscriptions"].contains(step["do"]?.text) {
                told["note"] = .text(result.line)
            }
        } catch is NoSuchValue {
            told["impossible"] = .flag(true)
        } catch {
            told["ok"] = .flag(false)
            told["note"] = .text("\(error)")
        }
        return .object(told)
    }

    private func carryOut(_ step: Json) async throws -> Json {
        if step["measure"] != nil {
            return try await measure(step)
        }
        if let wanted = step["fails"] {
            try check(wanted, try await error(of: step))
            return .null
        }
        let deadline = ContinuousClock.now + limit
        var result = Json(of: try await perform(step))
        while step["until"] == .flag(true), ContinuousClock.now < deadline,
            try difference(step["expect"] ?? .null, result, kept) != nil
        {
            result = Json(of: try await perform(step))
        }
        if let expected = step["expect"] {
            try check(expected, result)
        }
        for (name, path) in step["keep"]?.object ?? [:] {
            kept[name] = try part(path.text ?? "", result)
        }
        return result
    }

    private func check(_ expected: Json, _ found: Json) throws {
        if let wrong = try difference(expected, found, kept) {
            throw StepFailed(wrong)
        }
    }

    private func error(of step: Json) async throws -> Json {
        do {
            let result = Json(of: try await perform(step))
            throw StepFailed("it did not fail; the result is \(result.line)")
        } catch let error as FieldpostError {
            return Json(of: Failure(error))
        }
    }

    /// Half a character is no text in Swift.
    private struct NoSuchValue: Error {}

    private func argument(_ value: Json) throws -> Json {
        if let name = value.text, name.hasPrefix("$") {
            guard let value = kept[String(name.dropFirst())] else { throw StepFailed("nothing is kept as \(name)") }
            return value
        }
        if value["$surrogate"] != nil {
            throw NoSuchValue()
        }
        if let repeated = value["$repeat"]?.list, let text = repeated[0].text, let times = repeated[1].number {
            return .text(String(repeating: text, count: Int(times)))
        }
        return value
    }

    private func given(_ step: Json) throws -> Given {
        Given(values: try (step["with"]?.object ?? [:]).mapValues(argument))
    }

    private func client(_ step: Json) throws -> Client {
        let name = step["on"]?.text ?? "ada"
        guard let client = clients[name] else { throw StepFailed("\(name) has no client") }
        return client
    }

    private func watch(_ step: Json) throws -> Watch {
        guard let watch = watched[step["watch"]?.text ?? ""] else { throw StepFailed("there is no such watch") }
        return watch
    }

    private func perform(_ step: Json) async throws -> Any {
        let given = try given(step)
        let name = step["as"]?.text ?? ""
        switch step["do"]?.text ?? "" {
        case "open": return try await open(step, given)
        case "next": return try await watch(step).next()
        case "await": return try await awaited(step)
        case "cancel_watch": return try await watch(step).cancel()
        case "ended": return try await watch(step).untilEnded()
        case "quiet": return try await quiet(step)
        case "crash": return try crash(step)
        case "provider": return try await provider(name, given)
        case "asked": return try await asked(given)
        case "secret_store":
            let keychain = keychains[name] ?? MemoryKeychain()
            keychains[name] = keychain
            if let then = given.textOrNil("then") { await keychain.answers(then) }
            return ()
        case "secrets_in": return await keychains[try given.text("store")]?.count ?? -1
        case "change_key": return try await keyChanged(given)
        case "files_with": return try filesWith(given.text("text"))
        case "cancel_call": return try await cancelCall(step, given)
        case "threads_of_the_app": return try await together(step, given)
        case "log_lines": return try await logLines(step, given)
        case "changes": return try await changes(step, given)
        case "subscriptions": return try await subscriptions(step, given)
        case "timeline":
            guard try given.text("open_at") == "newest" else { throw StepFailed("another place") }
            let options = TimelineOptions(openAt: .newest, page: UInt32(try given.number("page")))
            let open = try await client(step).openTimeline(given.conversation, options: options)
            watched[name] = await Watch(json(open.updates), timeline: open.timeline)
            return ()
        case "timeline_paginate_backwards": return try await watch(step).timeline?.paginateBackwards() as Any
        case "timeline_fill_gap":
            guard try given.text("item") == "unread" else { throw StepFailed("another item") }
            return try await watch(step).timeline?.fillGap(item: .unread) as Any
        case let verb:
            if let begin = watches[verb] {
                watched[name] = try await started(begin, step, given)
                return ()
            }
            return try await call(verb)(try client(step), given)
        }
    }

    private func call(_ verb: String) throws -> Call {
        guard let call = calls[verb] else { throw StepFailed("there is no verb \(verb)") }
        return call
    }

    private func started(_ begin: Begin, _ step: Json, _ given: Given) async throws -> Watch {
        guard given.has("throws") else { return await Watch(try await begin(client(step), given)) }
        let (stream, output) = AsyncStream.makeStream(of: Json.self)
        let listener = Throwing(Int(try given.number("throws")), output)
        let subscription = try await client(step).watchThread(
            conversation: given.conversation, window: given.window, listener: listener
        )
        return await Watch(stream) { subscription.cancel() }
    }

    private func measure(_ step: Json) async throws -> Json {
        let (call, client, given) = (try call(step["do"]?.text ?? ""), try client(step), try given(step))
        let times = Int(step["times"]?.number ?? 1)
        let took = try await ContinuousClock().measure {
            for _ in 0..<times {
                _ = try await call(client, given)
            }
        }
        return .number(took / .microseconds(times))
    }

    private func open(_ step: Json, _ given: Given) async throws {
        let server = try given.text("server")
        let options = ClientOptions(
            database: folder.appendingPathComponent(try given.text("file")).path,
            url: server == "none" ? nil : server == "nowhere" ? "http://127.0.0.1:9" : url,
            anonKey: server == "without_key" ? nil : key,
            key: given.textOrNil("key").map(bytes),
            live: given.flag("live"),
            typing: given.flag("typing"),
            clinical: given.flag("clinical"),
            callbackLimit: given.has("callback_limit_ms") ? try given.number("callback_limit_ms") / 1_000 : nil
        )
        let tokens = given.textOrNil("tokens").flatMap { providers[$0] }
        let secrets = given.textOrNil("secrets").flatMap { keychains[$0] }
        clients[step["on"]?.text ?? "ada"] = try await Client.open(options, tokens: tokens, secrets: secrets)
    }

    private func bytes(_ hex: String) -> Data {
        let pairs = stride(from: 0, to: hex.count, by: 2).map { hex.dropFirst($0).prefix(2) }
        return Data(pairs.compactMap { UInt8($0, radix: 16) })
    }

    private func awaited(_ step: Json) async throws -> Json {
        let expected = step["expect"] ?? .null
        var seen = "no update came"
        do {
            while true {
                let update = try await watch(step).next()
                guard let wrong = try difference(expected, update, kept) else { return update }
                seen = wrong
            }
        } catch let failed as StepFailed {
            throw StepFailed("no update looks like that: \(failed); of the last one, \(seen)")
        }
    }

    private func quiet(_ step: Json) async throws {
        try await listened()
        let came = try await watch(step).count()
        if came > 0 {
            throw StepFailed("\(came) updates came")
        }
    }

    /// One thread calls all listeners: what was on its way has arrived when a later call has.
    private func listened() async throws {
        let file = folder.appendingPathComponent("\(UUID().uuidString).db").path
        let client = try await Client.open(ClientOptions(database: file))
        for await _ in try client.watchTotalUnread() { break }
        try await client.shutdown()
    }

    private func crash(_ step: Json) throws {
        let steps = folder.appendingPathComponent("crash.json")
        try Data((step["steps"] ?? .null).line.utf8).write(to: steps)
        let child = Process()
        child.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
        child.arguments = [steps.path, "--crash", "--url", url, "--key", key, "--folder", folder.path]
        child.arguments? += ["--kept", Json.object(kept).line]
        let output = Pipe()
        child.standardOutput = output
        try child.run()
        let told = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        child.waitUntilExit()
        let lines = told.split(separator: "\n").map { try? Json.parse(Data($0.utf8)) }
        let all = lines.count == step["steps"]?.list?.count && lines.allSatisfy { $0?["ok"] == .flag(true) }
        guard child.terminationReason == .uncaughtSignal, child.terminationStatus == SIGKILL, all else {
            throw StepFailed("the process ended with \(child.terminationStatus): \(told)")
        }
    }

    private func provider(_ name: String, _ given: Given) async throws {
        if let then = given.textOrNil("then") {
            await providers[name]?.answers(then)
            return
        }
        let session = try await passwordSession(url, key, email: given.text("email"), password: given.text("password"))
        providers[name] = Provider(session: session, then: try given.text("first"))
    }

    private func asked(_ given: Given) async throws -> Json {
        guard let provider = providers[try given.text("provider")] else { throw StepFailed("there is no such provider") }
        let (asked, refused) = (await provider.asked, await provider.refusals)
        return .object(["asked": .number(Double(asked)), "refused": .number(Double(refused))])
    }

    private func keyChanged(_ given: Given) async throws -> Json {
        let heard = HeardProgress()
        let (old, new) = (given.textOrNil("old_key").map(bytes), given.textOrNil("new_key").map(bytes))
        let database = folder.appendingPathComponent(try given.text("file")).path
        try await changeKey(database: database, oldKey: old, newKey: new, progress: heard)
        let told = heard.all
        return .object(["told": .number(Double(told.count)), "last": told.last.map { Json(of: $0) } ?? .null])
    }

    /// The files of the folder that have this text somewhere, whatever else is in them.
    private func filesWith(_ text: String) throws -> Json {
        let wanted = Data(text.utf8)
        let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        let found = try names.sorted().filter { name in
            let file = folder.appendingPathComponent(name)
            guard try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { return false }
            return try wanted.isEmpty || Data(contentsOf: file).range(of: wanted) != nil
        }
        return .list(found.map(Json.text))
    }

    /// A cancel does not end a call in Swift: it is carried out, and its caller is told.
    private func cancelCall(_ step: Json, _ given: Given) async throws {
        let (call, client) = (try call(step["call"]?.text ?? ""), try client(step))
        let begun = Task { _ = try await call(client, given) }
        begun.cancel()
        try await begun.value
    }

    private func together(_ step: Json, _ given: Given) async throws -> Json {
        let (call, client) = (try call(step["call"]?.text ?? ""), try client(step))
        let times = Int(step["times"]?.number ?? 1)
        let ok = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<times {
                group.addTask { (try? await call(client, given)) != nil }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        return .object(["ok": .number(Double(ok)), "failed": .number(Double(times - ok))])
    }

    private func logLines(_ step: Json, _ given: Given) async throws -> Json {
        let sink = Lines()
        let level: LogLevel = try given.named("level", [.error, .warn, .info, .debug, .trace])
        try logTo(level: level, sink: sink)
        let client = try client(step)
        _ = try await client.sync()
        let conversation = try await client.conversations()[0]
        let window = try await client.messages(conversation: conversation.id, window: Window())
        let forbidden = try given.text("forbidden")
        _ = try await client.search(query: SearchQuery(text: forbidden))
        try await listened()
        stopLogging()
        let texts = window.messages.compactMap(\.text).filter { !$0.isEmpty } + [forbidden, conversation.name]
        let content = sink.all.filter { line in texts.contains { line.text.contains($0) } }
        return .object(["lines": .number(Double(sink.all.count)), "content": .number(Double(content.count))])
    }

    private func changes(_ step: Json, _ given: Given) async throws -> Json {
        let (client, watch, updates) = (try client(step), try watch(step), Int(try given.number("updates")))
        var before = Usage()
        for number in 0..<updates {
            if number == updates / 10 { before = Usage() }
            try await client.keepDraft(conversation: given.conversation, draft: Draft(text: "draft \(number)"))
            _ = try await watch.next()
        }
        return .object(Usage().grown(since: before).merging(["updates": .number(Double(updates))]) { $1 })
    }

    private func subscriptions(_ step: Json, _ given: Given) async throws -> Json {
        let (client, count) = (try client(step), Int(try given.number("count")))
        var before = Usage()
        for number in 0..<count {
            if number == count / 10 { before = Usage() }
            for await _ in try await client.watchThread(given.conversation) { break }
        }
        return .object(Usage().grown(since: before))
    }
}
