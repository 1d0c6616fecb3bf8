package dev.fieldpost

import dev.fieldpost.ffi.ConversationDiff
import dev.fieldpost.ffi.MessageDiff
import dev.fieldpost.ffi.RecordDiff
import dev.fieldpost.ffi.TimelineDiff
import dev.fieldpost.ffi.TimelineItem
import dev.fieldpost.ffi.Window
import kotlin.test.assertEquals

/** Each kind of list has changes of its own type: all of them must do the same. */
internal val DIFFS: Map<String, Test> = mapOf(
    "diffs are applied in their order, to each kind of list" to {
        val client = Fieldpost.open(options().copy(clinical = true))
        client.signIn("ada@fieldpost.test", "fieldpost-demo")
        client.triggerSync()
        val conversation = client.conversations().first()
        conversations().apply({ conversation.copy(name = it) }, { it.name }) { list, diffs -> list.with(diffs) }
        val message = client.messages(conversation.id, Window()).messages.first()
        messages().apply({ message.copy(text = it) }, { it.text!! }) { list, diffs -> list.with(diffs) }
        items().apply(TimelineItem::Day, { (it as TimelineItem.Day).day }) { list, diffs -> list.with(diffs) }
        val record = client.createRecord("workers", """{"first_name":"Sam","last_name":"Reed","company":"North","role":"rigger"}""")
        records().apply({ record.copy(fields = it) }, { it.fields }) { list, diffs -> list.with(diffs) }
        client.shutdown()
    },
)

private class Kind<T, D>(
    val reset: (List<T>) -> D,
    val append: (List<T>) -> D,
    val clear: D,
    val pushFront: (T) -> D,
    val pushBack: (T) -> D,
    val popFront: D,
    val popBack: D,
    val insert: (UInt, T) -> D,
    val set: (UInt, T) -> D,
    val remove: (UInt) -> D,
    val truncate: (UInt) -> D,
) {
    fun apply(one: (String) -> T, text: (T) -> String, with: (List<T>, List<D>) -> List<T>) {
        fun shown(list: List<T>) = list.joinToString(" ", transform = text)
        val before = listOf(one("old"))
        val grown = with(
            before,
            listOf(
                reset(listOf(one("a"), one("b"))),
                append(listOf(one("c"), one("d"))),
                pushFront(one("first")),
                pushBack(one("last")),
                insert(1u, one("second")),
                set(2u, one("A")),
                remove(3u),
            ),
        )
        assertEquals("first second A c d last", shown(grown))
        val shrunk = with(grown, listOf(popFront, popBack, truncate(2u)))
        assertEquals("second A", shown(shrunk))
        assertEquals("second A", shown(with(shrunk, listOf(truncate(9u)))))
        assertEquals(emptyList(), with(shrunk, listOf(clear)))
        // A list that was shown is not changed any more.
        assertEquals("old" to "first second A c d last", shown(before) to shown(grown))
    }
}

private fun conversations() = Kind(
    ConversationDiff::Reset,
    ConversationDiff::Append,
    ConversationDiff.Clear,
    ConversationDiff::PushFront,
    ConversationDiff::PushBack,
    ConversationDiff.PopFront,
    ConversationDiff.PopBack,
    ConversationDiff::Insert,
    ConversationDiff::Set,
    ConversationDiff::Remove,
    ConversationDiff::Truncate,
)

private fun messages() = Kind(
    MessageDiff::Reset,
    MessageDiff::Append,
    MessageDiff.Clear,
    MessageDiff::PushFront,
    MessageDiff::PushBack,
    MessageDiff.PopFront,
    MessageDiff.PopBack,
    MessageDiff::Insert,
    MessageDiff::Set,
    MessageDiff::Remove,
    MessageDiff::Truncate,
)

private fun items() = Kind(
    TimelineDiff::Reset,
    TimelineDiff::Append,
    TimelineDiff.Clear,
    TimelineDiff::PushFront,
    TimelineDiff::PushBack,
    TimelineDiff.PopFront,
    TimelineDiff.PopBack,
    TimelineDiff::Insert,
    TimelineDiff::Set,
    TimelineDiff::Remove,
    TimelineDiff::Truncate,
)

private fun records() = Kind(
    RecordDiff::Reset,
    RecordDiff::Append,
    RecordDiff.Clear,
    RecordDiff::PushFront,
    RecordDiff::PushBack,
    RecordDiff.PopFront,
    RecordDiff.PopBack,
    RecordDiff::Insert,
    RecordDiff::Set,
    RecordDiff::Remove,
    RecordDiff::Truncate,
)
