// `java … dev.fieldpost.TestsKt FOLDER PACKAGE`: runs the tests of the layer, each with a folder of its own.
package dev.fieldpost

import java.io.File
import kotlin.system.exitProcess
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout

internal typealias Test = suspend Story.() -> Unit

private val ALL: Map<String, Test> = DOCUMENTED + FLOWS + DIFFS + CANCELLING + CLOSING + LOADING + SECRETS + REPORTS + EXAMPLE

/** The folder of this package, for tests of its texts. */
internal lateinit var packageFolder: File

internal fun main(arguments: Array<String>) {
    packageFolder = File(arguments[1])
    val failed = ALL.entries.withIndex().count { (number, test) ->
        val story = Story(File(arguments[0], "$number").apply { mkdirs() })
        val failure = runCatching { runBlocking { withTimeout(LIMIT * 5) { test.value(story) } } }.exceptionOrNull()
        println(if (failure == null) "ok      ${test.key}" else "FAILED  ${test.key}\n${failure.stackTraceToString()}")
        failure != null
    }
    println("${ALL.size - failed} tests passed, $failed failed")
    exitProcess(if (failed == 0) 0 else 1)
}
