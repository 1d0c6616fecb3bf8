package dev.fieldpost

import dev.fieldpost.readme.example
import java.io.File
import kotlin.test.assertEquals
import kotlin.test.assertTrue

internal val DOCUMENTED: Map<String, Test> = mapOf(
    "the example of the README runs" to {
        val told = example(URL, KEY, File(folder, "ada.db").path)
        assertTrue(told.startsWith("On my way to gate 3, with seq "), told)
    },
    "everything public has a KDoc comment" to {
        val public = File(packageFolder, "src/main").walk().filter { it.extension == "kt" }.flatMap(::undocumented).toList()
        assertEquals(emptyList(), public)
    },
    "all tests that the README names exist" to {
        val readme = File(packageFolder, "README.md").readText()
        val files = Regex("`(src/[^`]+|android/[^`]+|example/)`").findAll(readme).map { it.groupValues[1] }.toList()
        assertTrue(files.size >= 3)
        assertEquals(emptyList(), files.filterNot { File(packageFolder, it).exists() })
    },
)

/** Declarations that are public and have no comment before them. */
private fun undocumented(file: File): List<String> {
    val lines = file.readLines().map { it.trim() }
    return lines.indices.filter { lines[it].startsWith("public ") && !lines[it].startsWith("public companion object") }.filterNot { line ->
        val before = lines.subList(0, line).last { !it.startsWith("@") }
        before.endsWith("*/")
    }.map { "${file.name}: ${lines[it]}" }
}
