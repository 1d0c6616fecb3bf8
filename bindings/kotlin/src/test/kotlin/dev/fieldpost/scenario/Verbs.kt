// The verbs: calls of the client, with arguments from a file.
package dev.fieldpost.scenario

import dev.fieldpost.Fieldpost
import dev.fieldpost.background
import dev.fieldpost.ffi.Comparison
import dev.fieldpost.ffi.Draft
import dev.fieldpost.ffi.EntryRef
import dev.fieldpost.ffi.ExportFormat
import dev.fieldpost.ffi.Filter
import dev.fieldpost.ffi.ItemId
import dev.fieldpost.ffi.OpenAt
import dev.fieldpost.ffi.RecordQuery
import dev.fieldpost.ffi.SearchQuery
import dev.fieldpost.ffi.Timeline
import dev.fieldpost.ffi.TimelineOptions
import dev.fieldpost.ffi.Window
import dev.fieldpost.ffi.Wipe
import java.time.Instant
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.flow.Flow

/** The arguments of a step. */
internal class Given(private val values: Map<String, Any?>) {
    operator fun contains(name: String) = name in values

    fun text(name: String): String = values[name] as String? ?: throw StepFailed("there is no $name")

    fun textOrNull(name: String): String? = values[name] as String?

    fun number(name: String): Long = (values[name] as Number).toLong()

    fun flag(name: String): Boolean = values[name] == true

    val conversation get() = text("conversation")
    val message get() = text("message")
    val table get() = text("table")
    val window get() = Window(limit = if ("limit" in this) number("limit").toUInt() else 50u)
    val draft get() = Draft(text("text"), textOrNull("reply_to"), metadata = textOrNull("metadata"))
    val records get() = RecordQuery(table, if ("column" in this) listOf(filter) else emptyList())

    private val filter get() = Filter(text("column"), Comparison.valueOf(text("comparison").uppercase()), text("value"))

    fun timelineOptions(): TimelineOptions {
        check(text("open_at") == "newest")
        return TimelineOptions(openAt = OpenAt.Newest, page = number("page").toUInt())
    }
}

internal val CALLS: Map<String, suspend Fieldpost.(Given) -> Any?> = mapOf(
    "background" to { background(it.number("deadline_ms").milliseconds) },
    "cancel" to { cancel(EntryRef.Message(it.message)) },
    "conversation" to { conversation(it.conversation) },
    "conversations" to { conversations() },
    "count_records" to { countRecords(it.table) },
    "create_record" to { createRecord(it.table, it.text("fields")) },
    "delete" to { delete(it.conversation, it.message) },
    "delete_record" to { deleteRecord(it.table, it.text("record")) },
    "delivered" to { delivered(it.message) },
    "diagnose" to { given -> diagnose(if ("ask_server" in given) given.flag("ask_server") else true) },
    "edit" to { edit(it.conversation, it.message, it.text("text")) },
    "export" to { lines(it) },
    "foreground" to { foreground() },
    "is_signed_in" to { isSignedIn() },
    "keep_draft" to { keepDraft(it.conversation, it.draft) },
    "mark_read" to { markRead(it.conversation, it.number("up_to").toULong()) },
    "me" to { me() },
    "message_info" to { messageInfo(it.message) },
    "messages" to { messages(it.conversation, it.window) },
    "mute" to { mute(it.conversation, it.textOrNull("until")?.let(Instant::parse)) },
    "open_direct" to { openDirect(it.text("medic")) },
    "outbox" to { outbox() },
    "pause" to { pause() },
    "pending" to { pending() },
    "people" to { people() },
    "pin" to { pin(it.conversation) },
    "react" to { react(it.conversation, it.message, it.text("emoji")) },
    "record" to { record(it.table, it.text("record")) },
    "record_counts" to { recordCounts() },
    "records" to { records(it.records) },
    "report" to { report(it.conversation, it.message, it.text("reason"), it.text("note")) },
    "reports" to { reports() },
    "resolve_report" to { resolveReport(it.text("report")) },
    "resume" to { resume() },
    "search" to { search(SearchQuery(it.text("text"), after = it.textOrNull("after"))) },
    "send" to { send(it.conversation, it.text("text")) },
    "send_draft" to { sendDraft(it.conversation, it.draft) },
    "send_stored_draft" to { sendStoredDraft(it.conversation) },
    "session_changed" to { sessionChanged() },
    "set_online" to { setOnline(it.flag("online")) },
    "set_typing" to { setTyping(it.conversation) },
    "shutdown" to { shutdown() },
    "sign_in" to { signIn(it.text("email"), it.text("password")) },
    "sign_out" to { signOut(Wipe.valueOf(it.text("wipe").uppercase())) },
    "start" to { start() },
    "status" to { status() },
    "stop" to { stop() },
    "sync" to { sync() },
    "total_unread" to { totalUnread() },
    "trigger_sync" to { triggerSync() },
    "unread_for_badge" to { unreadForBadge() },
    "update_record" to { updateRecord(it.table, it.text("record"), it.text("fields")) },
)

/** Updates without a gap, for lists as diffs. */
internal val WATCHES: Map<String, Fieldpost.(Given) -> Flow<Any?>> = mapOf(
    "watch_conversations" to { conversationUpdates() },
    "watch_thread" to { threadUpdates(it.conversation, it.window) },
    "watch_records" to { recordUpdates(it.records) },
    "watch_outbox" to { watchOutbox() },
    "watch_status" to { watchStatus() },
    "watch_typing" to { watchTyping(it.conversation) },
    "watch_unread_for_badge" to { watchUnreadForBadge() },
)

/** Those that tell at once what is there. */
internal val TELLS_AT_ONCE = WATCHES.keys - setOf("watch_outbox", "watch_typing")

internal val OF_TIMELINE: Map<String, suspend Timeline.(Given) -> Any?> = mapOf(
    "timeline_paginate_backwards" to { paginateBackwards() },
    "timeline_fill_gap" to { given -> fillGap(if (given.text("item") == "unread") ItemId.Unread else error("another item")) },
)

private suspend fun Fieldpost.lines(given: Given): List<String> {
    val lines = mutableListOf<String>()
    export(given.conversation, ExportFormat.valueOf(given.text("format").uppercase())).use { export ->
        do {
            val more = export.nextLines()
            lines += more
        } while (more.isNotEmpty())
    }
    return lines
}
