//! A scripted HTTP server on loopback, one method per endpoint.
//!
//! ```ignore
//! let server = Server::start().await;
//! server.pull().answers(json!({"cursor": "c1", "more": false}));
//! let page = server.remote().pull(&token(), request).await;
//! assert_eq!(server.requests()[0].body["p_cursor"], "c0");
//! ```
//!
//! It is stricter than a real server: it answers 599 to a path that was not scripted, or not often enough.

use fieldpost_domain::{AccessToken, Cursor};
use fieldpost_remote::PullRequest;
use fieldpost_remote_supabase::{SupabaseConfig, SupabaseRemote};
use serde_json::{Value, json};
use std::{
    collections::{HashMap, VecDeque},
    fmt::Write as _,
    future,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

pub(crate) const ANON_KEY: &str = "sb_publishable_test";

pub(crate) fn token() -> AccessToken {
    AccessToken::new("access-token-secret")
}

pub(crate) fn pull_request() -> PullRequest {
    PullRequest { cursor: Cursor::new("c0").unwrap(), limit: None, bytes: None }
}

/// A request that the server received.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Value,
}

/// The server's reaction to a request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Answer(Answer),
    /// Closes the connection without a response.
    Close,
    /// Never answers.
    Hang,
}

/// A response as bytes.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Sends only this many bytes of the body and closes.
    pub(crate) cut_at: Option<usize>,
    /// Sends only this many bytes of the body and hangs.
    pub(crate) hang_at: Option<usize>,
}

#[derive(Default)]
struct Script {
    acts: HashMap<String, VecDeque<Act>>,
    requests: Vec<Recorded>,
}

/// The server. It stops when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Mutex::new(Script::default()));
        let connections = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(accept(listener, script.clone(), connections.clone()));
        Self { address, script, connections, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn config(&self) -> SupabaseConfig {
        SupabaseConfig::new(self.url(), ANON_KEY).with_app("siteapp/3.1")
    }

    pub(crate) fn remote(&self) -> SupabaseRemote {
        SupabaseRemote::new(self.config()).unwrap()
    }

    /// A client with a timeout of a few milliseconds.
    pub(crate) fn impatient(&self) -> SupabaseRemote {
        SupabaseRemote::new(self.config().with_timeout(Duration::from_millis(40))).unwrap()
    }

    pub(crate) fn bootstrap(&self) -> Endpoint<'_> {
        self.at("/rest/v1/rpc/fieldpost_bootstrap")
    }

    pub(crate) fn pull(&self) -> Endpoint<'_> {
        self.at("/rest/v1/rpc/fieldpost_pull")
    }

    pub(crate) fn push(&self) -> Endpoint<'_> {
        self.at("/rest/v1/rpc/fieldpost_push")
    }

    pub(crate) fn history(&self) -> Endpoint<'_> {
        self.at("/rest/v1/rpc/fieldpost_history")
    }

    pub(crate) fn sign_in(&self) -> Endpoint<'_> {
        self.at("/auth/v1/token?grant_type=password")
    }

    pub(crate) fn refresh(&self) -> Endpoint<'_> {
        self.at("/auth/v1/token?grant_type=refresh_token")
    }

    pub(crate) fn sign_out(&self) -> Endpoint<'_> {
        self.at("/auth/v1/logout?scope=local")
    }

    pub(crate) fn at(&self, path: &str) -> Endpoint<'_> {
        Endpoint { server: self, path: path.to_owned() }
    }

    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.script.lock().unwrap().requests.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A path; its methods script the response to the next request.
pub(crate) struct Endpoint<'a> {
    server: &'a Server,
    path: String,
}

impl Endpoint<'_> {
    pub(crate) fn does(self, act: Act) {
        self.server.script.lock().unwrap().acts.entry(self.path).or_default().push_back(act);
    }

    /// 200 with the envelope of every response and these fields.
    pub(crate) fn answers(self, fields: Value) {
        self.replies(&envelope(fields));
    }

    /// 200 with exactly this.
    pub(crate) fn replies(self, body: &Value) {
        self.raw(200, "application/json; charset=utf-8", body.to_string());
    }

    /// An error response as the servers send it.
    pub(crate) fn refuses(self, status: u16, body: &Value) {
        self.raw(status, "application/json; charset=utf-8", body.to_string());
    }

    pub(crate) fn raw(self, status: u16, content_type: &str, body: impl Into<Vec<u8>>) {
        self.does(Act::Answer(Answer::new(status, content_type, body)));
    }
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self { status, headers, body: body.into(), cut_at: None, hang_at: None }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn cut_at(mut self, bytes: usize) -> Self {
        self.cut_at = Some(bytes);
        self
    }

    pub(crate) fn hang_at(mut self, bytes: usize) -> Self {
        self.hang_at = Some(bytes);
        self
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} X\r\ncontent-length: {}\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        head + "\r\n"
    }
}

/// The envelope of docs/protocol.md with these fields.
pub(crate) fn envelope(fields: Value) -> Value {
    let mut answer = json!({
        "protocol": 1,
        "min_protocol": 1,
        "capabilities": [],
        "limits": {"push_rows": 500, "push_bytes": 1_048_576, "page_rows": 2500, "page_bytes": 1_048_576,
                   "content_chars": 5000},
        "server_time": "2026-01-31T08:15:00.123456+00:00",
    });
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    answer.as_object_mut().unwrap().extend(fields);
    answer
}

async fn accept(listener: TcpListener, script: Arc<Mutex<Script>>, connections: Arc<AtomicUsize>) {
    while let Ok((stream, _)) = listener.accept().await {
        connections.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(serve(stream, script.clone()));
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Mutex<Script>>) {
    while let Some(request) = read_request(&mut stream).await {
        match next_act(&script, request) {
            Act::Close => return,
            Act::Hang => future::pending().await,
            Act::Answer(answer) => {
                let end = answer.cut_at.or(answer.hang_at).unwrap_or(answer.body.len());
                let bytes = [answer.head().as_bytes(), &answer.body[..end]].concat();
                if stream.write_all(&bytes).await.is_err() || answer.cut_at.is_some() {
                    return;
                }
                if answer.hang_at.is_some() {
                    future::pending::<()>().await;
                }
            }
        }
    }
}

fn next_act(script: &Mutex<Script>, request: Recorded) -> Act {
    let mut script = script.lock().unwrap();
    let act = script.acts.get_mut(&request.path).and_then(VecDeque::pop_front);
    script.requests.push(request);
    act.unwrap_or_else(|| Act::Answer(Answer::new(599, "text/plain", "not in the script")))
}

async fn read_request(stream: &mut TcpStream) -> Option<Recorded> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: HashMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = bytes.split_off(head_end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Recorded { method, path, headers, body: serde_json::from_slice(&body).unwrap_or(Value::Null) })
}
