// `java … dev.fieldpost.scenario.MainKt FILE --url URL --key KEY --folder FOLDER`: one line of JSON per step on standard output.
package dev.fieldpost.scenario

import java.io.File
import java.lang.management.ManagementFactory
import kotlin.system.exitProcess
import kotlinx.coroutines.runBlocking

internal const val MAIN = "dev.fieldpost.scenario.MainKt"

/** What a shell tells of a process that was killed. */
internal const val KILLED = 137

/** The settings of this JVM, for a child of it. */
internal fun inherited(): List<String> = ManagementFactory.getRuntimeMXBean().inputArguments

internal fun main(arguments: Array<String>) {
    fun option(name: String) = arguments.getOrNull(arguments.indexOf("--$name").takeIf { it >= 0 }?.plus(1) ?: arguments.size)
    fun required(name: String) = requireNotNull(option(name)) { "--$name is missing" }
    val file = parseJson(File(arguments.first()).readText())
    val steps = (if (file is Map<*, *>) file["steps"] else file) as List<*>
    val kept = (parseJson(option("kept") ?: "{}") as Map<*, *>).entries.associateTo(mutableMapOf()) { it.key as String to it.value }
    val runner = Runner(required("url"), required("key"), File(required("folder")), kept)
    val passed = runBlocking { runner.run(steps, "--crash" in arguments) }
    // A thread of the library may be known to the JVM at this moment.
    exitProcess(if (passed) 0 else 1)
}
