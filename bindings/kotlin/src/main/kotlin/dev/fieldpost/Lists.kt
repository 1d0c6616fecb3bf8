// Lists that diffs keep up to date.
package dev.fieldpost

import dev.fieldpost.ffi.ConversationDiff
import dev.fieldpost.ffi.ConversationSummary
import dev.fieldpost.ffi.MessageDiff
import dev.fieldpost.ffi.Record
import dev.fieldpost.ffi.RecordDiff
import dev.fieldpost.ffi.ThreadMessage
import dev.fieldpost.ffi.TimelineDiff
import dev.fieldpost.ffi.TimelineItem

/** A list while diffs are applied to it. */
private class Changing<T>(before: List<T>) {
    private var items: MutableList<T> = before.toMutableList()

    fun reset(values: List<T>) {
        items = values.toMutableList()
    }

    fun append(values: List<T>) {
        items += values
    }

    fun clear() = items.clear()

    fun insert(index: UInt, value: T) = items.add(index.toInt(), value)

    fun pushBack(value: T) {
        items += value
    }

    fun set(index: UInt, value: T) {
        items[index.toInt()] = value
    }

    fun remove(index: UInt) {
        items.removeAt(index.toInt())
    }

    fun popBack() {
        items.removeAt(items.lastIndex)
    }

    fun truncate(length: UInt) {
        items = items.subList(0, minOf(length.toInt(), items.size)).toMutableList()
    }

    fun done(): List<T> = items
}

private fun <T, D> List<T>.changed(diffs: List<D>, change: Changing<T>.(D) -> Unit): List<T> =
    Changing(this).apply { diffs.forEach { change(it) } }.done()

/** This list, after the changes of a list of conversations. */
@JvmName("withConversations")
public fun List<ConversationSummary>.with(diffs: List<ConversationDiff>): List<ConversationSummary> = changed(diffs) { diff ->
    when (diff) {
        is ConversationDiff.Reset -> reset(diff.values)
        is ConversationDiff.Append -> append(diff.values)
        is ConversationDiff.Clear -> clear()
        is ConversationDiff.PushFront -> insert(0u, diff.value)
        is ConversationDiff.PushBack -> pushBack(diff.value)
        is ConversationDiff.PopFront -> remove(0u)
        is ConversationDiff.PopBack -> popBack()
        is ConversationDiff.Insert -> insert(diff.index, diff.value)
        is ConversationDiff.Set -> set(diff.index, diff.value)
        is ConversationDiff.Remove -> remove(diff.index)
        is ConversationDiff.Truncate -> truncate(diff.length)
    }
}

/** This list, after the changes of a thread. */
@JvmName("withMessages")
public fun List<ThreadMessage>.with(diffs: List<MessageDiff>): List<ThreadMessage> = changed(diffs) { diff ->
    when (diff) {
        is MessageDiff.Reset -> reset(diff.values)
        is MessageDiff.Append -> append(diff.values)
        is MessageDiff.Clear -> clear()
        is MessageDiff.PushFront -> insert(0u, diff.value)
        is MessageDiff.PushBack -> pushBack(diff.value)
        is MessageDiff.PopFront -> remove(0u)
        is MessageDiff.PopBack -> popBack()
        is MessageDiff.Insert -> insert(diff.index, diff.value)
        is MessageDiff.Set -> set(diff.index, diff.value)
        is MessageDiff.Remove -> remove(diff.index)
        is MessageDiff.Truncate -> truncate(diff.length)
    }
}

/** This list, after the changes of a timeline. */
@JvmName("withItems")
public fun List<TimelineItem>.with(diffs: List<TimelineDiff>): List<TimelineItem> = changed(diffs) { diff ->
    when (diff) {
        is TimelineDiff.Reset -> reset(diff.values)
        is TimelineDiff.Append -> append(diff.values)
        is TimelineDiff.Clear -> clear()
        is TimelineDiff.PushFront -> insert(0u, diff.value)
        is TimelineDiff.PushBack -> pushBack(diff.value)
        is TimelineDiff.PopFront -> remove(0u)
        is TimelineDiff.PopBack -> popBack()
        is TimelineDiff.Insert -> insert(diff.index, diff.value)
        is TimelineDiff.Set -> set(diff.index, diff.value)
        is TimelineDiff.Remove -> remove(diff.index)
        is TimelineDiff.Truncate -> truncate(diff.length)
    }
}

/** This list, after the changes of a list of records. */
@JvmName("withRecords")
public fun List<Record>.with(diffs: List<RecordDiff>): List<Record> = changed(diffs) { diff ->
    when (diff) {
        is RecordDiff.Reset -> reset(diff.values)
        is RecordDiff.Append -> append(diff.values)
        is RecordDiff.Clear -> clear()
        is RecordDiff.PushFront -> insert(0u, diff.value)
        is RecordDiff.PushBack -> pushBack(diff.value)
        is RecordDiff.PopFront -> remove(0u)
        is RecordDiff.PopBack -> popBack()
        is RecordDiff.Insert -> insert(diff.index, diff.value)
        is RecordDiff.Set -> set(diff.index, diff.value)
        is RecordDiff.Remove -> remove(diff.index)
        is RecordDiff.Truncate -> truncate(diff.length)
    }
}
