// Lists that diffs keep up to date. Each kind of list has a type of its own for the same eleven changes: UniFFI knows no generic types.
package dev.fieldpost

import dev.fieldpost.ffi.ConversationDiff
import dev.fieldpost.ffi.ConversationSummary
import dev.fieldpost.ffi.MessageDiff
import dev.fieldpost.ffi.Record
import dev.fieldpost.ffi.RecordDiff
import dev.fieldpost.ffi.ThreadMessage
import dev.fieldpost.ffi.TimelineDiff
import dev.fieldpost.ffi.TimelineItem

private inline fun <T, D> List<T>.after(diffs: List<D>, change: MutableList<T>.(D) -> Unit): List<T> =
    toMutableList().apply { diffs.forEach { change(it) } }

private fun <T> MutableList<T>.reset(values: List<T>) {
    clear()
    addAll(values)
}

private fun <T> MutableList<T>.truncate(length: UInt) {
    subList(minOf(length.toInt(), size), size).clear()
}

/** This list, after the changes of a list of conversations. */
@JvmName("withConversations")
public fun List<ConversationSummary>.with(diffs: List<ConversationDiff>): List<ConversationSummary> = after(diffs) { diff ->
    when (diff) {
        is ConversationDiff.Reset -> reset(diff.values)
        is ConversationDiff.Append -> addAll(diff.values)
        is ConversationDiff.Clear -> clear()
        is ConversationDiff.PushFront -> add(0, diff.value)
        is ConversationDiff.PushBack -> add(diff.value)
        is ConversationDiff.PopFront -> removeAt(0)
        is ConversationDiff.PopBack -> removeAt(lastIndex)
        is ConversationDiff.Insert -> add(diff.index.toInt(), diff.value)
        is ConversationDiff.Set -> set(diff.index.toInt(), diff.value)
        is ConversationDiff.Remove -> removeAt(diff.index.toInt())
        is ConversationDiff.Truncate -> truncate(diff.length)
    }
}

/** This list, after the changes of a thread. */
@JvmName("withMessages")
public fun List<ThreadMessage>.with(diffs: List<MessageDiff>): List<ThreadMessage> = after(diffs) { diff ->
    when (diff) {
        is MessageDiff.Reset -> reset(diff.values)
        is MessageDiff.Append -> addAll(diff.values)
        is MessageDiff.Clear -> clear()
        is MessageDiff.PushFront -> add(0, diff.value)
        is MessageDiff.PushBack -> add(diff.value)
        is MessageDiff.PopFront -> removeAt(0)
        is MessageDiff.PopBack -> removeAt(lastIndex)
        is MessageDiff.Insert -> add(diff.index.toInt(), diff.value)
        is MessageDiff.Set -> set(diff.index.toInt(), diff.value)
        is MessageDiff.Remove -> removeAt(diff.index.toInt())
        is MessageDiff.Truncate -> truncate(diff.length)
    }
}

/** This list, after the changes of a timeline. */
@JvmName("withItems")
public fun List<TimelineItem>.with(diffs: List<TimelineDiff>): List<TimelineItem> = after(diffs) { diff ->
    when (diff) {
        is TimelineDiff.Reset -> reset(diff.values)
        is TimelineDiff.Append -> addAll(diff.values)
        is TimelineDiff.Clear -> clear()
        is TimelineDiff.PushFront -> add(0, diff.value)
        is TimelineDiff.PushBack -> add(diff.value)
        is TimelineDiff.PopFront -> removeAt(0)
        is TimelineDiff.PopBack -> removeAt(lastIndex)
        is TimelineDiff.Insert -> add(diff.index.toInt(), diff.value)
        is TimelineDiff.Set -> set(diff.index.toInt(), diff.value)
        is TimelineDiff.Remove -> removeAt(diff.index.toInt())
        is TimelineDiff.Truncate -> truncate(diff.length)
    }
}

/** This list, after the changes of a list of records. */
@JvmName("withRecords")
public fun List<Record>.with(diffs: List<RecordDiff>): List<Record> = after(diffs) { diff ->
    when (diff) {
        is RecordDiff.Reset -> reset(diff.values)
        is RecordDiff.Append -> addAll(diff.values)
        is RecordDiff.Clear -> clear()
        is RecordDiff.PushFront -> add(0, diff.value)
        is RecordDiff.PushBack -> add(diff.value)
        is RecordDiff.PopFront -> removeAt(0)
        is RecordDiff.PopBack -> removeAt(lastIndex)
        is RecordDiff.Insert -> add(diff.index.toInt(), diff.value)
        is RecordDiff.Set -> set(diff.index.toInt(), diff.value)
        is RecordDiff.Remove -> removeAt(diff.index.toInt())
        is RecordDiff.Truncate -> truncate(diff.length)
    }
}
