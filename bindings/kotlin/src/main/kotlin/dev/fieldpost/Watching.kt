// How listeners of the library become flows.
package dev.fieldpost

import dev.fieldpost.ffi.ContextListener
import dev.fieldpost.ffi.ContextState
import dev.fieldpost.ffi.ConversationDiff
import dev.fieldpost.ffi.ConversationsListener
import dev.fieldpost.ffi.CountListener
import dev.fieldpost.ffi.Failure
import dev.fieldpost.ffi.OutboxEvent
import dev.fieldpost.ffi.OutboxListener
import dev.fieldpost.ffi.Person
import dev.fieldpost.ffi.RecordCounts
import dev.fieldpost.ffi.RecordCountsListener
import dev.fieldpost.ffi.RecordDiff
import dev.fieldpost.ffi.RecordsListener
import dev.fieldpost.ffi.Status
import dev.fieldpost.ffi.StatusListener
import dev.fieldpost.ffi.Subscription
import dev.fieldpost.ffi.ThreadListener
import dev.fieldpost.ffi.ThreadUpdate
import dev.fieldpost.ffi.TypingListener
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.ProducerScope
import kotlinx.coroutines.channels.SendChannel
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.withContext

/** A flow of states: only the newest counts. */
internal fun <T> latest(start: suspend ProducerScope<T>.() -> Subscription): Flow<T> = watch(start).conflate()

/** A flow of updates: each counts, so what is not yet collected is kept. */
internal fun <T> every(start: suspend ProducerScope<T>.() -> Subscription): Flow<T> =
    watch(start).buffer(Channel.UNLIMITED)

/**
 * The library holds the listener, the listener the channel, the channel this coroutine, and that the subscription: nothing of it is
 * collected as garbage while the flow is being collected.
 */
private fun <T> watch(start: suspend ProducerScope<T>.() -> Subscription): Flow<T> = callbackFlow {
    var subscription: Subscription? = null
    try {
        // A collector may be unconfined, and the library may not be called again by the thread on which it returns.
        withContext(Dispatchers.Default) { subscription = whole { start() } }
        awaitClose()
    } finally {
        subscription?.cancel()
        subscription?.close()
    }
}

/**
 * Carries out a call to its end, also if its caller is cancelled: UniFFI forgets to give back an object that has been made and was not
 * fetched, so a watch would go on for ever, and a file would stay open.
 */
internal suspend fun <T> whole(call: suspend () -> T): T = withContext(NonCancellable) { call() }

/**
 * What all listeners have in common. The one thread of the library that calls listeners calls it, and it never waits there: a slow
 * collector holds nobody up.
 */
internal abstract class Told<T>(
    private val channel: SendChannel<*>,
    private val onFailure: (Failure) -> Unit,
    private val tell: (T) -> Unit,
) {
    fun hear(update: T) = tell(update)

    open fun onError(failure: Failure) = onFailure(failure)

    open fun onEnd() {
        channel.close()
    }
}

private val ignored: (Failure) -> Unit = {}

internal class ConversationsTold(
    channel: SendChannel<*>,
    onFailure: (Failure) -> Unit = ignored,
    tell: (List<ConversationDiff>) -> Unit,
) : Told<List<ConversationDiff>>(channel, onFailure, tell),
    ConversationsListener {
    override fun onUpdate(update: List<ConversationDiff>) = hear(update)
}

internal class ThreadTold(
    channel: SendChannel<*>,
    onFailure: (Failure) -> Unit = ignored,
    tell: (ThreadUpdate) -> Unit,
) : Told<ThreadUpdate>(channel, onFailure, tell),
    ThreadListener {
    override fun onUpdate(update: ThreadUpdate) = hear(update)
}

internal class RecordsTold(
    channel: SendChannel<*>,
    onFailure: (Failure) -> Unit = ignored,
    tell: (List<RecordDiff>) -> Unit,
) : Told<List<RecordDiff>>(channel, onFailure, tell),
    RecordsListener {
    override fun onUpdate(update: List<RecordDiff>) = hear(update)
}

internal class OutboxTold(channel: SendChannel<*>, tell: (OutboxEvent) -> Unit) :
    Told<OutboxEvent>(channel, ignored, tell),
    OutboxListener {
    override fun onUpdate(update: OutboxEvent) = hear(update)
}

internal class CountTold(channel: SendChannel<*>, tell: (UInt) -> Unit) :
    Told<UInt>(channel, ignored, tell),
    CountListener {
    override fun onUpdate(update: UInt) = hear(update)
}

internal class StatusTold(channel: SendChannel<*>, tell: (Status) -> Unit) :
    Told<Status>(channel, ignored, tell),
    StatusListener {
    override fun onUpdate(update: Status) = hear(update)
}

internal class TypingTold(channel: SendChannel<*>, tell: (List<Person>) -> Unit) :
    Told<List<Person>>(channel, ignored, tell),
    TypingListener {
    override fun onUpdate(update: List<Person>) = hear(update)
}

internal class ContextTold(channel: SendChannel<*>, tell: (ContextState) -> Unit) :
    Told<ContextState>(channel, ignored, tell),
    ContextListener {
    override fun onUpdate(update: ContextState) = hear(update)
}

internal class RecordCountsTold(channel: SendChannel<*>, tell: (RecordCounts) -> Unit) :
    Told<RecordCounts>(channel, ignored, tell),
    RecordCountsListener {
    override fun onUpdate(update: RecordCounts) = hear(update)
}
