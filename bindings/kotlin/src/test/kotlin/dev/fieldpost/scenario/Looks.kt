// Results as JSON, and what they must look like: see bindings/scenario/README.md.
package dev.fieldpost.scenario

import java.lang.reflect.Modifier
import java.time.Duration
import java.time.Instant

/** A result as JSON. */
internal fun plain(value: Any?): Any? = when (value) {
    null, is Boolean, is String -> value
    is UInt, is ULong -> value.toString().toLong()
    is Int -> value.toLong()
    is Number -> value
    is Unit -> null
    is Enum<*> -> value.name.lowercase()
    is Instant -> value.toString()
    is Duration -> value.toMillis() / 1000.0
    is List<*> -> value.map(::plain)
    is Map<*, *> -> value.entries.associate { (key, item) -> key.toString() to plain(item) }
    else -> fields(value)
}

/** Records are data classes. The classes of variants lie in the class of their enum. */
private fun fields(value: Any): Map<String, Any?> = buildMap {
    for (field in value.javaClass.declaredFields.filterNot { Modifier.isStatic(it.modifiers) }) {
        field.isAccessible = true
        put(snake(field.name), plain(field.get(value)))
    }
    if (value.javaClass.declaringClass == value.javaClass.superclass) {
        put("is", snake(value.javaClass.simpleName))
    }
}

internal fun snake(name: String): String =
    name.replace(Regex("(?<=[a-z0-9])[A-Z]")) { "_" + it.value }.lowercase()

/** Null if the result looks as expected; otherwise what does not. */
internal fun difference(expected: Any?, found: Any?, kept: Map<String, Any?>, at: String = ""): String? {
    val here = at.ifEmpty { "the result" }
    return when (expected) {
        is String -> if (expected.startsWith("$")) difference(kept.getValue(expected.drop(1)), found, kept, at) else word(expected, found, here)
        is Map<*, *> -> if (expected.keys.any { it.toString().startsWith("$") }) test(expected, found, kept, here) else entries(expected, found, kept, at)
        is List<*> -> items(expected, found, kept, at)
        is Number -> same((found as? Number)?.toDouble() == expected.toDouble(), expected, found, here)
        else -> same(expected == found, expected, found, here)
    }
}

private fun same(same: Boolean, expected: Any?, found: Any?, here: String): String? =
    if (same) null else "$here is ${toJson(found)}, not ${toJson(expected)}"

/** A variant without data is written as its name alone in some languages. */
private fun word(expected: String, found: Any?, here: String): String? {
    val word = if (found is Map<*, *> && found.keys == setOf("is")) found["is"] else found
    return same(expected == word, expected, found, here)
}

private fun entries(expected: Map<*, *>, found: Any?, kept: Map<String, Any?>, at: String): String? {
    val here = at.ifEmpty { "the result" }
    val entries = if (found is String && expected.keys == setOf("is")) mapOf("is" to found) else found
    if (entries !is Map<*, *>) return "$here is ${toJson(found)}, not an object"
    return expected.entries.firstNotNullOfOrNull { (key, wanted) ->
        if (key !in entries) "$here has no $key" else difference(wanted, entries[key], kept, below(at, key))
    }
}

private fun items(expected: List<*>, found: Any?, kept: Map<String, Any?>, at: String): String? {
    val here = at.ifEmpty { "the result" }
    if (found !is List<*> || found.size != expected.size) {
        return "$here has ${(found as? List<*>)?.size ?: "no"} items, not ${expected.size}: ${toJson(found)}"
    }
    return expected.indices.firstNotNullOfOrNull { difference(expected[it], found[it], kept, below(at, it)) }
}

private fun below(at: String, key: Any?): String = if (at.isEmpty()) key.toString() else "$at.$key"

private fun test(expected: Map<*, *>, found: Any?, kept: Map<String, Any?>, here: String): String? {
    val (name, wanted) = expected.entries.single()
    fun list() = found as? List<*> ?: throw StepFailed("$here is ${toJson(found)}, no list")
    fun number(value: Any?) = (value as? Number)?.toDouble() ?: throw StepFailed("$here is ${toJson(found)}, no number")
    fun that(holds: Boolean) = if (holds) null else "$here is ${toJson(found)}: $name ${toJson(wanted)} does not hold"
    fun item(place: String, item: Any?) = if (list().isEmpty()) "$here is empty" else difference(wanted, item, kept, "$here.$place")
    return when (name) {
        "\$any" -> that(found != null)
        "\$at_least" -> that(number(found) >= number(wanted))
        "\$at_most" -> that(number(found) <= number(wanted))
        "\$at_least_items" -> that(list().size >= number(wanted))
        "\$length" -> that(list().size.toDouble() == number(wanted))
        "\$contains" -> that(if (found is List<*>) wanted in found else found.toString().contains(wanted.toString()))
        "\$first" -> item("0", list().firstOrNull())
        "\$last" -> item("-1", list().lastOrNull())
        "\$has" -> {
            val wrong = list().mapIndexed { index, item -> difference(wanted, item, kept, "$here.$index") }
            if (null in wrong) null else "nothing in $here is right: ${wrong.ifEmpty { "it is empty" }}"
        }
        "\$not" -> that(difference(wanted, found, kept) != null)
        else -> error("there is no test $name")
    }
}

/** A part of a result: `messages.-1.id`, `[kind=direct].id`, `.` for all of it. */
internal fun part(path: String, value: Any?): Any? = path.split(".").filter { it.isNotEmpty() }.fold(value) { whole, part ->
    when {
        part.startsWith("[") -> {
            val (key, wanted) = part.trim('[', ']').split("=")
            (whole as List<*>).first { (it as Map<*, *>)[key] == wanted }
        }
        whole is List<*> -> part.toInt().let { whole[if (it < 0) whole.size + it else it] }
        else -> (whole as Map<*, *>).getValueOf(part)
    }
}

private fun Map<*, *>.getValueOf(key: String): Any? {
    check(key in this) { "there is no $key to keep" }
    return this[key]
}
