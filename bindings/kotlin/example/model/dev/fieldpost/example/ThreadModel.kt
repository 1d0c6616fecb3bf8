package dev.fieldpost.example

import dev.fieldpost.Fieldpost
import dev.fieldpost.OpenTimeline
import dev.fieldpost.ffi.ConversationId
import dev.fieldpost.ffi.Draft
import dev.fieldpost.ffi.Edge
import dev.fieldpost.ffi.FieldpostException
import dev.fieldpost.ffi.MessageStatus
import dev.fieldpost.ffi.ThreadMessage
import dev.fieldpost.ffi.TimelineItem
import dev.fieldpost.ffi.TimelineOptions
import java.io.Closeable
import java.nio.charset.CharacterCodingException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/** A row of the thread. Its key stays the same when a message is sent, so a list can animate it. */
sealed interface ThreadRow {
    val key: String

    data class Message(val message: ThreadMessage, val firstOfGroup: Boolean) : ThreadRow {
        override val key get() = message.id
    }

    data class Separator(override val key: String, val text: String) : ThreadRow
}

/**
 * What the screen of a thread shows.
 *
 * @property hasOlder whether scrolling up brings more
 * @property problem what to tell the person; null if nothing went wrong
 */
data class ThreadState(val rows: List<ThreadRow> = emptyList(), val hasOlder: Boolean = false, val problem: String? = null)

/**
 * One thread. Close it when its screen goes.
 *
 * @property draft what the person has begun to write before
 */
class ThreadModel private constructor(
    private val fieldpost: Fieldpost,
    private val conversation: ConversationId,
    val draft: String,
    private val timeline: OpenTimeline,
    private val scope: CoroutineScope,
) : Closeable {
    /** Calls of one thread are carried out beside each other; what is typed has an order. */
    private val typing = Mutex()
    private val shown = MutableStateFlow(ThreadState())
    val state: StateFlow<ThreadState> = shown.asStateFlow()

    private val following = scope.launch {
        timeline.shown.collect { (items, ends) ->
            shown.update { it.copy(rows = items.mapNotNull(::row), hasOlder = ends.older != Edge.END) }
        }
    }

    /** The top of the list has come into sight. */
    fun older(): Job = trying { timeline.paginateBackwards() }

    /** The message is in the thread at once, and goes out when there is a network. */
    fun send(text: String): Job = inOrder {
        fieldpost.keepDraft(conversation, Draft(text))
        // The draft goes as the message comes: also a process that ends now has one of both.
        fieldpost.sendStoredDraft(conversation)
    }

    /** With each key, so that nothing is lost. */
    fun keep(draft: String): Job = inOrder { fieldpost.keepDraft(conversation, Draft(draft)) }

    /** The newest message that was in sight. */
    fun displayed(upTo: ThreadMessage): Job = trying { upTo.seq?.let { fieldpost.markRead(conversation, it) } }

    fun react(to: ThreadMessage, emoji: String): Job = trying { fieldpost.toggleReaction(conversation, to.id, emoji) }

    override fun close() {
        following.cancel()
        timeline.close()
    }

    private fun inOrder(call: suspend () -> Unit): Job = trying { typing.withLock { call() } }

    /** Undispatched: the calls of a screen come to the lock in their order. */
    private fun trying(call: suspend () -> Unit): Job = scope.launch(start = CoroutineStart.UNDISPATCHED) {
        try {
            call()
            shown.update { it.copy(problem = null) }
        } catch (failure: FieldpostException.Failed) {
            shown.update { it.copy(problem = failure.reason) }
        } catch (_: CharacterCodingException) {
            // A keyboard has cut an emoji in two. The next key makes it whole.
        }
    }

    companion object {
        suspend fun open(fieldpost: Fieldpost, conversation: ConversationId, scope: CoroutineScope): ThreadModel {
            // First, because a timeline that is open has to be closed if something fails.
            val draft = fieldpost.draft(conversation)?.text.orEmpty()
            val timeline = fieldpost.openTimeline(conversation, TimelineOptions(page = 50u))
            return ThreadModel(fieldpost, conversation, draft, timeline, scope)
        }

        private fun row(item: TimelineItem): ThreadRow? = when (item) {
            is TimelineItem.Message -> ThreadRow.Message(item.message, item.firstOfGroup)
            is TimelineItem.Day -> ThreadRow.Separator("day ${item.day}", item.day)
            is TimelineItem.Unread -> ThreadRow.Separator("unread", "New")
            is TimelineItem.Gap -> ThreadRow.Separator("gap ${item.from}", "Some messages are not on this device")
            is TimelineItem.Start -> ThreadRow.Separator("start", "This is the beginning")
            is TimelineItem.Loading -> null
        }
    }
}

/** The mark beside one's own message. */
fun ThreadMessage.mark(): String = when {
    failure != null -> "!"
    status == MessageStatus.QUEUED -> "…"
    status == MessageStatus.SENT -> "✓"
    status == MessageStatus.DELIVERED -> "✓✓"
    status == MessageStatus.READ -> "✓✓ read"
    else -> ""
}
