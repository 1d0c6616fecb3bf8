// What is done in a process of its own.
package dev.fieldpost

import dev.fieldpost.ffi.ClientOptions
import dev.fieldpost.scenario.inherited
import java.io.File
import kotlin.test.assertTrue
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/** Runs [main] in another JVM, and tells how it ended and what it said. */
internal fun child(vararg arguments: String, settings: List<String> = emptyList()): Pair<Int, String> {
    val java = ProcessHandle.current().info().command().get()
    val command = listOf(java) + inherited() + settings + listOf("-cp", System.getProperty("java.class.path"), "dev.fieldpost.ChildKt")
    val process = ProcessBuilder(command + arguments).redirectErrorStream(true).start()
    val told = process.inputStream.bufferedReader().readText()
    return process.waitFor() to told.trim()
}

internal fun main(arguments: Array<String>) {
    when (arguments[0]) {
        "load" -> load()
        "end" -> endWithEverythingOpen(File(arguments[1]))
    }
}

private fun load() {
    val failure = runCatching { loadLibrary() }.exceptionOrNull()
    println(failure?.let { "${it.javaClass.simpleName}: ${it.message}" } ?: "loaded")
    // The JVM tells a second failure in other words.
    val again = runCatching { loadLibrary() }.exceptionOrNull()
    assertTrue((failure == null) == (again == null) && again is LibraryMismatch?)
    if (failure != null) {
        val opened = runCatching { runBlocking { Fieldpost.open(ClientOptions("none.db")) } }.exceptionOrNull()
        assertTrue(opened is LibraryMismatch, "$opened")
    }
}

private fun endWithEverythingOpen(folder: File) = runBlocking {
    val client = Fieldpost.open(ClientOptions(File(folder, "end.db").path, URL, KEY))
    client.signIn("ada@fieldpost.test", "fieldpost-demo")
    client.start()
    CoroutineScope(Dispatchers.Default).launch { client.watchStatus().collect {} }
    client.watchConversations().first()
    client.openTimeline(client.run { sync(); conversations() }.first().id)
    Unit
}
