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
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.transformWhile

/**
 * A thread of any length: [shown] is the part of it that was loaded, and the other calls move it. It follows the conversation until it is
 * closed, or the client is shut down.
 */
public class OpenTimeline internal constructor(private val timeline: Timeline, private val told: TimelineTold) :
    TimelineInterface by timeline,
    Closeable {

    /** What is loaded now, and what it becomes. A slow collector skips states. It completes when the client is shut down. */
    public val shown: Flow<ShownTimeline> = flow {
        try {
            emitAll(told.states())
        } finally {
            // A timeline that nobody has any more ends. Whoever collects this has it.
            timeline.isActive()
        }
    }

    /** Ends it. */
    override fun close(): Unit = timeline.cancel()
}

/**
 * The loaded part of a thread.
 *
 * @property items oldest first
 * @property ends what there is before and after them
 */
public data class ShownTimeline(val items: List<TimelineItem>, val ends: Ends)

internal class TimelineTold(private val failed: (Failure) -> Unit) : TimelineListener {
    private data class State(val shown: ShownTimeline?, val ended: Boolean)

    private val state = MutableStateFlow(State(null, false))

    fun states(): Flow<ShownTimeline> = state.transformWhile { (shown, ended) ->
        if (shown != null) {
            emit(shown)
        }
        !ended
    }

    override fun onUpdate(update: TimelineUpdate) {
        val items = state.value.shown?.items.orEmpty().with(update.diffs)
        state.value = State(ShownTimeline(items, update.ends), false)
    }

    override fun onError(failure: Failure) = failed(failure)

    override fun onEnd() {
        state.value = state.value.copy(ended = true)
    }
}
