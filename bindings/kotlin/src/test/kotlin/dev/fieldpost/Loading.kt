package dev.fieldpost

import java.io.File
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

/** What is said if package and library do not fit. */
internal val LOADING: Map<String, Test> = mapOf(
    "the library that fits is loaded" to {
        loadLibrary()
        assertEquals(0 to "loaded", child("load"))
    },
    "a library of another version" to {
        val failure = assertFailsWith<LibraryMismatch> { requireVersion("9.9.9") }
        assertEquals(
            "the package of Fieldpost is $FIELDPOST_VERSION and its library is 9.9.9: different versions; take both from one release",
            failure.message,
        )
    },
    "a library that lacks a function" to {
        val other = File("/lib/x86_64-linux-gnu/libc.so.6").takeIf { it.exists() } ?: File("/lib/aarch64-linux-gnu/libc.so.6")
        val (code, told) = child("load", settings = listOf("-Duniffi.component.fieldpost_ffi.libraryOverride=$other"))
        assertEquals(0, code, told)
        assertContains(told, "LibraryMismatch: the package of Fieldpost $FIELDPOST_VERSION and its library are of different versions")
    },
    "no library" to {
        val settings = listOf("-Duniffi.component.fieldpost_ffi.libraryOverride=${File(folder, "libno.so")}")
        val (code, told) = child("load", settings = settings)
        assertEquals(0, code, told)
        assertContains(told, "LibraryMismatch: the library of Fieldpost cannot be loaded")
    },
)
