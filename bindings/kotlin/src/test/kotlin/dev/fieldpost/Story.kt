// What the tests have in common.
package dev.fieldpost

import dev.fieldpost.ffi.ClientOptions
import dev.fieldpost.ffi.ConversationId
import dev.fieldpost.ffi.ConversationKind
import dev.fieldpost.ffi.ErrorKind
import dev.fieldpost.ffi.FieldpostException
import dev.fieldpost.ffi.SecretStore
import dev.fieldpost.ffi.TokenProvider
import java.io.File
import kotlin.test.assertFailsWith
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.withTimeout

internal val URL: String = System.getenv("FIELDPOST_URL")
internal val KEY: String = System.getenv("FIELDPOST_ANON_KEY")

/** How long one thing may take. Only a fault takes so long, also on a machine that has much else to do. */
internal val LIMIT = 2.minutes

/** A folder for the files of one test. */
internal class Story(val folder: File) {
    fun options(file: String = "ada.db") = ClientOptions(File(folder, file).path, URL, KEY, live = false)

    suspend fun client(file: String = "ada.db", tokens: TokenProvider? = null, secrets: SecretStore? = null) =
        Fieldpost.open(options(file), tokens, secrets)

    /** Ada, signed in and loaded, and her direct conversation. It grows: all tests have one server. */
    suspend fun <T> loaded(test: suspend (Fieldpost, ConversationId) -> T): T {
        val client = client()
        // What a test that fails leaves behind is no fault of the next one.
        try {
            client.signIn("ada@fieldpost.test", "fieldpost-demo")
            client.sync()
            return test(client, client.conversations().first { it.kind == ConversationKind.DIRECT }.id)
        } finally {
            client.shutdown()
        }
    }
}

internal suspend fun <T> inTime(call: suspend () -> T): T = withTimeout(LIMIT) { call() }

internal inline fun assertKind(kind: ErrorKind, call: () -> Unit) {
    val failure = assertFailsWith<FieldpostException.Failed> { call() }
    check(failure.kind == kind) { "the kind is ${failure.kind}: ${failure.reason}" }
}

/** Collects garbage until something holds that needs it, or that another thread is about to do. */
internal fun collectGarbageUntil(what: () -> String = { "it" }, done: () -> Boolean) {
    val end = System.nanoTime() + LIMIT.inWholeNanoseconds
    while (!done()) {
        check(System.nanoTime() < end) { "${what()} does not hold after all garbage was collected" }
        System.gc()
        Thread.sleep(10)
    }
}
