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
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.withTimeout

internal val URL: String = System.getenv("FIELDPOST_URL")
internal val KEY: String = System.getenv("FIELDPOST_ANON_KEY")

/** How long one thing may take. */
internal val LIMIT = 30.seconds

/** A folder for the files of one test. */
internal class Story(val folder: File) {
    fun options(file: String = "ada.db") = ClientOptions(File(folder, file).path, URL, KEY, live = false)

    suspend fun client(file: String = "ada.db", tokens: TokenProvider? = null, secrets: SecretStore? = null) =
        Fieldpost.open(options(file), tokens, secrets)

    /** Ada, signed in and loaded, and her direct conversation. It grows: all tests have one server. */
    suspend fun <T> loaded(test: suspend (Fieldpost, ConversationId) -> T): T {
        val client = client()
        client.signIn("ada@fieldpost.test", "fieldpost-demo")
        client.sync()
        val result = test(client, client.conversations().first { it.kind == ConversationKind.DIRECT }.id)
        client.shutdown()
        return result
    }
}

internal suspend fun <T> inTime(call: suspend () -> T): T = withTimeout(LIMIT) { call() }

internal inline fun assertKind(kind: ErrorKind, call: () -> Unit) {
    val failure = assertFailsWith<FieldpostException.Failed> { call() }
    check(failure.kind == kind) { "the kind is ${failure.kind}: ${failure.reason}" }
}

/** Collects garbage until something holds that needs it. */
internal fun collectGarbageUntil(done: () -> Boolean) {
    val end = System.nanoTime() + LIMIT.inWholeNanoseconds
    while (!done()) {
        check(System.nanoTime() < end) { "it does not hold after all garbage was collected" }
        System.gc()
        Thread.sleep(10)
    }
}
