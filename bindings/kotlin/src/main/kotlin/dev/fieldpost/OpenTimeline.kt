package dev.fieldpost

import dev.fieldpost.ffi.Ends
import dev.fieldpost.ffi.Failure
import dev.fieldpost.ffi.Timeline
import dev.fieldpost.ffi.TimelineInterface
import dev.fieldpost.ffi.TimelineItem
import dev.fieldpost.ffi.TimelineListener
import dev.fieldpost.ffi.TimelineUpdate
import java.io.Closeable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.transformWhile
import kotlinx.coroutines.flow.update

/**
 * A thread of any length: [shown] is the part of it that was loaded, and the other calls move it. It follows the conversation until it is
 * closed, or the client is shut down.
 */
public class OpenTimeline internal constructor(private val timeline: Timeline, private val told: TimelineTold) :
    TimelineInterface by timeline,
    Closeable {

    /** What is loaded now, and what it becomes. A slow collector skips states. It completes when the timeline or its client ends. */
    public val shown: Flow<ShownTimeline> = flow {
        try {
            emitAll(told.states())
        } finally {
            // A timeline that nobody has any more ends. Whoever collects this has it.
            timeline.isActive()
        }
    }

    override fun cancel() {
        timeline.cancel()
        // The library tells nobody who has ended it himself.
        told.onEnd()
    }

    /** Ends it. Closing twice is allowed. */
    override fun close(): Unit = cancel()
}

/**
 * The loaded part of a thread.
 *
 * @property items oldest first
 * @property ends what there is before and after them
 */
public data class ShownTimeline(val items: List<TimelineItem>, val ends: Ends)

internal class TimelineTold(onFailure: (Failure) -> Unit) :
    Told<TimelineUpdate>(onFailure),
    TimelineListener {
    private class End(val cause: Throwable?)

    private data class State(val shown: ShownTimeline?, val end: End?)

    private val state = MutableStateFlow(State(null, null))

    fun states(): Flow<ShownTimeline> = state.transformWhile { (shown, end) ->
        if (shown != null) {
            emit(shown)
        }
        end?.cause?.let { throw it }
        end == null
    }.distinctUntilChanged { before, now -> before === now }

    override fun tell(update: TimelineUpdate) = state.update { state ->
        state.copy(shown = ShownTimeline(state.shown?.items.orEmpty().with(update.diffs), update.ends))
    }

    override fun end(cause: Throwable?) = state.update { it.copy(end = it.end ?: End(cause)) }
}
