import Fieldpost
import SwiftUI

/// Signs a person in.
struct SignInView: View {
    let client: Client
    let done: @MainActor () -> Void

    @State private var email = ""
    @State private var password = ""
    @State private var failure: Failure?

    var body: some View {
        Form {
            TextField("Email", text: $email)
            SecureField("Password", text: $password)
            if let failure {
                Text(failure.reason).foregroundStyle(.red)
            }
            Button("Sign in") { Task { await signIn() } }
                .disabled(email.isEmpty || password.isEmpty)
        }
    }

    private func signIn() async {
        do {
            _ = try await client.signIn(email: email, password: password)
            done()
        } catch {
            failure = Failure(error)
        }
    }
}
