// As much JSON as the scenario needs: objects are maps, numbers are Long or Double.
package dev.fieldpost.scenario

internal fun parseJson(text: String): Any? = JsonReader(text).document()

internal fun toJson(value: Any?): String = buildString { write(value) }

private fun StringBuilder.write(value: Any?) {
    when (value) {
        is Map<*, *> -> listed('{', '}', value.entries) { (key, item) ->
            quote(key.toString())
            append(':')
            write(item)
        }
        is List<*> -> listed('[', ']', value) { write(it) }
        is String -> quote(value)
        else -> append(value.toString())
    }
}

private fun <T> StringBuilder.listed(open: Char, close: Char, items: Collection<T>, each: (T) -> Unit) {
    append(open)
    items.forEachIndexed { index, item ->
        if (index > 0) append(',')
        each(item)
    }
    append(close)
}

private fun StringBuilder.quote(text: String) {
    append('"')
    for (letter in text) {
        when {
            letter == '"' || letter == '\\' -> append('\\').append(letter)
            letter < ' ' || letter.isSurrogate() -> append("\\u%04x".format(letter.code))
            else -> append(letter)
        }
    }
    append('"')
}

private class JsonReader(private val text: String) {
    private var at = 0

    fun document(): Any? = value().also {
        space()
        check(at == text.length) { "there is more after the JSON, at $at" }
    }

    private fun value(): Any? {
        space()
        return when (text[at]) {
            '{' -> entries()
            '[' -> items()
            '"' -> string()
            else -> word()
        }
    }

    private fun entries(): Map<String, Any?> = buildMap {
        between('{', '}') {
            space()
            val key = string()
            take(':')
            put(key, value())
        }
    }

    private fun items(): List<Any?> = buildList { between('[', ']') { add(value()) } }

    private fun between(open: Char, close: Char, each: () -> Unit) {
        take(open)
        space()
        while (text[at] != close) {
            each()
            space()
            if (text[at] == ',') at++
        }
        take(close)
    }

    private fun string(): String = buildString {
        take('"')
        while (text[at] != '"') {
            append(if (text[at] == '\\') escape() else text[at++])
        }
        at++
    }

    private fun escape(): Char {
        at += 2
        return when (val letter = text[at - 1]) {
            'n' -> '\n'
            't' -> '\t'
            'r' -> '\r'
            'b' -> '\b'
            'f' -> '\u000c'
            'u' -> text.substring(at, at + 4).toInt(16).toChar().also { at += 4 }
            else -> letter
        }
    }

    private fun word(): Any? {
        val start = at
        while (at < text.length && (text[at].isLetterOrDigit() || text[at] in "+-.")) at++
        return when (val word = text.substring(start, at)) {
            "null" -> null
            "true" -> true
            "false" -> false
            else -> word.toLongOrNull() ?: word.toDouble()
        }
    }

    private fun take(letter: Char) {
        space()
        check(text[at] == letter) { "no $letter at $at" }
        at++
    }

    private fun space() {
        while (at < text.length && text[at].isWhitespace()) at++
    }
}
