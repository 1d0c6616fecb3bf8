package dev.fieldpost

import dev.fieldpost.ffi.ConversationId
import dev.fieldpost.ffi.ConversationSummary
import dev.fieldpost.ffi.Draft
import dev.fieldpost.ffi.Edge
import dev.fieldpost.ffi.Ends
import dev.fieldpost.ffi.ErrorKind
import dev.fieldpost.ffi.ExportFormat
import dev.fieldpost.ffi.Failure
import dev.fieldpost.ffi.FfiConverterTypeThreadListener
import dev.fieldpost.ffi.OpenAt
import dev.fieldpost.ffi.RecordQuery
import dev.fieldpost.ffi.RetryAdvice
import dev.fieldpost.ffi.Subscription
import dev.fieldpost.ffi.ThreadListener
import dev.fieldpost.ffi.ThreadUpdate
import dev.fieldpost.ffi.TimelineDiff
import dev.fieldpost.ffi.TimelineItem
import dev.fieldpost.ffi.TimelineOptions
import dev.fieldpost.ffi.TimelineUpdate
import dev.fieldpost.ffi.Window
import java.lang.ref.WeakReference
import java.time.Duration.ofDays
import java.time.Duration.ofHours
import java.time.Instant
import kotlin.coroutines.Continuation
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.coroutines.startCoroutine
import kotlin.concurrent.thread
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.ProducerScope
import kotlinx.coroutines.completeWith
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield

internal val FLOWS: Map<String, Test> = mapOf(
    "a list is kept up to date" to {
        loaded { client, direct ->
            following(client.watchConversations()) { next ->
                assertEquals(2, next().size)
                client.pin(direct)
                assertEquals(direct, until(next) { it.first().pinnedAt != null }.first().id)
                client.send(direct, "Listed")
                assertEquals(client.conversations(), until(next) { it.first().lastMessagePreview == "Listed" })
            }
        }
    },
    "a thread is kept up to date" to {
        loaded { client, direct ->
            following(client.watchThread(direct)) { next ->
                val before = next().messages
                assertEquals(client.messages(direct, Window()).messages, before)
                val sent = client.send(direct, "Followed")
                assertEquals(sent.id, until(next) { it.messages.size > before.size }.messages.last().id)
                client.sync()
                val after = client.messages(direct, Window()).messages
                assertTrue(after.last().seq != null)
                // A sync changes a message more than once.
                until(next) { it.messages == after }
            }
        }
    },
    "records are kept up to date" to {
        val client = Fieldpost.open(options().copy(clinical = true))
        client.signIn("ada@fieldpost.test", "fieldpost-demo")
        client.triggerSync()
        following(client.watchRecords(RecordQuery("workers"))) { next ->
            val before = next().size
            val fields = """{"first_name":"Sam","last_name":"Reed","company":"North","role":"rigger"}"""
            val made = client.createRecord("workers", fields)
            assertTrue(until(next) { it.size == before + 1 }.any { it.id == made.id })
        }
        client.shutdown()
    },
    "a timeline grows, and is kept up to date" to {
        loaded { client, direct ->
            val timeline = client.openTimeline(direct, TimelineOptions(openAt = OpenAt.Newest, page = 2u))
            fun ShownTimeline.messages() = items.filterIsInstance<TimelineItem.Message>().map { it.message }
            following(timeline.shown) { next ->
                assertEquals(2, until(next) { it.messages().isNotEmpty() }.messages().size)
                timeline.paginateBackwards()
                until(next) { it.messages().size > 2 }
                val sent = client.send(direct, "At the end")
                until(next) { it.messages().last().id == sent.id }
            }
            timeline.close()
        }
    },
    "a flow goes on when nobody holds anything and all garbage was collected" to {
        loaded { client, direct ->
            following(client.watchThread(direct)) { next ->
                next()
                val garbage = WeakReference(Any())
                collectGarbageUntil { garbage.get() == null }
                repeat(20) { System.gc() }
                client.send(direct, "After the collection")
                until(next) { it.messages.last().text == "After the collection" }
            }
        }
    },
    "a timeline is told what changes as long as its flow is collected, also if nobody holds it" to {
        loaded { client, direct ->
            following(flow { emitAll(client.openTimeline(direct).shown) }) { next ->
                next()
                val garbage = WeakReference(Any())
                collectGarbageUntil { garbage.get() == null }
                repeat(20) { System.gc() }
                val sent = client.send(direct, "After the collection")
                until(next) { shown -> shown.items.any { it is TimelineItem.Message && it.message.id == sent.id } }
            }
        }
    },
    "the end of a timeline is no state of its own" to {
        val (told, seen) = TimelineTold {} to mutableListOf<ShownTimeline>()
        coroutineScope {
            told.onUpdate(TimelineUpdate(emptyList(), Ends(Edge.END, Edge.END)))
            launch(start = CoroutineStart.UNDISPATCHED) { told.states().collect { seen += it } }
            told.onEnd()
        }
        assertEquals(1, seen.size)
    },
    "a subscription that is forgotten ends, and one that is kept goes on" to {
        loaded { client, direct ->
            val (forgotten, kept) = Heard() to Heard()
            noListenerIsLeft()
            val subscription = client.watchThread(direct, Window(), kept)
            forget(client, direct, forgotten)
            inTime { forgotten.updates.receive() }
            inTime { kept.updates.receive() }
            // The library lets its listener go.
            collectGarbageUntil { FfiConverterTypeThreadListener.handleMap.size == 1 }
            client.send(direct, "Who hears this?")
            inTime { kept.updates.receive() }
            assertTrue(subscription.isActive())
            assertTrue(forgotten.updates.tryReceive().isFailure)
            subscription.cancel()
        }
    },
    "the watch ends with the collection" to {
        loaded { client, direct ->
            repeat(200) { client.watchThread(direct).first() }
            // At once, and not when it is collected as garbage.
            lateinit var subscription: Subscription
            val flow = every { client.watchThread(direct, Window(), ThreadTold(channel) { trySend(it) }).also { subscription = it } }
            following(flow) { next ->
                next()
                client.send(direct, "Collected")
                next()
            }
            assertFailsWith<IllegalStateException> { subscription.isActive() }
            assertFailsWith<IllegalStateException> { client.watchThread(direct).collect { error("the collector has a fault") } }
            noListenerIsLeft()
            assertTrue(client.watchThread(direct).first().messages.isNotEmpty())
        }
    },
    "a slow collector gets the newest state" to {
        loaded { client, direct -> assertEquals(listOf(0, 5), seenLate(client, direct, updates = 5, ::latest)) }
    },
    "updates are never skipped" to {
        loaded { client, direct ->
            following(client.conversationUpdates()) { next ->
                var list = emptyList<ConversationSummary>().with(next())
                repeat(5) { client.keepDraft(direct, Draft("draft $it")) }
                while (list.first { it.id == direct }.draft != "draft 4") list = list.with(next())
                assertEquals(client.conversations(), list)
            }
        }
    },
    "updates are kept for a slow collector, more than a channel has room for" to {
        loaded { client, direct -> assertEquals((0..100).toList(), seenLate(client, direct, updates = 100, ::every)) }
    },
    "what a listener throws ends its flow, and the collector has it" to {
        loaded { client, _ ->
            val faulty = every<Unit> { client.watchStatus(StatusTold(channel) { throw NotImplementedError("the listener has a fault") }) }
            assertFailsWith<NotImplementedError> { inTime { faulty.first() } }
            val channel = Channel<ShownThread>()
            ThreadTold(channel, { error("the app has a fault") }) {}.onError(Failure(ErrorKind.STORAGE, RetryAdvice.Never, ""))
            assertFailsWith<IllegalStateException> { channel.receive() }
        }
    },
    "a failure to read is told, and the flow goes on" to {
        val (channel, failures) = Channel<ShownThread>() to mutableListOf<Failure>()
        val failure = Failure(ErrorKind.STORAGE, RetryAdvice.Never, "the file is gone")
        ThreadTold(channel, { failures += it }) {}.onError(failure)
        assertEquals(listOf(failure), failures)
        assertTrue(channel.tryReceive().run { isFailure && !isClosed })
    },
    "a timeline that is closed or has a fault ends for all who collect it" to {
        loaded { client, direct ->
            val timeline = client.openTimeline(direct)
            coroutineScope {
                val shown = Channel<ShownTimeline>(Channel.UNLIMITED)
                val collecting = launch { timeline.shown.collect { shown.send(it) } }
                inTime { shown.receive() }
                timeline.close()
                inTime { collecting.join() }
            }
            timeline.close()
            assertEquals(false, timeline.isActive())
            assertEquals(1, inTime { timeline.shown.toList() }.size)
            val faulty = TimelineTold {}
            faulty.onUpdate(TimelineUpdate(listOf(TimelineDiff.Remove(3u)), Ends(Edge.END, Edge.END)))
            // It is closed afterwards, as every timeline.
            faulty.onEnd()
            assertFailsWith<IndexOutOfBoundsException> { inTime { faulty.states().first() } }
        }
    },
    "a flow completes when the client is shut down, and a later one fails" to {
        loaded { client, direct ->
            coroutineScope {
                val states = listOf(client.watchStatus(), client.watchThread(direct), client.watchTotalUnread())
                val started = states.map { CompletableDeferred<Unit>() }
                val collecting = states.mapIndexed { index, flow -> async { flow.collect { started[index].complete(Unit) } } }
                started.forEach { it.await() }
                client.shutdown()
                inTime { collecting.forEach { it.await() } }
            }
            assertKind(ErrorKind.CLOSED) { client.watchStatus().first() }
            assertKind(ErrorKind.CLOSED) { client.watchConversations().first() }
        }
    },
    "a flow may be collected unconfined" to {
        loaded { client, direct ->
            withContext(Dispatchers.Unconfined) {
                assertTrue(inTime { client.watchThread(direct).first() }.messages.size > 2)
                assertEquals(2, inTime { client.watchConversations().first() }.size)
            }
        }
    },
    "what makes an object may be called unconfined, and so may the shutdown" to {
        loaded { client, direct ->
            withContext(Dispatchers.Unconfined) {
                inTime { client.openTimeline(direct) }.close()
                inTime { client.export(direct, ExportFormat.TEXT) }.close()
                val another = inTime { client("another.db") }
                inTime { another.shutdown() }
                assertTrue(another.isShutDown())
            }
        }
    },
    "any call may be made unconfined, also by a collector, and with no dispatcher" to {
        loaded { client, direct ->
            withContext(Dispatchers.Unconfined) {
                val sent = inTime { client.send(direct, "unconfined") }
                val shown = inTime { client.watchThread(direct).map { client.messages(direct, Window()) }.first() }
                assertTrue(shown.messages.any { it.id == sent.id })
                // Also from the thread on which the one before has ended.
                repeat(20) { inTime { client.conversations() } }
            }
            val returned = CompletableDeferred<Int>()
            suspend { client.conversations().size + client.people().size }
                .startCoroutine(Continuation(EmptyCoroutineContext) { returned.completeWith(it) })
            assertTrue(inTime { returned.await() } > 2)
        }
    },
    "the times of Kotlin" to {
        loaded { client, direct ->
            val muted = client.mute(direct, 8.hours).mutedUntil!!
            assertTrue(muted > Instant.now() + ofHours(7))
            assertTrue(client.mute(direct, Duration.INFINITE).mutedUntil!! > Instant.now() + ofDays(10_000))
            for (deadline in listOf(20.seconds, Duration.ZERO, -1.seconds, Duration.INFINITE)) {
                assertEquals(0u, client.background(deadline).failed)
            }
        }
    },
)

/** Numbers the updates of a thread, and tells what a collector has seen who was busy with the first while the others came. */
private suspend fun seenLate(
    client: Fieldpost,
    conversation: ConversationId,
    updates: Int,
    flow: (suspend ProducerScope<Int>.() -> Subscription) -> Flow<Int>,
): List<Int> = coroutineScope {
    val (seen, told) = mutableListOf<Int>() to Channel<Unit>(Channel.UNLIMITED)
    val numbers = flow {
        var number = 0
        val listener = ThreadTold(channel) {
            trySend(number++)
            told.trySend(Unit)
        }
        client.watchThread(conversation, Window(), listener)
    }
    val (looking, behind) = CompletableDeferred<Unit>() to CompletableDeferred<Unit>()
    val collecting = launch {
        numbers.collect {
            seen += it
            looking.complete(Unit)
            behind.await()
        }
    }
    inTime { told.receive() }
    inTime { looking.await() }
    repeat(updates) {
        client.send(conversation, "Message $it")
        inTime { told.receive() }
    }
    behind.complete(Unit)
    inTime { while (seen.last() < updates) yield() }
    collecting.cancel()
    seen
}

/** Subscribes in a thread that ends: what a coroutine has had last may stay on the stack of its thread. */
private fun forget(client: Fieldpost, conversation: ConversationId, listener: ThreadListener) = thread {
    runBlocking { client.watchThread(conversation, Window(), listener) }
}.join()

/** The library has let go of every listener of a thread. */
internal fun noListenerIsLeft() = collectGarbageUntil { FfiConverterTypeThreadListener.handleMap.size == 0 }

/** Collects a flow while a story goes on. */
internal suspend fun <T> following(flow: Flow<T>, story: suspend (next: suspend () -> T) -> Unit) = coroutineScope {
    val updates = Channel<T>(Channel.UNLIMITED)
    val collecting = launch(Dispatchers.Default) { flow.collect { updates.send(it) } }
    story { inTime { updates.receive() } }
    collecting.cancel()
}

internal suspend fun <T> until(next: suspend () -> T, looks: (T) -> Boolean): T {
    var update = next()
    while (!looks(update)) update = next()
    return update
}

private class Heard : ThreadListener {
    val updates = Channel<ThreadUpdate>(Channel.UNLIMITED)

    override fun onUpdate(update: ThreadUpdate) {
        updates.trySend(update)
    }

    override fun onError(failure: Failure) = error(failure)

    override fun onEnd() = Unit
}
