import Fieldpost
import SwiftUI

/// The list of conversations. It shows what is on the device at once, and follows every change.
struct ConversationsView: View {
    let client: Client
    @State private var model: ConversationsModel
    @State private var status: StatusModel

    init(client: Client) {
        self.client = client
        _model = State(initialValue: ConversationsModel(client: client))
        _status = State(initialValue: StatusModel(client: client))
    }

    var body: some View {
        NavigationStack {
            List(model.conversations) { conversation in
                NavigationLink(value: conversation.id) { row(conversation) }
            }
            .overlay { if model.loaded && model.conversations.isEmpty { ContentUnavailableView("No conversations", systemImage: "tray") } }
            .navigationTitle("Conversations")
            .navigationDestination(for: ConversationId.self) { id in
                ThreadView(client: client, conversation: id)
            }
            .safeAreaInset(edge: .bottom) { StatusLine(status: status.status) }
        }
        .task { await model.run() }
        .task { await status.run() }
    }

    private func row(_ conversation: ConversationSummary) -> some View {
        HStack {
            VStack(alignment: .leading) {
                Text(conversation.name).font(.headline)
                Text(conversation.draft ?? conversation.lastMessagePreview ?? "").lineLimit(1).foregroundStyle(.secondary)
            }
            Spacer()
            if conversation.unread > 0 {
                Text(conversation.unread, format: .number).padding(6).background(.tint, in: .capsule)
            }
        }
    }
}

/// What a person needs to know of syncing.
struct StatusLine: View {
    let status: Status?

    var body: some View {
        if let status, status.syncStatus != .synced {
            Text(words(status)).font(.footnote).frame(maxWidth: .infinity).padding(6).background(.bar)
        }
    }

    private func words(_ status: Status) -> String {
        switch status.syncStatus {
        case .offline: "Offline. \(status.pending) messages wait."
        case .pending: "\(status.pending) messages wait."
        case .error: status.lastError?.reason ?? "Syncing failed."
        case .signedOut: "Sign in to sync."
        case .syncing, .synced: "Syncing …"
        }
    }
}
