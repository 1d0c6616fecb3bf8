package dev.fieldpost

import dev.fieldpost.ffi.ErrorKind
import dev.fieldpost.ffi.FieldpostException
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext

internal val CLOSING: Map<String, Test> = mapOf(
    "use closes the file, and closing twice is allowed" to {
        val client = client().use { it.apply { assertEquals(false, isSignedIn()) } }
        assertTrue(client.isShutDown())
        client.close()
        assertKind(ErrorKind.CLOSED) { client.conversations() }
        // The file is free.
        client().use { assertEquals(emptyList(), it.conversations()) }
    },
    "a main thread may close, although it waits for that" to {
        val main = Executors.newSingleThreadExecutor()
        val client = client()
        withContext(main.asCoroutineDispatcher()) { client.close() }
        assertTrue(client.isShutDown())
        main.shutdown()
    },
    "a coroutine that is cancelled may shut down in its finally block, and the client is shut down after it" to {
        val (client, working) = client() to CompletableDeferred<Unit>()
        var returned = false
        coroutineScope {
            val job = launch {
                try {
                    working.complete(Unit)
                    awaitCancellation()
                } finally {
                    client.shutdown()
                    returned = true
                }
            }
            working.await()
            job.cancel()
        }
        assertTrue(returned && client.isShutDown())
    },
    "calls from 8 threads while the client is closed return, or fail as closed" to {
        val (client, returned, refused) = Triple(client(), AtomicInteger(), AtomicInteger())
        val threads = List(8) {
            thread {
                runBlocking {
                    while (refused.get() < 8) {
                        try {
                            client.conversations()
                            client.status()
                            returned.incrementAndGet()
                        } catch (failure: FieldpostException.Failed) {
                            check(failure.kind == ErrorKind.CLOSED) { failure.reason }
                            refused.incrementAndGet()
                        }
                    }
                }
            }
        }
        while (returned.get() < 8) Thread.onSpinWait()
        client.close()
        threads.forEach { it.join(LIMIT.inWholeMilliseconds) }
        assertTrue(threads.none { it.isAlive } && refused.get() >= 8)
    },
    "a process ends well with everything open" to {
        val (code, told) = child("end", folder.path)
        assertEquals(0 to "", code to told)
    },
)
