package dev.fieldpost.scenario

import dev.fieldpost.Fieldpost
import dev.fieldpost.ffi.Failure
import dev.fieldpost.ffi.ThreadListener
import dev.fieldpost.ffi.ThreadUpdate
import dev.fieldpost.ffi.Timeline
import dev.fieldpost.ffi.TimelineListener
import dev.fieldpost.ffi.TimelineUpdate
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.SendChannel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch

/** What a watch has told, and has not been looked at. */
internal class Watch(private val updates: Channel<Any?>, val timeline: Timeline? = null, private val stop: () -> Unit) {
    private val first = ArrayDeque<Any?>()

    suspend fun next(): Any? = first.removeFirstOrNull() ?: updates.receive()

    /** Fails as the watch has failed to start. */
    suspend fun begun() {
        first += updates.receive()
    }

    /** How many have come since the last look. */
    fun count(): Int = generateSequence { first.removeFirstOrNull() ?: updates.tryReceive().getOrNull() }.count()

    suspend fun end() {
        for (update in updates) first.clear()
    }

    fun cancel() = stop()

    companion object {
        /** As a screen does it. */
        suspend fun collecting(flow: Flow<Any?>, tellsAtOnce: Boolean): Watch {
            val updates = Channel<Any?>(Channel.UNLIMITED)
            // Unconfined, which is the hardest case: the collector runs on threads of the library.
            val job = CoroutineScope(Dispatchers.Unconfined + SupervisorJob()).launch {
                val failure = runCatching { flow.collect { updates.send(it) } }.exceptionOrNull()
                updates.close(failure)
            }
            val watch = Watch(updates) { job.cancel() }
            if (tellsAtOnce || job.isCompleted) watch.begun()
            return watch
        }

        /** With a listener that throws at its first calls, which is not what a flow can do. */
        suspend fun throwing(client: Fieldpost, given: Given, times: Int): Watch {
            val updates = Channel<Any?>(Channel.UNLIMITED)
            val subscription = client.watchThread(given.conversation, given.window, Throwing(updates, times))
            return Watch(updates) { subscription.cancel() }
        }

        suspend fun timeline(client: Fieldpost, given: Given): Watch {
            val updates = Channel<Any?>(Channel.UNLIMITED)
            val timeline = client.timeline(given.conversation, given.timelineOptions(), Following(updates))
            return Watch(updates, timeline) { timeline.cancel() }
        }
    }
}

private class Throwing(private val to: SendChannel<Any?>, private var times: Int) : ThreadListener {
    override fun onUpdate(update: ThreadUpdate) {
        check(times-- <= 0) { "the listener has a fault" }
        to.trySend(update)
    }

    override fun onError(failure: Failure) = error(failure)

    override fun onEnd() {
        to.close()
    }
}

private class Following(private val to: SendChannel<Any?>) : TimelineListener {
    override fun onUpdate(update: TimelineUpdate) {
        to.trySend(update)
    }

    override fun onError(failure: Failure) = error(failure)

    override fun onEnd() {
        to.close()
    }
}
