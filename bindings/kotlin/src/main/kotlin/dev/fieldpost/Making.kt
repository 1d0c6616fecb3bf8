// Calls of the library that are carried to their end, also if their caller is cancelled.
package dev.fieldpost

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext

/**
 * A call that makes an object. UniFFI forgets an object that a cancelled call has made: a watch would go on for ever, and a file would stay
 * open. So the call is carried to its end, and what it has made is given back if nobody wants it any more.
 */
internal suspend fun <T : AutoCloseable> made(giveBack: suspend (T) -> Unit = { it.close() }, make: suspend () -> T): T {
    currentCoroutineContext().ensureActive()
    val made = whole(make)
    try {
        currentCoroutineContext().ensureActive()
    } catch (cancelled: CancellationException) {
        // Nobody waits for what this comes to.
        runCatching { whole { giveBack(made) } }
        throw cancelled
    }
    return made
}

/**
 * Carries a call to its end, on a thread of its own, also if the caller is unconfined. The result is not lost on the way back, because
 * nothing in here can be cancelled.
 */
internal suspend fun <T> whole(call: suspend () -> T): T =
    withContext(NonCancellable) { withContext(Dispatchers.Default) { call() } }
