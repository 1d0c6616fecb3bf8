//! A project behind TLS: what travels on which protocol, and whom the tool trusts.

use crate::{
    terminal::{ADA, PASSWORD, Terminal, server},
    tls::Encrypted,
    watch::Watch,
};
use fieldpost_devserver::DevServer;

async fn ada(project: &Encrypted, server: &DevServer) -> Terminal {
    Terminal::with(&project.url(), server.anon_key()).own(vec![project.trusted()]).signed_in_as_ada()
}

/// An admin who works without TLS, beside it.
pub(crate) fn admin(server: &DevServer) -> Terminal {
    let admin = Terminal::with(server.url(), server.anon_key());
    assert_eq!(admin.login("admin@fieldpost.test", PASSWORD).code, 0);
    assert_eq!(admin.run(&["sync"]).code, 0);
    admin
}

/// Ada's watch becomes live, and prints what the admin says, long before its timer.
pub(crate) fn hears(watch: &mut Watch, admin: &Terminal, text: &str) {
    watch.until(|line| line["live"] == "live");
    assert_eq!(admin.run(&["send", "Ada Moss", text]).code, 0);
    watch.until(|line| line["arrived"]["content"] == text);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_over_http2_and_the_live_connection_over_http1_with_the_same_trust() {
    let server = server().await;
    let project = Encrypted::before(&server, &["h2", "http/1.1"]).await;
    let ada = ada(&project, &server).await;
    let admin = admin(&server);
    let mut watch = Watch::every(&ada, "3600");
    hears(&mut watch, &admin, "the crane is down");
    assert_eq!(watch.interrupt(), 0);
    assert_eq!(ada.run(&["send", "Admin", "on my way"]).code, 0);
    let (live, calls): (Vec<_>, Vec<_>) = project.seen().into_iter().partition(|line| line.contains("/realtime/"));
    assert!(calls.iter().all(|line| line.starts_with("h2 POST ")), "{calls:?}");
    assert!(calls.iter().any(|line| line.ends_with("/fieldpost_push")), "{calls:?}");
    assert!(!live.is_empty() && live.iter().all(|line| line.starts_with("http/1.1 GET ")), "{live:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_without_http2_is_live_too() {
    let server = server().await;
    for protocols in [&["http/1.1"][..], &[]] {
        let project = Encrypted::before(&server, protocols).await;
        let ada = ada(&project, &server).await;
        let admin = admin(&server);
        let mut watch = Watch::every(&ada, "3600");
        hears(&mut watch, &admin, "the crane is up");
        assert_eq!(watch.interrupt(), 0);
        // A connection that was not needed after all has hung up before it said anything.
        let calls = || project.seen().into_iter().filter(|line| !line.starts_with("hung up"));
        assert!(calls().count() > 0 && calls().all(|line| line.starts_with("http/1.1 ")), "{:?}", project.seen());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_is_not_trusted_gets_no_call_and_no_live_connection_and_the_status_says_why() {
    let server = server().await;
    let project = Encrypted::before(&server, &["h2", "http/1.1"]).await;
    let stranger = Terminal::with(&project.url(), server.anon_key()).own(vec![project.mistrusted()]);
    let ended = stranger.login(ADA, PASSWORD);
    assert!(ended.code == 3 && ended.err.contains("invalid peer certificate"), "{ended:?}");

    // Somebody who was signed in before the certificate changed.
    let ada = ada(&project, &server).await;
    let before = project.seen().len();
    let mut watch = Watch::every(&ada.here(vec![project.mistrusted()]), "1");
    let line = watch.until(|line| line["error"].is_string());
    let error = line["error"].as_str().unwrap();
    assert!(error.contains("invalid peer certificate") && line["live"] == "reconnecting", "{line}");
    project.sees("hung up: h2").await;
    project.sees("hung up: http/1.1").await;
    assert_eq!(watch.interrupt(), 0);
    let seen = &project.seen()[before..];
    assert!(seen.iter().all(|line| line.starts_with("hung up")), "{seen:?}");
}
