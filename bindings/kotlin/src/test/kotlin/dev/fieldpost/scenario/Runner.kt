// Carries out steps, and tells of each.
package dev.fieldpost.scenario

import dev.fieldpost.Fieldpost
import dev.fieldpost.ffi.ClientOptions
import dev.fieldpost.ffi.Draft
import dev.fieldpost.ffi.FieldpostException
import dev.fieldpost.ffi.KeyProgress
import dev.fieldpost.ffi.KeyProgressListener
import dev.fieldpost.ffi.LogLevel
import dev.fieldpost.ffi.LogLine
import dev.fieldpost.ffi.LogSink
import dev.fieldpost.ffi.SearchQuery
import dev.fieldpost.ffi.Window
import dev.fieldpost.ffi.changeKey
import dev.fieldpost.ffi.logTo
import dev.fieldpost.ffi.stopLogging
import java.io.File
import java.nio.charset.CharacterCodingException
import java.util.Collections
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.TimeSource
import kotlin.time.toJavaDuration
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.ClosedReceiveChannelException
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout

/** How long anything may take. Only a fault takes so long, also on a machine that has much else to do. */
private val LIMIT = 1.minutes

/** How long a step may take that does something ten thousand times. */
private val LONGEST = LIMIT * 15

/** A step does not show what it should. */
internal class StepFailed(message: String) : Exception(message)

private typealias Step = Map<*, *>

private val Step.on get() = this["on"] as String? ?: "ada"
private val Step.named get() = this["as"] as String

internal class Runner(
    private val url: String,
    private val key: String,
    private val folder: File,
    private val kept: MutableMap<String, Any?>,
) {
    private val clients = mutableMapOf<String, Fieldpost>()
    private val watches = mutableMapOf<String, Watch>()
    private val providers = mutableMapOf<String, Provider>()
    private val keychains = mutableMapOf<String, Keychain>()

    /** What the compiler refuses is not carried out. */
    suspend fun run(steps: List<*>, crash: Boolean): Boolean {
        val told = steps.map { it as Step }.filterNot { it["untyped"] == true }.map { step ->
            tell(step).also { println(toJson(it)) }
        }
        if (crash) {
            ProcessBuilder("kill", "-KILL", ProcessHandle.current().pid().toString()).start().waitFor()
        }
        clients.values.forEach { it.shutdown() }
        return told.all { it["ok"] == true }
    }

    private suspend fun tell(step: Step): Map<String, Any?> = buildMap {
        put("step", step["step"])
        put("ok", true)
        try {
            val result = withTimeout(LONGEST) { carryOut(step) }
            if ("measure" in step) {
                put("measure", step["measure"])
                put("micros", result)
            }
            if (step["do"] in setOf("changes", "subscriptions")) put("note", toJson(result))
        } catch (failure: StepFailed) {
            put("ok", false)
            put("note", failure.message)
        } catch (failure: Throwable) {
            put("ok", false)
            put("note", failure.stackTraceToString().lines().take(8).joinToString("\n"))
        }
    }

    private suspend fun carryOut(step: Step): Any? {
        if ("times" in step && "measure" in step) return measure(step)
        if ("fails" in step) {
            check(step["fails"], errorOf(step))
            return null
        }
        val started = TimeSource.Monotonic.markNow()
        var result = plain(perform(step))
        while (step["until"] == true && difference(step["expect"], result, kept) != null && started.elapsedNow() < LIMIT) {
            result = plain(perform(step))
        }
        if ("expect" in step) check(step["expect"], result)
        (step["keep"] as Map<*, *>?).orEmpty().forEach { (name, path) -> kept[name as String] = part(path as String, result) }
        return result
    }

    private fun check(expected: Any?, found: Any?) {
        difference(expected, found, kept)?.let { throw StepFailed(it) }
    }

    /** An error as JSON. What Kotlin itself refuses, half a character, is an argument that is none. */
    private suspend fun errorOf(step: Step): Map<String, Any?> =
        try {
            throw StepFailed("it did not fail; the result is ${toJson(plain(perform(step)))}")
        } catch (error: FieldpostException.Failed) {
            mapOf("kind" to plain(error.kind), "retry" to plain(error.retry), "reason" to error.reason)
        } catch (error: CharacterCodingException) {
            mapOf("kind" to "invalid_argument", "retry" to "never", "reason" to error.toString())
        }

    private fun argument(value: Any?): Any? = when {
        value is String && value.startsWith("$") -> kept.getValue(value.drop(1))
        value is Map<*, *> && "\$surrogate" in value -> "a\ud800b"
        value is Map<*, *> && "\$repeat" in value -> (value["\$repeat"] as List<*>).let { (text, times) -> (text as String).repeat((times as Long).toInt()) }
        else -> value
    }

    private fun given(step: Step) = Given((step["with"] as Map<*, *>?).orEmpty().entries.associate { (name, value) -> name as String to argument(value) })

    private fun client(step: Step) = clients[step.on] ?: throw StepFailed("${step.on} has no client")

    private fun watch(step: Step) = watches.getValue(step["watch"] as String)

    private suspend fun perform(step: Step): Any? {
        val given = given(step)
        return when (val verb = step["do"] as String) {
            "open" -> open(step, given)
            "next" -> withTimeout(LIMIT) { watch(step).next() }
            "await" -> await(step)
            "cancel_watch" -> watch(step).cancel()
            "ended" -> withTimeout(LIMIT) { watch(step).end() }
            "quiet" -> quiet(step)
            "crash" -> crash(step)
            "provider" -> provider(step, given)
            "asked" -> providers.getValue(given.text("provider")).let { mapOf("asked" to it.asked, "refused" to it.refusals) }
            "secret_store" -> keychains.getOrPut(step.named, ::Keychain).apply { then = given.textOrNull("then") ?: then }.let { }
            "secrets_in" -> keychains.getValue(given.text("store")).secrets.size
            "change_key" -> keyChanged(given)
            "files_with" -> filesWith(given.text("text"))
            "cancel_call" -> cancelCall(step, given)
            "threads_of_the_app" -> threads(step, given)
            "log_lines" -> logLines(step, given)
            "changes" -> changes(step, given)
            "subscriptions" -> subscriptions(step, given)
            "timeline" -> watches[step.named] = Watch.timeline(client(step), given)
            in WATCHES -> watches[step.named] = begin(verb, step, given)
            in OF_TIMELINE -> OF_TIMELINE.getValue(verb)(watch(step).timeline!!, given)
            else -> call(verb)(client(step), given)
        }
    }

    private fun call(verb: String) = CALLS[verb] ?: throw StepFailed("there is no verb $verb")

    private suspend fun measure(step: Step): Double {
        val call = call(step["do"] as String)
        val (client, given, times) = Triple(client(step), given(step), (step["times"] as Long).toInt())
        val started = TimeSource.Monotonic.markNow()
        repeat(times) { call(client, given) }
        return started.elapsedNow().inWholeNanoseconds / 1000.0 / times
    }

    private suspend fun open(step: Step, given: Given) {
        val server = given.text("server")
        val options = ClientOptions(
            database = File(folder, given.text("file")).path,
            url = when (server) {
                "none" -> null
                "nowhere" -> "http://127.0.0.1:9"
                else -> url
            },
            anonKey = key.takeUnless { server == "without_key" },
            key = given.textOrNull("key")?.hexToByteArray(),
            live = given.flag("live"),
            typing = given.flag("typing"),
            clinical = given.flag("clinical"),
            callbackLimit = if ("callback_limit_ms" in given) given.number("callback_limit_ms").milliseconds.toJavaDuration() else null,
        )
        val tokens = given.textOrNull("tokens")?.let(providers::getValue)
        clients[step.on] = Fieldpost.open(options, tokens, given.textOrNull("secrets")?.let(keychains::getValue))
    }

    private suspend fun begin(verb: String, step: Step, given: Given): Watch =
        if ("throws" in given) {
            Watch.throwing(client(step), given, given.number("throws").toInt())
        } else {
            Watch.collecting(WATCHES.getValue(verb)(client(step), given), verb in TELLS_AT_ONCE)
        }

    private suspend fun await(step: Step): Any? {
        var seen: String? = "no update came"
        var update: Any? = null
        try {
            withTimeout(LIMIT) {
                while (seen != null) {
                    update = plain(watch(step).next())
                    seen = difference(step["expect"], update, kept)
                }
            }
        } catch (_: TimeoutCancellationException) {
            throw StepFailed("no update looks like that; of the last one, $seen")
        } catch (_: ClosedReceiveChannelException) {
            throw StepFailed("it ended before; of the last update, $seen")
        }
        return update
    }

    private suspend fun quiet(step: Step) {
        listened()
        val came = watch(step).count()
        if (came > 0) throw StepFailed("$came updates came")
    }

    /** One thread calls all listeners: what was on its way has arrived when a later call has. */
    private suspend fun listened() {
        val file = File.createTempFile("quiet", ".db", folder).apply { delete() }
        val client = Fieldpost.open(ClientOptions(file.path))
        withTimeout(LIMIT) { client.watchTotalUnread().first() }
        client.shutdown()
    }

    private suspend fun crash(step: Step) = withContext(Dispatchers.IO) {
        val steps = File(folder, "crash.json").apply { writeText(toJson(step["steps"])) }
        val command = ProcessHandle.current().info().command().get()
        val arguments = listOf("-cp", System.getProperty("java.class.path")) + inherited() +
            listOf(MAIN, steps.path, "--crash", "--url", url, "--key", key, "--folder", folder.path, "--kept", toJson(kept))
        val child = ProcessBuilder(listOf(command) + arguments).redirectError(ProcessBuilder.Redirect.INHERIT).start()
        val told = child.inputStream.bufferedReader().readLines().map { parseJson(it) as Map<*, *> }
        val (ended, wanted) = child.waitFor() to (step["steps"] as List<*>).size
        if (ended != KILLED || told.size != wanted || told.any { it["ok"] != true }) {
            throw StepFailed("the process ended with $ended: $told")
        }
    }

    private fun provider(step: Step, given: Given) {
        given.textOrNull("then")?.let {
            providers.getValue(step.named).then = it
            return
        }
        val session = passwordSession(url, key, given.text("email"), given.text("password"))
        providers[step.named] = Provider(session, given.text("first"))
    }

    private suspend fun keyChanged(given: Given): Map<String, Any?> {
        val told = Collections.synchronizedList(mutableListOf<KeyProgress>())
        val listener = object : KeyProgressListener {
            override fun onProgress(progress: KeyProgress) {
                told += progress
            }
        }
        val (old, new) = listOf("old_key", "new_key").map { given.textOrNull(it)?.hexToByteArray() }
        changeKey(File(folder, given.text("file")).path, old, new, listener)
        return mapOf("told" to told.size, "last" to told.lastOrNull())
    }

    private fun filesWith(text: String): List<String> =
        folder.walk().filter { it.isFile && text in it.readText(Charsets.ISO_8859_1) }.map { it.relativeTo(folder).path }.sorted().toList()

    private suspend fun cancelCall(step: Step, given: Given) {
        val call = call(step["call"] as String)
        // It is given up after it was handed over. On one thread it cannot go on before that, however fast the answer is there.
        Executors.newSingleThreadExecutor().asCoroutineDispatcher().use { alone ->
            withContext(alone) {
                var returned = false
                val begun = async(start = CoroutineStart.UNDISPATCHED) {
                    call(client(step), given)
                    returned = true
                }
                begun.cancel()
                begun.join()
                if (returned) throw StepFailed("it was not given up")
            }
        }
        // The write goes on; what is written next comes after it.
        client(step).pending()
    }

    private fun threads(step: Step, given: Given): Map<String, Int> {
        val (client, call) = client(step) to call(step["call"] as String)
        val (ok, failed) = AtomicInteger() to AtomicInteger()
        val threads = List((step["times"] as Long).toInt()) {
            thread {
                val result = runCatching { runBlocking { call(client, given) } }
                (if (result.isSuccess) ok else failed).incrementAndGet()
            }
        }
        threads.forEach { it.join(LIMIT.inWholeMilliseconds) }
        return mapOf("ok" to ok.get(), "failed" to failed.get())
    }

    private suspend fun logLines(step: Step, given: Given): Map<String, Int> {
        val lines = Collections.synchronizedList(mutableListOf<LogLine>())
        val sink = object : LogSink {
            override fun log(line: LogLine) {
                lines += line
            }
        }
        logTo(LogLevel.valueOf(given.text("level").uppercase()), sink)
        val client = client(step)
        client.sync()
        val conversation = client.conversations().first()
        val window = client.messages(conversation.id, Window())
        client.search(SearchQuery(given.text("forbidden")))
        listened()
        stopLogging()
        val texts = window.messages.mapNotNull { it.text }.filter { it.isNotEmpty() } + given.text("forbidden") + conversation.name
        val content = synchronized(lines) { lines.count { line -> texts.any { it in line.text } } }
        return mapOf("lines" to lines.size, "content" to content)
    }

    private suspend fun changes(step: Step, given: Given): Map<String, Any> {
        val (client, watch, updates) = Triple(client(step), watch(step), given.number("updates").toInt())
        var before = Usage.settled()
        repeat(updates) { number ->
            if (number == updates / 10) before = Usage.settled()
            client.keepDraft(given.conversation, Draft("draft $number"))
            withTimeout(LIMIT) { watch.next() }
        }
        return mapOf("updates" to updates) + Usage.settled().grownSince(before)
    }

    private suspend fun subscriptions(step: Step, given: Given): Map<String, Any> {
        val (client, count) = client(step) to given.number("count").toInt()
        var before = Usage.settled()
        repeat(count) { number ->
            if (number == count / 10) before = Usage.settled()
            withTimeout(LIMIT) { client.watchThread(given.conversation).first() }
        }
        return Usage.settled().grownSince(before)
    }
}
