// Calls that take the times of Kotlin; the library itself has those of java.time.
package dev.fieldpost

import dev.fieldpost.ffi.ConversationId
import dev.fieldpost.ffi.ConversationSummary
import dev.fieldpost.ffi.OutboxCounts
import java.time.Instant
import kotlin.time.Duration
import kotlin.time.toJavaDuration

/** Mutes a conversation for so long, from now on; [Duration.INFINITE] is without an end. */
public suspend fun Fieldpost.mute(conversation: ConversationId, duration: Duration): ConversationSummary =
    mute(conversation, if (duration == Duration.INFINITE) null else Instant.now() + duration.toJavaDuration())

/** Reports that the app is in the background: sends what it can until [deadline] has passed. Returns what is left. */
public suspend fun Fieldpost.background(deadline: Duration): OutboxCounts =
    background(deadline.coerceAtLeast(Duration.ZERO).toJavaDuration())
