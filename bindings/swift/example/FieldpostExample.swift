import Fieldpost
import SwiftUI

/// The conversations of a person, and their threads.
@main
struct FieldpostExample: App {
    @State private var opening = Opening()
    @Environment(\.scenePhase) private var phase

    var body: some Scene {
        WindowGroup {
            content.task { await opening.open() }
        }
        .onChange(of: phase) {
            opening.moved(to: phase)
        }
    }

    @ViewBuilder private var content: some View {
        switch opening.state {
        case .opening: ProgressView()
        case .failed(let reason): ContentUnavailableView(reason, systemImage: "exclamationmark.triangle")
        case .signedOut(let client): SignInView(client: client) { opening.signedIn(client) }
        case .signedIn(let client): ConversationsView(client: client)
        }
    }
}

/// Opens the client, and follows the app to the background and back.
@Observable @MainActor
final class Opening {
    enum State {
        case opening
        case failed(String)
        case signedOut(Client)
        case signedIn(Client)
    }

    private(set) var state = State.opening
    private var begun = false
    private var client: Client?
    private var time = UIBackgroundTaskIdentifier.invalid

    /// One client for a file, also if the app has several windows.
    func open() async {
        guard !begun else { return }
        begun = true
        do {
            let client = try await Client.open(Self.options(), secrets: KeychainSecretStore(service: "dev.fieldpost.example"))
            self.client = client
            if try await client.isSignedIn() {
                signedIn(client)
            } else {
                state = .signedOut(client)
            }
        } catch {
            state = .failed(Failure(error).reason)
        }
    }

    func signedIn(_ client: Client) {
        state = .signedIn(client)
        Task { try? await client.start() }
    }

    func moved(to phase: ScenePhase) {
        switch phase {
        case .active: try? client?.foreground()
        case .background: finish()
        default: break
        }
    }

    /// Sends what waits, in the time that the system gives. It would suspend the app at once otherwise, in the middle of a request.
    private func finish() {
        guard let client, time == .invalid else { return }
        let application = UIApplication.shared
        time = application.beginBackgroundTask { self.giveBackTime() }
        let deadline = min(application.backgroundTimeRemaining - 5, 20)
        Task {
            _ = try? await client.background(deadline: max(deadline, 1))
            giveBackTime()
        }
    }

    private func giveBackTime() {
        UIApplication.shared.endBackgroundTask(time)
        time = .invalid
    }

    private static func options() throws -> ClientOptions {
        let folder = try FileManager.default.url(
            for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true
        )
        let settings = Bundle.main.infoDictionary
        return ClientOptions(
            database: folder.appendingPathComponent("fieldpost.db").path,
            url: settings?["FieldpostURL"] as? String,
            anonKey: settings?["FieldpostAnonKey"] as? String
        )
    }
}
