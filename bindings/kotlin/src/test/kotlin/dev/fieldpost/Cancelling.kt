package dev.fieldpost

import dev.fieldpost.ffi.ClientInterface
import dev.fieldpost.ffi.ConversationQuery
import dev.fieldpost.ffi.Disposable
import dev.fieldpost.ffi.FfiConverterTypeConversationsListener
import dev.fieldpost.ffi.FfiConverterTypeRecordsListener
import dev.fieldpost.ffi.FfiConverterTypeSecretStore
import dev.fieldpost.ffi.FfiConverterTypeThreadListener
import dev.fieldpost.ffi.FfiConverterTypeTimelineListener
import dev.fieldpost.ffi.RecordQuery
import dev.fieldpost.ffi.TimelineOptions
import dev.fieldpost.ffi.Window
import dev.fieldpost.scenario.Keychain
import java.io.File
import java.lang.reflect.ParameterizedType
import java.lang.reflect.Type
import java.lang.reflect.WildcardType
import java.util.concurrent.CompletableFuture
import kotlin.concurrent.thread
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.Continuation
import kotlin.coroutines.ContinuationInterceptor
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield

/** Calls that make objects, and are cancelled. */
internal val CANCELLING: Map<String, Test> = mapOf(
    "what a cancelled call has made is given back, once, before the call ends" to {
        coroutineScope {
            val (begun, goOn) = CompletableDeferred<Unit>() to CompletableDeferred<Unit>()
            var givenBack = 0
            val call = async(start = CoroutineStart.UNDISPATCHED) {
                made {
                    begun.complete(Unit)
                    goOn.await()
                    AutoCloseable { givenBack++ }
                }
            }
            inTime { begun.await() }
            call.cancel()
            assertTrue(!call.isCompleted && givenBack == 0)
            goOn.complete(Unit)
            assertFailsWith<CancellationException> { inTime { call.await() } }
            assertEquals(1, givenBack)
        }
    },
    "what cannot be given back is still a cancelled call" to {
        coroutineScope {
            val (begun, goOn) = CompletableDeferred<Unit>() to CompletableDeferred<Unit>()
            val call = async(start = CoroutineStart.UNDISPATCHED) {
                made {
                    begun.complete(Unit)
                    goOn.await()
                    AutoCloseable { error("it cannot be given back") }
                }
            }
            inTime { begun.await() }
            call.cancel()
            goOn.complete(Unit)
            assertFailsWith<CancellationException> { inTime { call.await() } }
        }
    },
    "a call whose caller is cancelled before it makes nothing" to {
        coroutineScope {
            var began = false
            val job = launch {
                coroutineContext.job.cancel()
                made {
                    began = true
                    AutoCloseable {}
                }
            }
            job.join()
            assertTrue(!began)
        }
    },
    "a call that is cancelled when the library has made its object gives it back" to {
        val client = Fieldpost.open(options().copy(clinical = true))
        client.signIn("ada@fieldpost.test", "fieldpost-demo")
        client.triggerSync()
        val direct = client.conversations().first().id
        val calls = listOf<suspend () -> Unit>(
            { client.watchThread(direct, Window(), ThreadTold(silent) {}) },
            { client.watchConversations(ConversationQuery(), ConversationsTold(silent) {}) },
            { client.watchRecords(RecordQuery("workers"), RecordsTold(silent) {}) },
            { client.timeline(direct, TimelineOptions(), TimelineTold {}) },
        )
        coroutineScope {
            for (call in calls) {
                val tooLate = CancelsWhenItGoesOn()
                val job = launch(tooLate, CoroutineStart.UNDISPATCHED) { call() }
                tooLate.job.complete(job)
                inTime { job.join() }
                assertTrue(job.isCancelled)
            }
        }
        val maps = listOf(
            FfiConverterTypeThreadListener.handleMap,
            FfiConverterTypeConversationsListener.handleMap,
            FfiConverterTypeRecordsListener.handleMap,
            FfiConverterTypeTimelineListener.handleMap,
        )
        collectGarbageUntil { maps.all { it.size == 0 } }
        client.shutdown()
    },
    "clients that were opened by a cancelled call let go of what the app has given them" to {
        loadLibrary()
        coroutineScope {
            repeat(40) { number ->
                val call = launch(Dispatchers.Default) { client("$number.db", secrets = Keychain()).shutdown() }
                repeat(number % 9) { yield() }
                call.cancel()
            }
        }
        collectGarbageUntil { FfiConverterTypeSecretStore.handleMap.size == 0 }
    },
    "every call that takes time and returns an object is guarded" to {
        val made = ClientInterface::class.java.methods.filter { method -> method.genericParameterTypes.lastOrNull()?.let(::returned)?.let(::isObject) == true }
        assertTrue(made.size >= 5, "$made")
        val source = File(packageFolder, "src/main/kotlin/dev/fieldpost/Fieldpost.kt").readText().substringAfter("class Fieldpost")
        val bodies = source.split("override suspend fun ").drop(1).associate { it.substringBefore('(') to it.substringBefore("\n\n") }
        assertEquals(emptyList(), made.map { it.name }.filterNot { "made {" in bodies[it].orEmpty() })
    },
)

/** Cancels a coroutine at the worst moment: the library has made its object, and the coroutine is about to fetch it. */
private class CancelsWhenItGoesOn :
    AbstractCoroutineContextElement(ContinuationInterceptor),
    ContinuationInterceptor {
    val job = CompletableFuture<Job>()

    override fun <T> interceptContinuation(continuation: Continuation<T>) = Continuation<T>(continuation.context) { result ->
        // On another thread, because UniFFI resumes inside a lock.
        thread {
            job.get().cancel()
            continuation.resumeWith(result)
        }
    }
}

private val silent = Channel<Nothing>()

/** What a `suspend` function returns, by its last parameter. */
private fun returned(parameter: Type): Type? =
    (parameter as? ParameterizedType)?.takeIf { it.rawType == Continuation::class.java }?.let { continuation ->
        (continuation.actualTypeArguments.single() as WildcardType).lowerBounds.single()
    }

private fun isObject(type: Type): Boolean = type is Class<*> && Disposable::class.java.isAssignableFrom(type)
