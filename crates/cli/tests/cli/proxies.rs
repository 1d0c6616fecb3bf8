//! The proxy of the environment, as other tools use it.

use crate::terminal::{ADA, PASSWORD, Terminal, server};
use fieldpost_devserver::DevServer;
use std::{
    io::{BufRead, BufReader, Read, Write, copy},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

const PROJECT: &str = "http://project.invalid";

/// A proxy that passes everything to one server, and refuses tunnels.
struct Proxy {
    url: String,
    /// The first line of each connection that asked for something.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn to(server: &DevServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://me:secret@{}", listener.local_addr().unwrap());
        let target = server.url().trim_start_matches("http://").to_owned();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, target) = (log.clone(), target.clone());
                thread::spawn(move || pass(&stream, &target, &log));
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn pass(stream: &TcpStream, target: &str, log: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    // A client may open a connection ahead of a request that then finds an idle one.
    if reader.read_line(&mut first).ok()? == 0 {
        return None;
    }
    log.lock().unwrap().push(first.trim().to_owned());
    if first.starts_with("CONNECT") {
        let mut writer = stream;
        return writer.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").ok();
    }
    let server = TcpStream::connect(target).ok()?;
    let (mut to_server, mut from_server) = (server.try_clone().ok()?, server);
    let mut back = stream.try_clone().ok()?;
    let answers = thread::spawn(move || {
        let _ = copy(&mut from_server, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    to_server.write_all(first.as_bytes()).ok()?;
    let mut all = reader.by_ref();
    let _ = copy(&mut all, &mut to_server);
    let _ = to_server.shutdown(Shutdown::Write);
    answers.join().ok()
}

fn terminal(url: &str, server: &DevServer, variables: &[(&'static str, &str)]) -> Terminal {
    let mut variables: Vec<_> = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    variables.push(("FIELDPOST_ALLOW_HTTP", "yes".to_owned()));
    Terminal::with(url, server.anon_key()).own(variables)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_go_through_the_proxy_of_the_environment() {
    let server = server().await;
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let proxy = Proxy::to(&server);
        let ada = terminal(PROJECT, &server, &[(name, &proxy.url), ("NO_PROXY", "other.invalid")]);
        assert_eq!(ada.login(ADA, PASSWORD).code, 0, "{name}");
        assert_eq!(ada.run(&["sync"]).code, 0, "{name}");
        let asked = proxy.asked();
        assert!(
            !asked.is_empty() && asked.iter().all(|line| line.starts_with("POST http://project.invalid/")),
            "{asked:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_project_is_reached_by_a_tunnel_and_a_refusal_names_the_proxy() {
    let server = server().await;
    let proxy = Proxy::to(&server);
    let ended = terminal("https://project.invalid", &server, &[("HTTPS_PROXY", &proxy.url)]).login(ADA, PASSWORD);
    assert_eq!(proxy.asked(), ["CONNECT project.invalid:443 HTTP/1.1"]);
    assert!(
        ended.code == 3 && ended.err.contains("through the proxy 127.0.0.1:") && !ended.err.contains("secret"),
        "{ended:?}"
    );

    let nobody =
        terminal("https://project.invalid", &server, &[("HTTPS_PROXY", "http://127.0.0.1:1")]).login(ADA, PASSWORD);
    assert!(nobody.code == 3 && nobody.err.contains("through the proxy 127.0.0.1:1"), "{nobody:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_proxy_is_used_where_none_is_wanted() {
    let server = server().await;
    let proxy = Proxy::to(&server);
    for none in ["project.invalid", ".invalid", "*.invalid", "other, project.invalid", "project.invalid:80", "*"] {
        let ended = terminal(PROJECT, &server, &[("HTTP_PROXY", &proxy.url), ("NO_PROXY", none)]).login(ADA, PASSWORD);
        assert!(ended.code == 3 && !ended.err.contains("proxy"), "{none}: {ended:?}");
    }
    // This machine is never behind it, whatever NO_PROXY names.
    let here = terminal(server.url(), &server, &[("HTTP_PROXY", &proxy.url), ("NO_PROXY", "other.invalid")]);
    assert_eq!(here.login(ADA, PASSWORD).code, 0);
    assert_eq!(proxy.asked(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_cannot_be_used_is_said_and_not_skipped() {
    let server = server().await;
    for (name, value) in [("HTTPS_PROXY", "ftp://secret.example"), ("ALL_PROXY", "http://")] {
        let ended = terminal("https://project.invalid", &server, &[(name, value)]).login(ADA, PASSWORD);
        assert!(ended.code == 2 && ended.err.contains(name) && !ended.err.contains("secret"), "{ended:?}");
    }
}
