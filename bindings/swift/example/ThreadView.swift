import Fieldpost
import SwiftUI

/// A thread: opens at the first unread message, loads older ones at its top, and sends.
struct ThreadView: View {
    @State private var model: ThreadModel
    @State private var text = ""

    init(client: Client, conversation: ConversationId) {
        _model = State(initialValue: ThreadModel(client: client, conversation: conversation))
    }

    var body: some View {
        List(model.items) { item in
            row(item).task { await reached(item) }
        }
        .listStyle(.plain)
        .defaultScrollAnchor(.bottom)
        .safeAreaInset(edge: .bottom) { composer }
        .task { await model.run() }
    }

    @ViewBuilder
    private func row(_ item: TimelineItem) -> some View {
        switch item {
        case .start: Text("The conversation begins here.").foregroundStyle(.secondary)
        case .loading: ProgressView()
        case .gap: ProgressView().task { await model.fillGap(item.id) }
        case .day(let day): Text(day).font(.caption)
        case .unread: Text("New").foregroundStyle(.red)
        case .message(let message, let first, _): MessageRow(message: message, showsName: first)
            .task { await read(message) }
        }
    }

    /// Loads what comes next, when an end of the list comes into view.
    private func reached(_ item: TimelineItem) async {
        if item.id == model.items.first?.id {
            await model.loadOlder()
        }
        if item.id == model.items.last?.id, model.ends?.newer != .end {
            await model.loadNewer()
        }
    }

    private var composer: some View {
        HStack {
            if let ends = model.ends, ends.newer != .end {
                Button("Newest", systemImage: "arrow.down") { Task { await model.go(to: .newest) } }
                    .labelStyle(.iconOnly)
            }
            TextField("Message", text: $text, axis: .vertical)
            if let failure = model.callFailure ?? model.failure {
                Image(systemName: "exclamationmark.triangle").help(failure.reason)
            }
            Button("Send") { Task { await send() } }
                .disabled(text.isEmpty)
        }
        .padding()
        .background(.bar)
    }

    private func send() async {
        let sent = text
        // What is written while it is being kept stays.
        if await model.send(sent), text == sent {
            text = ""
        }
    }

    private func read(_ message: ThreadMessage) async {
        if let seq = message.seq, !message.mine {
            await model.markRead(upTo: seq)
        }
    }
}

/// One message.
struct MessageRow: View {
    let message: ThreadMessage
    let showsName: Bool

    var body: some View {
        VStack(alignment: message.mine ? .trailing : .leading) {
            if showsName && !message.mine {
                Text(message.senderName).font(.caption).foregroundStyle(.secondary)
            }
            Text(message.deleted ? "Deleted" : message.text ?? "").italic(message.deleted)
            if let failure = message.failure {
                Text(failure.detail ?? failure.code).font(.caption).foregroundStyle(.red)
            } else if message.mine {
                Text(word).font(.caption2).foregroundStyle(.secondary)
            }
        }
        .frame(maxWidth: .infinity, alignment: message.mine ? .trailing : .leading)
    }

    private var word: String {
        switch message.status {
        case .queued: "waits"
        case .sent: "sent"
        case .delivered: "delivered"
        case .read: "read"
        case .other: ""
        }
    }
}
