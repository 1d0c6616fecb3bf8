package dev.fieldpost

import dev.fieldpost.ffi.Client
import dev.fieldpost.ffi.ClientInterface
import dev.fieldpost.ffi.ClientOptions
import dev.fieldpost.ffi.ContextState
import dev.fieldpost.ffi.ConversationDiff
import dev.fieldpost.ffi.ConversationId
import dev.fieldpost.ffi.ConversationQuery
import dev.fieldpost.ffi.ConversationSummary
import dev.fieldpost.ffi.ConversationsListener
import dev.fieldpost.ffi.Export
import dev.fieldpost.ffi.ExportFormat
import dev.fieldpost.ffi.Failure
import dev.fieldpost.ffi.Older
import dev.fieldpost.ffi.OutboxEvent
import dev.fieldpost.ffi.Person
import dev.fieldpost.ffi.Record
import dev.fieldpost.ffi.RecordCounts
import dev.fieldpost.ffi.RecordDiff
import dev.fieldpost.ffi.RecordQuery
import dev.fieldpost.ffi.RecordsListener
import dev.fieldpost.ffi.SecretStore
import dev.fieldpost.ffi.Status
import dev.fieldpost.ffi.Subscription
import dev.fieldpost.ffi.ThreadListener
import dev.fieldpost.ffi.ThreadMessage
import dev.fieldpost.ffi.ThreadUpdate
import dev.fieldpost.ffi.Timeline
import dev.fieldpost.ffi.TimelineListener
import dev.fieldpost.ffi.TimelineOptions
import dev.fieldpost.ffi.TokenProvider
import dev.fieldpost.ffi.Window
import java.io.Closeable
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext

/**
 * One account on one device: reads and writes a local file, and makes it agree with the server when there is a network.
 *
 * All calls of the library's [Client] are here. Those that take time are `suspend` functions, which never block the thread that calls
 * them, so all of them may be called from the main thread. What fails is a [dev.fieldpost.ffi.FieldpostException], with a kind, an advice
 * and a reason for people. A call that is cancelled before it returns is still carried out if it writes.
 *
 * What a screen shows comes as a [Flow]. Each collection is a watch of its own: it begins with what is there now, lives as long as it is
 * collected, and completes when the client is shut down. A flow of lists or numbers gives a slow collector the newest state and skips what
 * was between; a flow of updates skips nothing, so collect it to its end.
 */
public class Fieldpost private constructor(private val client: Client) :
    ClientInterface by client,
    Closeable {

    public companion object {
        /**
         * Opens the file and builds the client. Needs no network.
         *
         * @param tokens provides the tokens of a session that the app owns
         * @param secrets the keychain in which the tokens of the session lie, in place of the file
         * @throws LibraryMismatch if the library does not fit this package
         * @throws dev.fieldpost.ffi.FieldpostException if a setting is missing, or the file cannot be opened
         */
        public suspend fun open(
            options: ClientOptions,
            tokens: TokenProvider? = null,
            secrets: SecretStore? = null,
        ): Fieldpost {
            // Loading the library reads a file of several megabytes.
            withContext(Dispatchers.IO) { loadLibrary() }
            return Fieldpost(made({ it.shutdown() }) { Client.open(options, tokens, secrets) })
        }
    }

    /**
     * Shuts the client down and waits for it, at most as long as what is being written takes. In a coroutine, and above all on the main
     * thread, call [shutdown] instead. Closing twice is allowed; calls after it fail with the kind `CLOSED`.
     */
    override fun close(): Unit = runBlocking { client.shutdown() }

    // Also in a coroutine that is cancelled: who shuts a client down there wants the file to be free afterwards.
    override suspend fun shutdown(): Unit = whole { client.shutdown() }

    override suspend fun export(conversation: ConversationId, format: ExportFormat): Export =
        made { client.export(conversation, format) }

    override suspend fun timeline(conversation: ConversationId, options: TimelineOptions, listener: TimelineListener): Timeline =
        made { client.timeline(conversation, options, listener) }

    override suspend fun watchConversations(query: ConversationQuery, listener: ConversationsListener): Subscription =
        made { client.watchConversations(query, listener) }

    override suspend fun watchThread(conversation: ConversationId, window: Window, listener: ThreadListener): Subscription =
        made { client.watchThread(conversation, window, listener) }

    override suspend fun watchRecords(query: RecordQuery, listener: RecordsListener): Subscription =
        made { client.watchRecords(query, listener) }

    /**
     * The conversations that match, kept up to date.
     *
     * @param onFailure is told when reading a change has failed; the next change brings what was missed. A thread of the library calls it
     */
    public fun watchConversations(
        query: ConversationQuery = ConversationQuery(),
        onFailure: (Failure) -> Unit = {},
    ): Flow<List<ConversationSummary>> = latest {
        var shown = emptyList<ConversationSummary>()
        val listener = ConversationsTold(channel, onFailure) { diffs ->
            shown = shown.with(diffs)
            trySend(shown)
        }
        client.watchConversations(query, listener)
    }

    /** The changes of the conversations that match, without a gap; [with] applies them. */
    public fun conversationUpdates(query: ConversationQuery = ConversationQuery()): Flow<List<ConversationDiff>> =
        every { client.watchConversations(query, ConversationsTold(channel) { trySend(it) }) }

    /**
     * The newest messages of a conversation, oldest first, kept up to date.
     *
     * @param onFailure is told when reading a change has failed; the next change brings what was missed. A thread of the library calls it
     */
    public fun watchThread(
        conversation: ConversationId,
        window: Window = Window(),
        onFailure: (Failure) -> Unit = {},
    ): Flow<ShownThread> = latest {
        var shown = emptyList<ThreadMessage>()
        val listener = ThreadTold(channel, onFailure) { update ->
            shown = shown.with(update.diffs)
            trySend(ShownThread(shown, update.older))
        }
        client.watchThread(conversation, window, listener)
    }

    /** The changes of a conversation's newest messages, without a gap; [with] applies them. */
    public fun threadUpdates(conversation: ConversationId, window: Window = Window()): Flow<ThreadUpdate> =
        every { client.watchThread(conversation, window, ThreadTold(channel) { trySend(it) }) }

    /**
     * Opens a thread of any length, with days, gaps and what was read. Close it when its screen goes.
     *
     * @param onFailure is told when reading a change has failed; the next change brings what was missed. A thread of the library calls it
     */
    public suspend fun openTimeline(
        conversation: ConversationId,
        options: TimelineOptions = TimelineOptions(),
        onFailure: (Failure) -> Unit = {},
    ): OpenTimeline {
        val told = TimelineTold(onFailure)
        return OpenTimeline(timeline(conversation, options, told), told)
    }

    /**
     * The records that a query asks for, kept up to date.
     *
     * @param onFailure is told when reading a change has failed; the next change brings what was missed. A thread of the library calls it
     */
    public fun watchRecords(query: RecordQuery, onFailure: (Failure) -> Unit = {}): Flow<List<Record>> = latest {
        var shown = emptyList<Record>()
        val listener = RecordsTold(channel, onFailure) { diffs ->
            shown = shown.with(diffs)
            trySend(shown)
        }
        client.watchRecords(query, listener)
    }

    /** The changes of the records that a query asks for, without a gap; [with] applies them. */
    public fun recordUpdates(query: RecordQuery): Flow<List<RecordDiff>> =
        every { client.watchRecords(query, RecordsTold(channel) { trySend(it) }) }

    /** What comes into the outbox and leaves it, without a gap. The first events are what is in it already. */
    public fun watchOutbox(): Flow<OutboxEvent> = every { client.watchOutbox(OutboxTold(channel) { trySend(it) }) }

    /** The number for a badge. */
    public fun watchUnreadForBadge(): Flow<UInt> =
        latest { client.watchUnreadForBadge(CountTold(channel) { trySend(it) }) }

    /** The number of all unread messages. */
    public fun watchTotalUnread(): Flow<UInt> = latest { client.watchTotalUnread(CountTold(channel) { trySend(it) }) }

    /** Whether everything is synced, and if not, why. */
    public fun watchStatus(): Flow<Status> = latest { client.watchStatus(StatusTold(channel) { trySend(it) }) }

    /** Who is writing in a conversation. The app must have switched typing on. */
    public fun watchTyping(conversation: ConversationId): Flow<List<Person>> =
        latest { client.watchTyping(conversation, TypingTold(channel) { trySend(it) }) }

    /** The state of messages and records together. */
    public fun watchContext(): Flow<ContextState> = latest { client.watchContext(ContextTold(channel) { trySend(it) }) }

    /** How many changes of records wait, and how many were refused. */
    public fun watchRecordCounts(): Flow<RecordCounts> =
        latest { client.watchRecordCounts(RecordCountsTold(channel) { trySend(it) }) }
}

/**
 * The newest messages of a conversation.
 *
 * @property messages oldest first
 * @property older what there is before them
 */
public data class ShownThread(val messages: List<ThreadMessage>, val older: Older)
