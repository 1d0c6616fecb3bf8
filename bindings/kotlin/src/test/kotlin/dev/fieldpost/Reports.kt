// Faults that people met with other bindings made by UniFFI: see the table in README.md.
package dev.fieldpost

import dev.fieldpost.ffi.ClientOptions
import dev.fieldpost.ffi.ErrorKind
import dev.fieldpost.ffi.ExportFormat
import dev.fieldpost.ffi.Failure
import dev.fieldpost.ffi.FfiConverterTypeTimelineListener
import dev.fieldpost.ffi.FieldpostException
import dev.fieldpost.ffi.SessionToken
import dev.fieldpost.ffi.ThreadListener
import dev.fieldpost.ffi.ThreadUpdate
import dev.fieldpost.ffi.TokenProvider
import dev.fieldpost.ffi.Window
import dev.fieldpost.ffi.uniffiContinuationHandleMap
import dev.fieldpost.ffi.uniffiForeignFutureHandleCount
import dev.fieldpost.scenario.passwordSession
import java.io.File
import java.lang.management.ManagementFactory
import java.net.ServerSocket
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicInteger
import java.util.jar.JarFile
import javax.management.ObjectName
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield

internal val REPORTS: Map<String, Test> = mapOf(
    "uniffi-rs 1979: asynchronous calls of the app leave no callbacks behind" to {
        val session = passwordSession(URL, KEY, "ada@fieldpost.test", "fieldpost-demo")
        val asked = AtomicInteger()
        val provider = object : TokenProvider {
            override suspend fun token(refused: String?): SessionToken {
                asked.incrementAndGet()
                return SessionToken((session["user"] as Map<*, *>)["id"] as String, session["access_token"] as String)
            }
        }
        client(tokens = provider).use { client ->
            suspend fun ask(times: Int) {
                val end = asked.get() + times
                while (asked.get() < end) client.sync()
            }
            ask(100)
            val before = callbacks()
            ask(1_000)
            // A thread of JNA frees them, sooner or later.
            collectGarbageUntil({ "callbacks of JNA: $before, then ${callbacks()}" }) { callbacks() <= before + 4 }
            collectGarbageUntil { uniffiForeignFutureHandleCount() == 0 }
        }
    },
    "uniffi-rs 1669: a cancelled call leaves no future behind" to {
        loaded { client, direct ->
            coroutineScope {
                repeat(200) {
                    val call = launch(Dispatchers.Default, CoroutineStart.UNDISPATCHED) { client.send(direct, "Cancelled $it") }
                    call.cancel()
                }
            }
            assertEquals(0u, client.pending().failed)
            // A thread of the library may just now be about to wake one of them.
            collectGarbageUntil { uniffiContinuationHandleMap.size == 0 }
        }
    },
    "a watch or a timeline that is cancelled while it begins leaves no listener behind" to {
        loaded { client, direct ->
            coroutineScope {
                repeat(300) { number ->
                    val calls = listOf<suspend () -> Unit>(
                        { client.watchThread(direct).first() },
                        { client.watchThread(direct).collect {} },
                        { client.openTimeline(direct).close() },
                    )
                    val call = launch(Dispatchers.Default) { calls[number % 3]() }
                    repeat(number % 7) { yield() }
                    if (number % 3 > 0) call.cancel() else call.join()
                }
            }
            noListenerIsLeft()
            collectGarbageUntil { FfiConverterTypeTimelineListener.handleMap.size == 0 }
        }
    },
    "uniffi-rs 2740 and 2939: no checksum is compared at the start" to {
        val functions = Class.forName("dev.fieldpost.ffi.Fieldpost_ffiKt").declaredMethods.map { it.name }
        assertContains(functions, "uniffiCheckContractApiVersion")
        assertEquals(emptyList(), functions.filter { "checksum" in it.lowercase() })
    },
    "element-x-android 4150: a main thread goes on while a sync waits for its server" to {
        val silent = ServerSocket(0)
        val main = Executors.newSingleThreadExecutor()
        val options = ClientOptions(File(folder, "waiting.db").path, "http://127.0.0.1:${silent.localPort}", KEY)
        withContext(main.asCoroutineDispatcher()) {
            val client = Fieldpost.open(options)
            val waiting = launch(start = CoroutineStart.UNDISPATCHED) { client.signIn("ada@fieldpost.test", "fieldpost-demo") }
            // The server has the request, and never answers.
            val connection = withContext(Dispatchers.IO) { silent.accept() }
            client.start()
            repeat(1_000) {
                client.status()
                client.setOnline(true)
                yield()
            }
            assertEquals(emptyList(), client.conversations())
            client.stop()
            assertTrue(waiting.isActive)
            waiting.cancel()
            client.shutdown()
            connection.close()
        }
        main.shutdown()
        silent.close()
    },
    "gobley 139 and 285: the consumer rules keep all that JNA looks for by name" to {
        val rules = File(packageFolder, "android/consumer-rules.pro").readText()
        val kept = Regex("-keep class ([\\w.]+)\\.\\*\\* \\{ \\*; }").findAll(rules).map { it.groupValues[1] + "." }.toList()
        val jna = classesOfTheBindings().filter { type -> generateSequence(type) { it.superclass }.any(::isOfJna) }
        assertTrue(jna.size > 20, "${jna.size}")
        assertEquals(emptyList(), jna.map { it.name }.filterNot { name -> kept.any(name::startsWith) })
        assertContains(kept, "com.sun.jna.")
    },
    "powersync-kotlin 215: a cancelled call is cancelled, and is no failure of the library" to {
        loaded { client, direct ->
            val calls = listOf<suspend () -> Any?>(
                { client.send(direct, "Cancelled") },
                { client.conversations() },
                { client.sync() },
                { client.openTimeline(direct) },
                { client.export(direct, ExportFormat.TEXT) },
                { client.watchThread(direct).collect {} },
            )
            for (call in calls) {
                var ended: Throwable? = null
                coroutineScope {
                    launch {
                        coroutineContext.job.cancel()
                        ended = runCatching { call() }.exceptionOrNull()
                    }
                }
                assertTrue(ended is CancellationException)
            }
            assertFailsWith<TimeoutCancellationException> { withTimeout(1) { client.watchStatus().collect {} } }
        }
    },
    "element-x-android 2619: a timeline that was closed can be asked, and is no error" to {
        loaded { client, direct ->
            val timeline = client.openTimeline(direct)
            timeline.close()
            assertEquals(false, timeline.isActive())
            timeline.ends()
            timeline.paginateBackwards()
            client.shutdown()
            timeline.ends()
            val failure = runCatching { timeline.paginateBackwards() }.exceptionOrNull()
            assertTrue(failure == null || failure is FieldpostException.Failed, "$failure")
        }
    },
    "uniffi-rs 2903: a listener and a provider that throw an Error hold nobody up" to {
        loaded { client, direct ->
            val updates = Channel<Unit>(Channel.UNLIMITED)
            var times = 0
            val listener = object : ThreadListener {
                override fun onUpdate(update: ThreadUpdate) {
                    updates.trySend(Unit)
                    if (times++ == 0) throw AssertionError("the listener has a fault")
                }

                override fun onError(failure: Failure) = Unit

                override fun onEnd() = Unit
            }
            client.watchThread(direct, Window(), listener).use {
                inTime { updates.receive() }
                client.send(direct, "After the fault")
                inTime { updates.receive() }
            }
        }
        val provider = object : TokenProvider {
            override suspend fun token(refused: String?): SessionToken = throw NotImplementedError("the provider has a fault")
        }
        val options = options("provider.db").copy(callbackLimit = java.time.Duration.ofMillis(200))
        Fieldpost.open(options, provider).use { client -> assertKind(ErrorKind.OFFLINE) { inTime { client.sync() } } }
    },
    "kable 1129: nothing calls removeFirst or removeLast, which Android has from 15 on only" to {
        val sources = listOf("src/main", "android/src", "example").map { File(packageFolder, it) } + generatedSource()
        val calls = sources.flatMap { it.walk() }.filter { it.extension == "kt" }.flatMap { file ->
            file.readLines().filter { Regex("\\.remove(First|Last)\\(").containsMatchIn(it) }.map { "${file.name}: $it" }
        }
        assertEquals(emptyList(), calls)
    },
    "uniffi-rs 2624: many calls with large and small texts at once" to {
        loaded { client, direct ->
            withContext(Dispatchers.Default) {
                List(16) { writer ->
                    async {
                        repeat(25) { number ->
                            val text = "$writer/$number" + "ä😀x".repeat(number * writer)
                            assertEquals(text, client.send(direct, text).text)
                        }
                    }
                }.awaitAll()
            }
            assertEquals(400u, client.pending().pending)
        }
    },
)

private fun isOfJna(type: Class<*>): Boolean = type.name.startsWith("com.sun.jna.") || type.interfaces.any(::isOfJna)

private fun jarOfTheBindings() =
    File(Fieldpost::class.java.classLoader.getResource("dev/fieldpost/ffi/Client.class")!!.path.substringBefore('!').removePrefix("file:"))

private fun generatedSource() = File(jarOfTheBindings().parentFile, "generated").also { check(it.isDirectory) { "$it is no folder" } }

private fun classesOfTheBindings(): List<Class<*>> {
    val names = JarFile(jarOfTheBindings()).entries().asSequence().map { it.name }.filter { it.endsWith(".class") }
    return names.map { Class.forName(it.removeSuffix(".class").replace('/', '.'), false, Fieldpost::class.java.classLoader) }.toList()
}

/** How many callbacks JNA holds, after all garbage was collected. */
private fun callbacks(): Int {
    repeat(3) { System.gc() }
    val command = ObjectName("com.sun.management:type=DiagnosticCommand")
    val server = ManagementFactory.getPlatformMBeanServer()
    val histogram = server.invoke(command, "gcClassHistogram", arrayOf(arrayOf<String>()), arrayOf(Array<String>::class.java.name)) as String
    return histogram.lines().filter { "com.sun.jna.Callback" in it }.sumOf { it.trim().split(Regex("\\s+"))[1].toInt() }
}
