//! A minimal client: one request per connection, the response as received.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests: a failure here is the test's failure")]

use fieldpost_devserver::{DevServer, FaultProxy};
use fieldpost_remote::reference::{DEMO_ADA, DEMO_PASSWORD};
use serde_json::{Value, json};
use std::io;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("not JSON ({error}): {} {}", self.status, String::from_utf8_lossy(&self.body))
        })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// A request to send.
pub(crate) struct Ask<'a> {
    url: &'a str,
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

pub(crate) fn ask<'a>(server: &'a DevServer, method: &'static str, path: &str) -> Ask<'a> {
    let headers = vec![
        ("apikey".to_owned(), server.anon_key().to_owned()),
        ("content-type".to_owned(), "application/json".to_owned()),
    ];
    Ask { url: server.url(), method, path: path.to_owned(), headers, body: String::new() }
}

impl<'a> Ask<'a> {
    /// Sends it through this network.
    pub(crate) fn through(mut self, network: &'a FaultProxy) -> Self {
        self.url = network.url();
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(key, _)| key != name);
        self
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(&body.to_string())
    }

    pub(crate) fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    pub(crate) async fn send(self) -> Answer {
        self.try_send().await.expect("an answer")
    }

    /// Fails if the connection is refused, or breaks before the response is complete.
    pub(crate) async fn try_send(self) -> io::Result<Answer> {
        let host = self.url.trim_start_matches("http://").to_owned();
        let mut stream = TcpStream::connect(&host).await?;
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let Self { method, path, body, .. } = self;
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        parse(&bytes)
    }
}

fn parse(bytes: &[u8]) -> io::Result<Answer> {
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(cut)?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(cut)?;
    let answer = Answer { status, head, body: bytes[end + 4..].to_vec() };
    let length = answer.header("content-length").and_then(|length| length.parse().ok());
    if length.is_some_and(|length: usize| length != answer.body.len()) {
        return Err(cut());
    }
    Ok(answer)
}

pub(crate) async fn demo() -> DevServer {
    DevServer::builder().start().await.expect("a free port")
}

/// The same behind a network that fails on command.
pub(crate) async fn demo_behind_a_network() -> (DevServer, FaultProxy) {
    let server = demo().await;
    let network = FaultProxy::before(&server).await.expect("a free port");
    (server, network)
}

pub(crate) async fn sign_in(server: &DevServer, email: &str) -> Value {
    let credentials = json!({"email": email, "password": DEMO_PASSWORD});
    let answer = ask(server, "POST", "/auth/v1/token?grant_type=password").json(&credentials).send().await;
    assert_eq!(answer.status, 200);
    answer.json()
}

/// The access token of Ada, the demo's first medic.
pub(crate) async fn ada(server: &DevServer) -> String {
    sign_in(server, DEMO_ADA).await["access_token"].as_str().expect("a token").to_owned()
}

/// A call of one of the four functions, with the envelope added.
pub(crate) fn call<'a>(server: &'a DevServer, token: &str, function: &str, mut arguments: Value) -> Ask<'a> {
    arguments["p_protocol"] = json!(1);
    arguments["p_app"] = json!("test/1");
    if arguments.get("p_capabilities").is_none() {
        arguments["p_capabilities"] = json!([]);
    }
    ask(server, "POST", &format!("/rest/v1/rpc/{function}")).bearer(token).json(&arguments)
}
