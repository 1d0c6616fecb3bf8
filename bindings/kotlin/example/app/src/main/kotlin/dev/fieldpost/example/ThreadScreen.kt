package dev.fieldpost.example

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.imePadding
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.lazy.LazyColumn
import androidx.compose.foundation.lazy.items
import androidx.compose.foundation.lazy.rememberLazyListState
import androidx.compose.material3.Card
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.runtime.snapshotFlow
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.dp
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import dev.fieldpost.ffi.ThreadMessage
import kotlinx.coroutines.flow.first

/** One thread, newest message at the bottom. The list is reversed, so that what comes at the end does not move what is read. */
@Composable
fun ThreadScreen(model: ThreadModel) {
    val state by model.state.collectAsStateWithLifecycle()
    val list = rememberLazyListState()
    val rows = state.rows.asReversed()

    // Anew with each page: a screen that a page does not fill shows its top all the time.
    LaunchedEffect(model, rows.size, state.hasOlder) {
        if (state.hasOlder) {
            snapshotFlow { list.layoutInfo }.first { (it.visibleItemsInfo.lastOrNull()?.index ?: 0) >= it.totalItemsCount - 5 }
            model.older()
        }
    }
    LaunchedEffect(rows.firstOrNull()?.key) {
        val newest = rows.filterIsInstance<ThreadRow.Message>().firstOrNull { it.message.seq != null }
        if (newest != null && list.firstVisibleItemIndex == 0) model.displayed(newest.message)
    }

    Column(Modifier.fillMaxSize().imePadding()) {
        LazyColumn(Modifier.weight(1f).fillMaxWidth(), state = list, reverseLayout = true) {
            items(rows, key = { it.key }) { row ->
                when (row) {
                    is ThreadRow.Message -> Bubble(row.message)
                    is ThreadRow.Separator -> Box(Modifier.fillMaxWidth().padding(8.dp), contentAlignment = Alignment.Center) {
                        Text(row.text, style = MaterialTheme.typography.labelMedium)
                    }
                }
            }
        }
        state.problem?.let { Text(it, Modifier.padding(horizontal = 16.dp), color = MaterialTheme.colorScheme.error) }
        Composer(model)
    }
}

@Composable
private fun Bubble(message: ThreadMessage) {
    Box(
        Modifier.fillMaxWidth().padding(horizontal = 16.dp, vertical = 2.dp),
        contentAlignment = if (message.mine) Alignment.CenterEnd else Alignment.CenterStart,
    ) {
        Card {
            Column(Modifier.padding(12.dp)) {
                if (!message.mine) Text(message.senderName, style = MaterialTheme.typography.labelMedium)
                Text(if (message.deleted) "Deleted" else message.text ?: message.omitted ?: "")
                val marks = message.reactions.joinToString(" ") { "${it.emoji} ${it.count}" }
                val mark = if (message.mine) message.mark() else ""
                Text("$marks $mark".trim(), style = MaterialTheme.typography.labelSmall)
            }
        }
    }
}

@Composable
private fun Composer(model: ThreadModel) {
    var text by rememberSaveable { mutableStateOf(model.draft) }
    Row(Modifier.fillMaxWidth().padding(8.dp), horizontalArrangement = Arrangement.spacedBy(8.dp)) {
        OutlinedTextField(
            value = text,
            onValueChange = {
                text = it
                model.keep(it)
            },
            modifier = Modifier.weight(1f),
        )
        TextButton(
            enabled = text.isNotBlank(),
            onClick = {
                model.send(text)
                text = ""
            },
        ) { Text("Send") }
    }
}
