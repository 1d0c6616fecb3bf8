import Fieldpost
import Foundation

/// The arguments of a step.
struct Given: Sendable {
    let values: [String: Json]

    func has(_ name: String) -> Bool { values[name] != nil }

    func text(_ name: String) throws -> String {
        guard let text = textOrNil(name) else { throw StepFailed("there is no \(name)") }
        return text
    }

    func textOrNil(_ name: String) -> String? { values[name]?.text }

    func number(_ name: String) throws -> Double {
        guard let number = values[name]?.number else { throw StepFailed("there is no \(name)") }
        return number
    }

    func flag(_ name: String) -> Bool { values[name]?.isTrue ?? false }

    var conversation: String { get throws { try text("conversation") } }
    var message: String { get throws { try text("message") } }
    var table: String { get throws { try text("table") } }
    var window: Window { get throws { has("limit") ? Window(limit: UInt32(try number("limit"))) : Window() } }
    var draft: Draft {
        get throws { Draft(text: try text("text"), replyTo: textOrNil("reply_to"), metadata: textOrNil("metadata")) }
    }
    var records: RecordQuery {
        get throws {
            guard has("column") else { return RecordQuery(table: try table) }
            let comparison: Comparison = try named("comparison", [.is, .contains])
            return RecordQuery(table: try table, filters: [Filter(column: try text("column"), comparison: comparison, value: try text("value"))])
        }
    }

    /// A value without data, by its name.
    func named<Value>(_ name: String, _ values: [Value]) throws -> Value {
        let wanted = try text(name)
        guard let value = values.first(where: { snake("\($0)") == wanted }) else { throw StepFailed("there is no \(wanted)") }
        return value
    }
}

typealias Call = @Sendable (Client, Given) async throws -> Any

let calls: [String: Call] = [
    "background": { try await $0.background(deadline: $1.number("deadline_ms") / 1_000) },
    "cancel": { try await $0.cancel(entry: .message(id: $1.message)) },
    "conversation": { try await $0.conversation(conversation: $1.conversation) as Any },
    "conversations": { client, _ in try await client.conversations() },
    "count_records": { try await $0.countRecords(table: $1.table) },
    "create_record": { try await $0.createRecord(table: $1.table, fields: $1.text("fields")) },
    "delete": { try await $0.delete(conversation: $1.conversation, message: $1.message) },
    "delete_record": { try await $0.deleteRecord(table: $1.table, record: $1.text("record")) },
    "delivered": { try await $0.delivery(of: $1.message) as Any },
    "diagnose": { try await $0.diagnose(askServer: $1.has("ask_server") ? $1.flag("ask_server") : true) },
    "edit": { try await $0.edit(conversation: $1.conversation, message: $1.message, text: $1.text("text")) },
    "export": lines,
    "foreground": { client, _ in try client.foreground() },
    "is_signed_in": { client, _ in try await client.isSignedIn() },
    "keep_draft": { try await $0.keepDraft(conversation: $1.conversation, draft: $1.draft) },
    "mark_read": { try await $0.markRead(conversation: $1.conversation, upTo: UInt64($1.number("up_to"))) },
    "me": { client, _ in try await client.me() as Any },
    "message_info": { try await $0.messageInfo(message: $1.message) },
    "messages": { try await $0.messages(conversation: $1.conversation, window: $1.window) },
    "mute": { try await $0.mute(conversation: $1.conversation, until: $1.textOrNil("until").map { try Date($0, strategy: .iso8601) }) },
    "open_direct": { try await $0.openDirect(medic: $1.text("medic")) },
    "outbox": { client, _ in try await client.outbox() },
    "pause": { client, _ in try await client.pause() },
    "pending": { client, _ in try await client.pending() },
    "people": { client, _ in try await client.people() },
    "pin": { try await $0.pin(conversation: $1.conversation) },
    "react": { try await $0.react(conversation: $1.conversation, message: $1.message, emoji: $1.text("emoji")) },
    "record": { try await $0.record(table: $1.table, record: $1.text("record")) as Any },
    "record_counts": { client, _ in try await client.recordCounts() },
    "records": { try await $0.records(query: $1.records) },
    "report": {
        try await $0.report(conversation: $1.conversation, message: $1.message, reason: $1.text("reason"), note: $1.text("note"))
    },
    "reports": { client, _ in try await client.reports() },
    "resolve_report": { try await $0.resolveReport(report: $1.text("report")) },
    "resume": { client, _ in try await client.resume() },
    "search": { try await $0.search(query: SearchQuery(text: $1.text("text"), after: $1.textOrNil("after"))) },
    "send": { try await $0.send(conversation: $1.conversation, text: $1.text("text")) },
    "send_draft": { try await $0.sendDraft(conversation: $1.conversation, draft: $1.draft) },
    "send_stored_draft": { try await $0.sendStoredDraft(conversation: $1.conversation) },
    "session_changed": { client, _ in try await client.sessionChanged() },
    "set_online": { try $0.setOnline(online: $1.flag("online")) },
    "set_typing": { try $0.setTyping(conversation: $1.conversation) },
    "shutdown": { client, _ in try await client.shutdown() },
    "sign_in": { try await $0.signIn(email: $1.text("email"), password: $1.text("password")) },
    "sign_out": { try await $0.signOut(wipe: $1.named("wipe", [.keep, .everything])) },
    "start": { client, _ in try await client.start() },
    "status": { client, _ in try client.status() },
    "stop": { client, _ in try await client.stop() },
    "sync": { client, _ in try await client.sync() },
    "total_unread": { client, _ in try await client.totalUnread() },
    "trigger_sync": { client, _ in try await client.triggerSync() },
    "unread_for_badge": { client, _ in try await client.unreadForBadge() },
    "update_record": { try await $0.updateRecord(table: $1.table, record: $1.text("record"), fields: $1.text("fields")) },
]

private let lines: Call = { client, given in
    let export = try await client.export(conversation: given.conversation, format: given.named("format", [.text, .jsonLines]))
    var lines: [String] = []
    while true {
        let more = try await export.nextLines()
        if more.isEmpty { return lines }
        lines += more
    }
}

/// A watch as a stream of JSON.
typealias Begin = @Sendable (Client, Given) async throws -> AsyncStream<Json>

let watches: [String: Begin] = [
    "watch_conversations": { client, _ in json(try await client.watchConversations()) },
    "watch_thread": { json(try await $0.watchThread($1.conversation, window: $1.window)) },
    "watch_records": { json(try await $0.watchRecords($1.records)) },
    "watch_outbox": { client, _ in json(try client.watchOutbox()) },
    "watch_status": { client, _ in json(try client.watchStatus()) },
    "watch_typing": { json(try $0.watchTyping($1.conversation)) },
    "watch_unread_for_badge": { client, _ in json(try client.watchUnreadForBadge()) },
]

func json<Value>(_ stream: AsyncStream<Watched<Value>>) -> AsyncStream<Json> {
    AsyncStream {
        var events = stream.makeAsyncIterator()
        switch await events.next() {
        case .update(let value): return Json(of: value)
        case .failure(let failure): return .object(["failure": Json(of: failure)])
        case nil: return nil
        }
    }
}
