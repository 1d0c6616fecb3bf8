package dev.fieldpost

import dev.fieldpost.ffi.libraryVersion

/** The version of this package. The library of Fieldpost that it loads must have the same. */
public const val FIELDPOST_VERSION: String = "0.1.0"

/** The library of Fieldpost is missing, cannot be loaded here, or is of another version than this package. */
public class LibraryMismatch internal constructor(message: String, cause: Throwable? = null) :
    IllegalStateException(message, cause)

/**
 * Loads the library, which takes a moment the first time, and checks that it fits. [Fieldpost.open] does this by itself; an app may call
 * it earlier, from a thread of its own.
 *
 * @throws LibraryMismatch with what is wrong and what to do
 */
public fun loadLibrary() {
    // A library that is missing is a LinkageError, one that does not fit the code is a RuntimeException. When a class has failed to load
    // once, the JVM throws a NoClassDefFoundError, which is a LinkageError too.
    val found =
        try {
            libraryVersion()
        } catch (failure: LinkageError) {
            throw LibraryMismatch(explain(failure), failure)
        } catch (failure: RuntimeException) {
            throw LibraryMismatch(explain(failure), failure)
        }
    requireVersion(found)
}

internal fun requireVersion(found: String) {
    if (found != FIELDPOST_VERSION) {
        throw LibraryMismatch(
            "the package of Fieldpost is $FIELDPOST_VERSION and its library is $found: different versions; take both from one release",
        )
    }
}

private fun explain(failure: Throwable): String {
    val said = generateSequence(failure) { it.cause }.last().message.orEmpty().lineSequence().first()
    val advice =
        when {
            "looking up function" in said || "contract version" in said ->
                "the package of Fieldpost $FIELDPOST_VERSION and its library are of different versions; take both from one release"
            "jnidispatch" in said -> "the library of JNA is missing; on Android depend on JNA with \"@aar\""
            "peer field" in said || "com.sun.jna" in said ->
                "JNA was changed by a shrinker; apply the consumer rules of the package of Fieldpost"
            else -> "the library of Fieldpost cannot be loaded; is it packaged for this processor (on Android: abiFilters)?"
        }
    return "$advice ($said)"
}
