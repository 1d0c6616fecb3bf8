//! The live connection goes through the proxy that calls go through, and what proxies do to it harms nothing else.

use crate::{
    encrypted::{admin, hears},
    forward::{Forward, Rules},
    terminal::{Terminal, server},
    tls::{ELSEWHERE, Encrypted},
    watch::Watch,
};
use fieldpost_devserver::DevServer;
use std::net::SocketAddr;

/// `me:secret`, as a header has it.
const CREDENTIALS: &str = "bWU6c2VjcmV0";

/// How a proxy is asked for the live connection of an `http` project.
const LIVE: &str = "GET http://project.invalid/realtime/v1/websocket";

/// Ada, whose project has TLS and is found by the proxy only.
fn behind(proxy: &str, project: &Encrypted, server: &DevServer) -> Terminal {
    Terminal::with(&format!("https://{ELSEWHERE}"), server.anon_key())
        .own(vec![project.trusted(), ("HTTPS_PROXY", proxy.to_owned())])
        .signed_in_as_ada()
}

/// The same without TLS.
fn unencrypted(proxy: &str, server: &DevServer) -> Terminal {
    Terminal::with(&format!("http://{ELSEWHERE}"), server.anon_key())
        .own(vec![("HTTP_PROXY", proxy.to_owned()), ("FIELDPOST_ALLOW_HTTP", "yes".to_owned())])
        .signed_in_as_ada()
}

fn address(server: &DevServer) -> SocketAddr {
    server.url().trim_start_matches("http://").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_connection_has_a_tunnel_through_every_kind_of_proxy() {
    let server = server().await;
    let project = Encrypted::before(&server, &["h2", "http/1.1"]).await;
    let admin = admin(&server);
    for (before, credentials, asked) in [
        ("http://", None, "CONNECT project.invalid:443 HTTP/1.1"),
        ("http://me:secret@", Some(CREDENTIALS), "CONNECT project.invalid:443 HTTP/1.1"),
        ("socks5h://", None, "SOCKS5 project.invalid:443"),
        ("socks5h://me:secret@", None, "SOCKS5 me:secret@project.invalid:443"),
    ] {
        let proxy = Forward::to(project.address, Rules { credentials, ..Rules::default() }).await;
        let ada = behind(&proxy.url(before), &project, &server);
        let tunnels = proxy.asked().len();
        let mut watch = Watch::every(&ada, "3600");
        hears(&mut watch, &admin, &format!("through {before}"));
        assert_eq!(watch.interrupt(), 0);
        // One for all calls, one for the live connection.
        assert_eq!(proxy.asked()[tunnels..], [asked, asked], "{before}");
    }
    assert!(project.seen().iter().any(|line| line.starts_with("h2 POST")), "{:?}", project.seen());
}

#[tokio::test(flavor = "multi_thread")]
async fn tunnels_that_a_proxy_cuts_are_opened_again() {
    let server = server().await;
    let project = Encrypted::before(&server, &["h2", "http/1.1"]).await;
    let proxy = Forward::to(project.address, Rules::default()).await;
    let ada = behind(&proxy.url("http://"), &project, &server);
    let admin = admin(&server);
    let mut watch = Watch::every(&ada, "3600");
    hears(&mut watch, &admin, "before");
    for text in ["after one cut", "after another"] {
        let tunnels = proxy.asked().len();
        proxy.cuts_all();
        proxy.is_asked("CONNECT", tunnels + 1).await;
        assert_eq!(admin.run(&["send", "Ada Moss", text]).code, 0);
        watch.until(|line| line["arrived"]["content"] == text);
    }
    assert_eq!(watch.interrupt(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_wants_other_credentials_is_named_with_the_reason() {
    let server = server().await;
    let project = Encrypted::before(&server, &["h2", "http/1.1"]).await;
    let proxy = Forward::to(project.address, Rules::default()).await;
    let ada = behind(&proxy.url("http://"), &project, &server);
    proxy.follows(Rules { credentials: Some(CREDENTIALS), ..Rules::default() });
    let mut watch = Watch::every(&ada, "1");
    let line = watch.until(|line| line["error"].is_string());
    let error = line["error"].as_str().unwrap();
    assert!(error.contains(&proxy.url("through the proxy ")) && error.contains("authorization required"), "{error}");
    // It is asked again, and lets both through when it may.
    proxy.follows(Rules::default());
    hears(&mut watch, &admin(&server), "let through");
    assert_eq!(watch.interrupt(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_before_an_http_project_passes_the_live_connection_on_if_it_can() {
    let server = server().await;
    let proxy = Forward::to(address(&server), Rules { credentials: Some(CREDENTIALS), ..Rules::default() }).await;
    let ada = unencrypted(&proxy.url("http://me:secret@"), &server);
    let mut watch = Watch::every(&ada, "3600");
    hears(&mut watch, &admin(&server), "in plain sight");
    assert_eq!(watch.interrupt(), 0);
    assert!(proxy.asked().iter().any(|line| line.starts_with(LIVE)), "{:?}", proxy.asked());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_proxy_refuses_the_live_connection_calls_go_on() {
    let server = server().await;
    let admin = admin(&server);
    for rules in [
        Rules { refuses_live: Some("403 Forbidden"), ..Rules::default() },
        Rules { drops_upgrade: true, ..Rules::default() },
    ] {
        let proxy = Forward::to(address(&server), rules.clone()).await;
        let ada = unencrypted(&proxy.url("http://"), &server);
        let mut watch = Watch::every(&ada, "1");
        proxy.is_asked(LIVE, 1).await;
        assert_eq!(admin.run(&["send", "Ada Moss", "by the timer"]).code, 0);
        watch.until(|line| line["arrived"]["content"] == "by the timer");
        watch.until(|line| line["status"] == "synced" && line["live"] == "reconnecting");
        assert_eq!(watch.interrupt(), 0, "{rules:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_fails_to_pass_on_the_live_connection_is_asked_again() {
    let server = server().await;
    let admin = admin(&server);
    for status in ["407 Proxy Authentication Required", "502 Bad Gateway"] {
        let rules = Rules { refuses_live: Some(status), ..Rules::default() };
        let proxy = Forward::to(address(&server), rules).await;
        let ada = unencrypted(&proxy.url("http://"), &server);
        let mut watch = Watch::every(&ada, "3600");
        proxy.is_asked(LIVE, 2).await;
        watch.until(|line| line["status"] == "synced" && line["live"] == "reconnecting");
        proxy.follows(Rules::default());
        hears(&mut watch, &admin, &format!("after {status}"));
        assert_eq!(watch.interrupt(), 0);
    }
}
