//! The connection between a client and a server: it counts, delays and loses traffic, and can answer from memory.
//!
//! Every client uses the same line, so that no client counts its own requests and every client loses responses by the
//! same rule. A line that has recorded responses can replay them: then the server costs nothing, and only the client is
//! measured.

use anyhow::{Context as _, Result};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response, Uri,
    body::{Bytes, Incoming},
    header::{CONNECTION, HOST, HeaderMap, TRANSFER_ENCODING},
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What the line does to the traffic.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NetworkConditions {
    /// The delay of a response beyond the server's own time.
    pub(crate) round_trip: Duration,
    /// Every n-th writing request loses its response, after the server has done the work.
    pub(crate) lose_every: Option<u64>,
    /// Replays a recorded response if the same request was made before.
    pub(crate) from_memory: bool,
    /// Does not record responses: there are too many.
    pub(crate) forgetful: bool,
}

/// The traffic since the last query.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Passed {
    pub(crate) requests: u64,
    pub(crate) bytes: u64,
    pub(crate) lost: u64,
    /// The writing requests, and the server's own time for all of them.
    pub(crate) writes: u64,
    pub(crate) writing: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Question {
    method: String,
    target: String,
    body: Bytes,
}

#[derive(Debug, Clone)]
struct Answer {
    status: hyper::StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Debug, Default)]
struct State {
    conditions: NetworkConditions,
    passed: Passed,
    /// The number of recorded responses.
    kept: usize,
    /// The newest response to each request, with its number.
    memory: HashMap<Question, (usize, Answer)>,
}

/// A running line.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

type Forward = Client<HttpConnector, Full<Bytes>>;

impl Line {
    /// A line to a server, without faults.
    pub(crate) async fn to(server: &str) -> Result<Self> {
        let server: Uri = server.parse()?;
        let authority = server.authority().context("the server has no address")?.to_string();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(Mutex::new(State::default()));
        let task = tokio::spawn(accept(listener, authority.into(), state.clone()));
        Ok(Self { url, state, task })
    }

    /// Changes the conditions, and resets the counts.
    pub(crate) fn turn(&self, conditions: NetworkConditions) {
        let mut state = lock(&self.state);
        (state.conditions, state.passed) = (conditions, Passed::default());
    }

    /// The recorded responses of a function of the server, in order of arrival.
    pub(crate) fn answers(&self, function: &str) -> Vec<Bytes> {
        let state = lock(&self.state);
        let of = state.memory.iter().filter(|(question, _)| question.target.ends_with(function));
        let mut of: Vec<_> = of.map(|(_, (number, answer))| (*number, answer.body.clone())).collect();
        of.sort_by_key(|(number, _)| *number);
        of.into_iter().map(|(_, body)| body).collect()
    }

    /// The traffic since the conditions changed.
    pub(crate) fn passed(&self) -> Passed {
        lock(&self.state).passed
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, server: Arc<str>, state: Arc<Mutex<State>>) {
    let forward: Forward = Client::builder(TokioExecutor::new()).build_http();
    while let Ok((stream, _)) = listener.accept().await {
        let (server, state, forward) = (server.clone(), state.clone(), forward.clone());
        tokio::spawn(serve(stream, server, state, forward));
    }
}

async fn serve(stream: TcpStream, server: Arc<str>, state: Arc<Mutex<State>>, forward: Forward) {
    let service = service_fn(|request| pass(request, &server, &state, &forward));
    // A disconnected client or a lost response ends the connection; nothing else happens.
    let _ = stream.set_nodelay(true);
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// An error breaks the connection: the response is lost.
async fn pass(
    request: Request<Incoming>,
    server: &str,
    state: &Mutex<State>,
    forward: &Forward,
) -> Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let question = Question { method: parts.method.to_string(), target, body };
    let (conditions, known) = {
        let state = lock(state);
        (
            state.conditions,
            state.memory.get(&question).filter(|_| state.conditions.from_memory).map(|(_, answer)| answer.clone()),
        )
    };
    tokio::time::sleep(conditions.round_trip).await;
    let asked = Instant::now();
    let answer = match known {
        Some(answer) => answer,
        None => ask(&question, parts.headers, server, forward).await?,
    };
    let mut response = Response::new(Full::new(answer.body.clone()));
    (*response.status_mut(), *response.headers_mut()) = (answer.status, answer.headers.clone());
    note(state, question, answer, asked.elapsed())?;
    Ok(response)
}

async fn ask(question: &Question, mut headers: HeaderMap, server: &str, forward: &Forward) -> Result<Answer> {
    for hop in [HOST, CONNECTION, TRANSFER_ENCODING] {
        headers.remove(hop);
    }
    let uri = format!("http://{server}{}", question.target);
    let mut request = Request::builder().method(question.method.as_str()).uri(uri);
    if let Some(all) = request.headers_mut() {
        *all = headers;
    }
    let response = forward.request(request.body(Full::new(question.body.clone()))?).await?;
    let (parts, body) = response.into_parts();
    let mut headers = parts.headers;
    for hop in [CONNECTION, TRANSFER_ENCODING] {
        headers.remove(hop);
    }
    Ok(Answer { status: parts.status, headers, body: body.collect().await?.to_bytes() })
}

/// Counts a response; an error if it must be lost.
fn note(state: &Mutex<State>, question: Question, answer: Answer, took: Duration) -> Result<()> {
    let mut state = lock(state);
    state.passed.requests += 1;
    state.passed.bytes += (question.body.len() + answer.body.len()) as u64;
    if is_write(&question) {
        state.passed.writes += 1;
        state.passed.writing += took;
        if state.conditions.lose_every.is_some_and(|every| state.passed.writes % every == LOST_AT) {
            state.passed.lost += 1;
            anyhow::bail!("lost on the way");
        }
    }
    if answer.status.is_success() && !state.conditions.forgetful {
        state.kept += 1;
        let number = state.kept;
        state.memory.insert(question, (number, answer));
    }
    Ok(())
}

/// The first of every n, so that a client with few requests loses one too.
const LOST_AT: u64 = 1;

/// Requests that write: inserts and updates of tables, and the push function.
fn is_write(question: &Question) -> bool {
    let rest = question.target.starts_with("/rest/v1/");
    let function = question.target.starts_with("/rest/v1/rpc/");
    rest && question.method != "GET" && (!function || question.target.ends_with("/fieldpost_push"))
}
