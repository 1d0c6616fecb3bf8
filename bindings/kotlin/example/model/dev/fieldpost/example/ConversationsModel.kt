package dev.fieldpost.example

import dev.fieldpost.Fieldpost
import dev.fieldpost.ffi.ConversationId
import dev.fieldpost.ffi.ConversationQuery
import dev.fieldpost.ffi.ConversationSummary
import dev.fieldpost.ffi.FieldpostException
import dev.fieldpost.ffi.Status
import dev.fieldpost.ffi.SyncStatus
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.SharingStarted
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.catch
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.flatMapLatest
import kotlinx.coroutines.flow.stateIn
import kotlinx.coroutines.launch

/**
 * What the screen of the conversations shows.
 *
 * @property rows null until the file was read
 * @property banner what to say about the connection, or what went wrong; null if there is nothing to say
 */
data class ConversationsState(val rows: List<ConversationSummary>? = null, val banner: String? = null)

/**
 * The list of conversations. It has nothing of Android: a `ViewModel` gives it its scope.
 *
 * The list is watched only while a screen looks at [state], and five seconds longer, so that a rotation does not begin anew.
 */
class ConversationsModel(private val fieldpost: Fieldpost, private val scope: CoroutineScope) {
    private val search = MutableStateFlow("")
    private val problem = MutableStateFlow<String?>(null)

    @OptIn(ExperimentalCoroutinesApi::class)
    private val rows = search.flatMapLatest { text ->
        fieldpost.watchConversations(ConversationQuery(text = text.ifBlank { null }))
    }

    val state: StateFlow<ConversationsState> =
        combine(rows, fieldpost.watchStatus(), problem) { rows, status, problem -> ConversationsState(rows, problem ?: banner(status)) }
            .catch { failure ->
                // The client is paused or shut down. The next screen that looks begins anew.
                if (failure !is FieldpostException.Failed) throw failure
                emit(ConversationsState(banner = failure.reason))
            }
            .stateIn(scope, SharingStarted.WhileSubscribed(stopTimeoutMillis = 5_000), ConversationsState())

    /** Only conversations with this text. */
    fun search(text: String) {
        search.value = text
    }

    /** Pulling the list down. What goes wrong shows in the banner. */
    fun refresh(): Job = scope.launch {
        try {
            fieldpost.sync()
        } catch (_: FieldpostException) {
            // The status says it, too, and stays until it is over.
        }
    }

    fun pin(conversation: ConversationId): Job = scope.launch {
        try {
            fieldpost.pin(conversation)
            problem.value = null
        } catch (failure: FieldpostException.Failed) {
            problem.value = failure.reason
        }
    }

    private fun banner(status: Status): String? = when (status.syncStatus) {
        SyncStatus.SIGNED_OUT -> "You are signed out"
        SyncStatus.OFFLINE -> "No connection. What you write is sent later."
        SyncStatus.ERROR -> status.lastError?.reason ?: "Something went wrong"
        SyncStatus.SYNCING, SyncStatus.PENDING, SyncStatus.SYNCED -> null
    }
}
