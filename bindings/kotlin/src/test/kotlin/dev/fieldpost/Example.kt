package dev.fieldpost

import dev.fieldpost.example.ConversationsModel
import dev.fieldpost.example.ThreadModel
import dev.fieldpost.example.ThreadRow
import dev.fieldpost.example.ThreadState
import dev.fieldpost.example.mark
import dev.fieldpost.ffi.FfiConverterTypeTimelineListener
import dev.fieldpost.ffi.Window
import kotlin.test.assertEquals
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.isActive
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.yield

private fun ThreadState.texts() = rows.filterIsInstance<ThreadRow.Message>().map { it.message.text }

private suspend fun inScope(story: suspend (CoroutineScope) -> Unit) {
    val scope = CoroutineScope(Dispatchers.Default + Job())
    story(scope)
    scope.cancel()
}

/** The models of the sample app. */
internal val EXAMPLE: Map<String, Test> = mapOf(
    "the list of conversations shows, is searched, and tells of the network" to {
        loaded { client, direct ->
            inScope { scope ->
                val model = ConversationsModel(client, scope)
                val shown = inTime { model.state.first { it.rows?.size == 2 } }
                assertNull(shown.banner)
                model.search("admin")
                assertEquals(listOf(direct), inTime { model.state.first { it.rows?.size == 1 } }.rows?.map { it.id })
                client.setOnline(false)
                val told = inTime { model.state.first { it.banner != null } }
                assertEquals("No connection. What you write is sent later.", told.banner)
                client.setOnline(true)
                model.refresh().join()
                inTime { model.state.first { it.banner == null } }
            }
        }
    },
    "a thread shows what is written, and each message keeps its key when it is sent" to {
        loaded { client, direct ->
            inScope { scope ->
                val model = ThreadModel.open(client, direct, scope)
                val before = inTime { model.state.first { it.texts().size > 2 } }
                assertTrue(before.rows.any { it is ThreadRow.Separator })
                model.keep("On my").join()
                model.send("On my way").join()
                val queued = inTime { model.state.first { it.texts().size > before.texts().size } }.rows.last() as ThreadRow.Message
                assertEquals("On my way" to "…", queued.message.text to queued.message.mark())
                assertNull(client.draft(direct))
                client.sync()
                val sent = inTime { model.state.first { (it.rows.last() as ThreadRow.Message).message.seq != null } }.rows.last() as ThreadRow.Message
                assertEquals(queued.key to "✓", sent.key to sent.message.mark())
                model.displayed(sent.message).join()
                assertEquals(0u, client.conversation(direct)?.unread)
                model.send(" ").join()
                assertTrue(model.state.value.problem!!.isNotEmpty())
                model.close()
            }
        }
    },
    "what is typed has an order: no draft comes back after it was sent" to {
        loaded { client, direct ->
            inScope { scope ->
                val model = ThreadModel.open(client, direct, scope)
                repeat(20) { round ->
                    val text = "Message $round"
                    val typed = text.indices.map { model.keep(text.take(it + 1)) } + model.send(text)
                    typed.joinAll()
                    assertNull(client.draft(direct))
                    assertEquals(text, client.messages(direct, Window()).messages.last().text)
                }
                model.close()
            }
        }
    },
    "a draft is there again when the thread is opened, and half an emoji is no fault" to {
        loaded { client, direct ->
            inScope { scope ->
                val before = ThreadModel.open(client, direct, scope)
                assertEquals("", before.draft)
                before.keep("Half a \ud83d").join()
                before.keep("Half a thought").join()
                before.close()
                inTime { while (FfiConverterTypeTimelineListener.handleMap.size > 0) yield() }
                // The model is held until here, so nothing of it was collected as garbage.
                assertEquals("", before.draft)
                assertTrue(scope.isActive)
                ThreadModel.open(client, direct, scope).use { assertEquals("Half a thought", it.draft) }
            }
        }
    },
    "the list of a client that is shut down says so, and the app goes on" to {
        loaded { client, direct ->
            inScope { scope ->
                val model = ConversationsModel(client, scope)
                client.shutdown()
                assertTrue(inTime { model.state.first { it.banner != null } }.banner!!.isNotEmpty())
                model.pin(direct).join()
                assertTrue(scope.isActive)
            }
        }
    },
    "the keys of a thread are unique" to {
        loaded { client, direct ->
            inScope { scope ->
                repeat(60) { client.send(direct, "Message $it") }
                val model = ThreadModel.open(client, direct, scope)
                inTime { model.state.first { it.texts().size >= 50 } }
                model.older().join()
                val all = inTime { model.state.first { it.texts().size > 60 } }
                assertEquals(all.rows.size, all.rows.map { it.key }.toSet().size)
                model.close()
            }
        }
    },
)
