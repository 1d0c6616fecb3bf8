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
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.ProducerScope
import kotlinx.coroutines.channels.SendChannel
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.conflate

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
    val subscription = made { start() }
    awaitClose { subscription.close() }
}

/**
 * A listener. The one thread of the library that calls listeners calls it, and it never waits there: a slow collector holds nobody up.
 * What is thrown here would get lost in the library, so it ends the flow instead, and its collector has it.
 */
internal abstract class Told<T>(private val onFailure: (Failure) -> Unit) {
    protected abstract fun tell(update: T)

    /** There will be no more, because of [cause] if there is one. */
    protected abstract fun end(cause: Throwable?)

    open fun onUpdate(update: T): Unit = orEnd { tell(update) }

    open fun onError(failure: Failure): Unit = orEnd { onFailure(failure) }

    open fun onEnd(): Unit = end(null)

    private inline fun orEnd(call: () -> Unit) {
        try {
            call()
        } catch (thrown: Throwable) {
            end(thrown)
        }
    }
}

/** A listener that tells a channel. */
internal abstract class FlowTold<T>(
    private val channel: SendChannel<*>,
    onFailure: (Failure) -> Unit,
    private val hear: (T) -> Unit,
) : Told<T>(onFailure) {
    override fun tell(update: T) = hear(update)

    override fun end(cause: Throwable?) {
        channel.close(cause)
    }
}

private val ignored: (Failure) -> Unit = {}

internal class ConversationsTold(
    channel: SendChannel<*>,
    onFailure: (Failure) -> Unit = ignored,
    hear: (List<ConversationDiff>) -> Unit,
) : FlowTold<List<ConversationDiff>>(channel, onFailure, hear),
    ConversationsListener

internal class ThreadTold(
    channel: SendChannel<*>,
    onFailure: (Failure) -> Unit = ignored,
    hear: (ThreadUpdate) -> Unit,
) : FlowTold<ThreadUpdate>(channel, onFailure, hear),
    ThreadListener

internal class RecordsTold(
    channel: SendChannel<*>,
    onFailure: (Failure) -> Unit = ignored,
    hear: (List<RecordDiff>) -> Unit,
) : FlowTold<List<RecordDiff>>(channel, onFailure, hear),
    RecordsListener

internal class OutboxTold(channel: SendChannel<*>, hear: (OutboxEvent) -> Unit) :
    FlowTold<OutboxEvent>(channel, ignored, hear),
    OutboxListener

internal class CountTold(channel: SendChannel<*>, hear: (UInt) -> Unit) :
    FlowTold<UInt>(channel, ignored, hear),
    CountListener

internal class StatusTold(channel: SendChannel<*>, hear: (Status) -> Unit) :
    FlowTold<Status>(channel, ignored, hear),
    StatusListener

internal class TypingTold(channel: SendChannel<*>, hear: (List<Person>) -> Unit) :
    FlowTold<List<Person>>(channel, ignored, hear),
    TypingListener

internal class ContextTold(channel: SendChannel<*>, hear: (ContextState) -> Unit) :
    FlowTold<ContextState>(channel, ignored, hear),
    ContextListener

internal class RecordCountsTold(channel: SendChannel<*>, hear: (RecordCounts) -> Unit) :
    FlowTold<RecordCounts>(channel, ignored, hear),
    RecordCountsListener
