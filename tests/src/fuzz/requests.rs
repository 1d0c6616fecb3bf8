//! Requests to the stand-in server.

use fieldpost_devserver::fuzzing::Functions;
use fieldpost_remote::{
    Auth, Credentials,
    reference::{DEMO_ADA, DEMO_PASSWORD, ReferenceServer},
};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

/// Sends the bytes as the body of every function, signed in.
///
/// # Panics
/// When the response is not one of the server's, or a push has another number of results than mutations.
pub fn requests(bytes: &[u8]) {
    let runtime = runtime();
    let functions = runtime.block_on(functions());
    for function in [
        "fieldpost_bootstrap",
        "fieldpost_pull",
        "fieldpost_history",
        "fieldpost_push",
        "fieldpost_search",
        "fieldpost_records_push",
        "fieldpost_records_pull",
        "fieldpost_audit_push",
    ] {
        let (status, answer) = runtime.block_on(functions.call(function, bytes));
        let answer: Value = serde_json::from_slice(&answer).expect("every answer is JSON");
        assert!([200, 400, 404, 413].contains(&status), "{status} {answer}");
        if let Some(results) = answer["results"].as_array() {
            let asked: Value = serde_json::from_slice(bytes).expect("it was carried out, so it was JSON");
            let batch = asked["p_mutations"].as_array().or(asked["p_changes"].as_array());
            assert_eq!(Some(results.len()), batch.map(Vec::len));
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

/// A new server for every input, so that a finding is repeatable.
async fn functions() -> Functions {
    let server = ReferenceServer::demo();
    let credentials = Credentials { email: DEMO_ADA.to_owned(), password: DEMO_PASSWORD.into() };
    let session = server.sign_in(&credentials).await.expect("Ada signs in");
    Functions::new(server, &session.access_token).expect("a token of this server")
}
