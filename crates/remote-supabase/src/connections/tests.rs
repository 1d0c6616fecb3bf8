//! Stories of connections, over real TLS, with a server that does on command what servers and lines do.

use super::{Plan, Pulse};
use crate::{
    http::{Http, Reply, Request, Switch},
    proxy::{Proxy, Route, route},
};
use fieldpost_domain::Retry;
use fieldpost_remote::{RemoteError, RemoteErrorKind, RemoteResult};
use h2::Reason;
use reqwest::header::{HeaderMap, HeaderValue};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex, split},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use url::Url;

/// What must come comes sooner.
const PATIENCE: Duration = Duration::from_secs(30);
/// A rhythm in which a dead connection is found soon, and one in which it is never found.
const QUICK: Pulse = Pulse { beat: Duration::from_millis(20), answer: Duration::from_secs(2) };
const NEVER: Pulse = Pulse { beat: Duration::from_secs(3600), answer: Duration::from_secs(3600) };

/// What the server does with a request.
#[derive(Debug, Clone, Copy)]
enum Act {
    Answer,
    /// Ends this request only.
    Reset(Reason),
    /// Ends the connection, and does not say that it has passed over this request.
    GoAway(Reason),
}

#[derive(Default)]
struct State {
    acts: Mutex<VecDeque<Act>>,
    /// The protocol of each request.
    requests: Mutex<Vec<&'static str>>,
    connections: AtomicUsize,
    /// Connections before this one are dead: nothing passes, and nobody is told.
    dead: AtomicUsize,
    /// Connections that the client has closed.
    closed: watch::Sender<usize>,
}

/// A server with HTTP/2 and HTTP/1.1, or one of them.
struct Server {
    url: Url,
    trusted: CertificateDer<'static>,
    state: Arc<State>,
}

impl Server {
    async fn offering(protocols: &[&str]) -> Self {
        Self::start(protocols, None).await
    }

    /// On its first connection it agrees to HTTP/2, says `first` and hangs up.
    async fn start(protocols: &[&str], first: Option<Vec<u8>>) -> Self {
        let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let trusted = own.cert.der().clone();
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let mut tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![trusted.clone()], key)
            .unwrap();
        tls.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("https://{}/", listener.local_addr().unwrap())).unwrap();
        let state = Arc::<State>::default();
        tokio::spawn(accept(listener, TlsAcceptor::from(Arc::new(tls)), state.clone(), first));
        Self { url, trusted, state }
    }

    fn does(&self, acts: impl IntoIterator<Item = Act>) {
        self.state.acts.lock().unwrap().extend(acts);
    }

    /// The line goes dead under all connections so far.
    fn loses_its_line(&self) {
        self.state.dead.store(self.connections(), Ordering::SeqCst);
    }

    fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    fn requests(&self) -> Vec<&'static str> {
        self.state.requests.lock().unwrap().clone()
    }

    fn phone(&self, pulse: Pulse) -> Phone {
        self.impatient_phone(pulse, PATIENCE)
    }

    fn impatient_phone(&self, pulse: Pulse, timeout: Duration) -> Phone {
        self.phone_behind(None, pulse, timeout)
    }

    fn phone_behind(&self, route: Option<Route>, pulse: Pulse, timeout: Duration) -> Phone {
        let mut roots = RootCertStore::empty();
        roots.add(self.trusted.clone()).unwrap();
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let plan = Plan {
            tls,
            https: true,
            route,
            headers: HeaderMap::new(),
            user_agent: HeaderValue::from_static("test"),
            connect_timeout: PATIENCE,
            timeout,
            pulse,
        };
        Phone { http: Http::over(plan, "the project".into(), 1 << 20).unwrap(), url: self.url.clone() }
    }
}

/// A client of the server.
struct Phone {
    http: Http,
    url: Url,
}

impl Phone {
    async fn call(&self) -> RemoteResult<Reply> {
        let request = Request { operation: "push", reads: false, url: &self.url, bearer: None, body: b"{}".to_vec() };
        tokio::time::timeout(PATIENCE * 2, self.http.post(request)).await.unwrap()
    }

    async fn calls(&self) {
        let reply = self.call().await.unwrap();
        assert_eq!((reply.status.as_u16(), reply.body.as_slice()), (200, &b"{}"[..]));
    }

    async fn fails(&self) -> RemoteError {
        self.call().await.unwrap_err()
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, state: Arc<State>, mut first: Option<Vec<u8>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let number = state.connections.fetch_add(1, Ordering::SeqCst);
        let (line, far_end) = duplex(1 << 16);
        tokio::spawn(carry(stream, far_end, number, state.clone()));
        tokio::spawn(serve(line, tls.clone(), state.clone(), first.take()));
    }
}

/// Carries what is said both ways, until the line is dead.
async fn carry(stream: TcpStream, line: DuplexStream, number: usize, state: Arc<State>) {
    let (from_client, to_client) = stream.into_split();
    let (from_server, to_server) = split(line);
    tokio::spawn(pump(from_server, to_client, number, state.clone()));
    pump(from_client, to_server, number, state.clone()).await;
    state.closed.send_modify(|closed| *closed += 1);
}

async fn pump<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(mut from: R, mut to: W, number: usize, state: Arc<State>) {
    let mut bytes = [0; 4096];
    while let Ok(count) = from.read(&mut bytes).await {
        let is_dead = number < state.dead.load(Ordering::SeqCst);
        if count == 0 && is_dead {
            return std::mem::forget(to);
        }
        if count == 0 || (!is_dead && to.write_all(&bytes[..count]).await.is_err()) {
            return;
        }
    }
}

async fn serve(line: DuplexStream, tls: TlsAcceptor, state: Arc<State>, first: Option<Vec<u8>>) -> Option<()> {
    let mut stream = tls.accept(line).await.ok()?;
    if let Some(first) = first {
        stream.write_all(&first).await.ok()?;
        return stream.shutdown().await.ok();
    }
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    if is_http2 { over_http2(stream, state).await } else { over_http1(stream, state).await }
}

async fn over_http2(stream: TlsStream<DuplexStream>, state: Arc<State>) -> Option<()> {
    let mut connection = h2::server::handshake(stream).await.ok()?;
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        state.requests.lock().unwrap().push("h2");
        let act = state.acts.lock().unwrap().pop_front().unwrap_or(Act::Answer);
        match act {
            Act::GoAway(reason) => connection.abrupt_shutdown(reason),
            Act::Reset(reason) => respond.send_reset(reason),
            Act::Answer => {
                tokio::spawn(async move {
                    let mut body = request.into_body();
                    while body.data().await.is_some() {}
                    let mut answer = respond.send_response(http::Response::new(()), false).ok()?;
                    answer.send_data("{}".into(), true).ok()
                });
            }
        }
    }
    Some(())
}

/// Every request here has a body of two bytes or none.
async fn over_http1(mut stream: TlsStream<DuplexStream>, state: Arc<State>) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        let is_get = bytes.starts_with(b"GET");
        if !bytes.ends_with(if is_get { b"\r\n\r\n" } else { b"\r\n\r\n{}" }) {
            (stream.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
            continue;
        }
        bytes.clear();
        state.requests.lock().unwrap().push("http/1.1");
        let status = if is_get { "400 Bad Request" } else { "200 OK" };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\n{{}}");
        stream.write_all(answer.as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
    }
}

/// The first frames of a server that takes no request (RFC 9113, sections 6.5 and 6.8).
fn goes_away(reason: Reason) -> Vec<u8> {
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const GOAWAY: [u8; 13] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    [&SETTINGS[..], &GOAWAY, &u32::from(reason).to_be_bytes()].concat()
}

const BOTH: [&str; 2] = ["h2", "http/1.1"];

#[tokio::test]
async fn calls_share_one_connection_of_http2_and_what_goes_on_with_another_protocol_has_its_own() {
    let server = Server::offering(&BOTH).await;
    let phone = server.phone(NEVER);
    phone.calls().await;
    futures::join!(phone.calls(), phone.calls(), phone.calls());
    assert_eq!((server.connections(), server.requests()), (1, vec!["h2"; 4]));
    let switch = phone.http.switch("connect", phone.url.clone(), HeaderMap::new()).await.unwrap();
    assert!(matches!(switch, Switch::Refused(reply) if reply.status == 400));
    assert_eq!((server.connections(), server.requests().last().copied()), (2, Some("http/1.1")));
}

#[tokio::test]
async fn a_server_without_http2_is_called_over_http1() {
    for protocols in [&["http/1.1"][..], &[]] {
        let server = Server::offering(protocols).await;
        let phone = server.phone(NEVER);
        phone.calls().await;
        phone.calls().await;
        assert_eq!((server.connections(), server.requests()), (1, vec!["http/1.1"; 2]), "{protocols:?}");
    }
}

#[tokio::test]
async fn where_http2_is_broken_the_call_is_sent_again_over_http1_and_so_are_all_others() {
    for reason in [Reason::HTTP_1_1_REQUIRED, Reason::PROTOCOL_ERROR, Reason::ENHANCE_YOUR_CALM] {
        let server = Server::offering(&BOTH).await;
        let phone = server.phone(NEVER);
        server.does([Act::Reset(reason)]);
        phone.calls().await;
        phone.calls().await;
        assert_eq!(server.requests(), ["h2", "http/1.1", "http/1.1"], "{reason:?}");
        // Another network has another box in between.
        phone.http.drop_connections();
        phone.calls().await;
        assert_eq!(server.requests().last(), Some(&"h2"), "{reason:?}");
    }
}

#[tokio::test]
async fn a_box_that_agrees_to_http2_and_does_not_speak_it_is_called_over_http1() {
    let http1 = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".to_vec();
    let reasons = [Reason::HTTP_1_1_REQUIRED, Reason::PROTOCOL_ERROR, Reason::INADEQUATE_SECURITY];
    for first in reasons.map(goes_away).into_iter().chain([http1]) {
        let server = Server::start(&BOTH, Some(first.clone())).await;
        let phone = server.phone(NEVER);
        phone.calls().await;
        phone.calls().await;
        assert_eq!((server.connections(), server.requests()), (2, vec!["http/1.1"; 2]), "{first:?}");
    }
}

#[tokio::test]
async fn calls_that_break_one_after_the_other_end_http2_too() {
    let server = Server::offering(&BOTH).await;
    let phone = server.phone(NEVER);
    server.does([Act::GoAway(Reason::PROTOCOL_ERROR); 2]);
    for _ in 0..2 {
        assert_eq!(phone.fails().await.kind(), RemoteErrorKind::Interrupted);
    }
    // An answer in between says that it works.
    phone.calls().await;
    server.does([Act::GoAway(Reason::PROTOCOL_ERROR); 3]);
    for _ in 0..3 {
        assert_eq!(phone.fails().await.kind(), RemoteErrorKind::Interrupted);
    }
    phone.calls().await;
    assert_eq!(server.requests(), ["h2", "h2", "h2", "h2", "h2", "h2", "http/1.1"]);
}

#[tokio::test]
async fn what_a_stopping_server_has_not_looked_at_is_sent_again_over_http2() {
    let server = Server::offering(&BOTH).await;
    let phone = server.phone(NEVER);
    server.does([Act::Reset(Reason::REFUSED_STREAM)]);
    phone.calls().await;
    assert_eq!(server.requests(), ["h2", "h2"]);

    let server = Server::start(&BOTH, Some(goes_away(Reason::NO_ERROR))).await;
    server.phone(NEVER).calls().await;
    assert_eq!((server.connections(), server.requests()), (2, vec!["h2"]));
}

#[tokio::test]
async fn a_server_that_refuses_for_ever_and_one_that_fails_are_breaks_that_end() {
    for (act, sent) in [(Act::Reset(Reason::REFUSED_STREAM), 3), (Act::Reset(Reason::INTERNAL_ERROR), 1)] {
        let server = Server::offering(&BOTH).await;
        let phone = server.phone(NEVER);
        server.does([act; 3]);
        let error = phone.fails().await;
        assert_eq!((error.kind(), error.retry()), (RemoteErrorKind::Interrupted, Retry::WhenOnline), "{act:?}");
        assert_eq!(server.requests(), vec!["h2"; sent], "{act:?}");
    }
}

#[tokio::test]
async fn a_call_on_a_dead_line_ends_long_before_its_timeout_and_the_next_one_has_a_new_connection() {
    let server = Server::offering(&BOTH).await;
    let phone = server.phone(QUICK);
    phone.calls().await;
    server.loses_its_line();
    let error = phone.fails().await;
    assert_eq!((error.kind(), error.retry()), (RemoteErrorKind::Interrupted, Retry::WhenOnline), "{error:?}");
    phone.calls().await;
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_line_that_dies_while_nobody_calls_is_noticed_before_the_next_call() {
    let server = Server::offering(&BOTH).await;
    let phone = server.phone(QUICK);
    phone.calls().await;
    server.loses_its_line();
    let mut closed = server.state.closed.subscribe();
    tokio::time::timeout(PATIENCE, closed.wait_for(|closed| *closed == 1)).await.unwrap().unwrap();
    phone.calls().await;
    assert_eq!((server.connections(), server.requests()), (2, vec!["h2"; 2]));
}

#[tokio::test]
async fn a_call_without_an_answer_gives_up_its_connection_where_no_ping_does() {
    let server = Server::offering(&BOTH).await;
    let phone = server.impatient_phone(NEVER, Duration::from_secs(2));
    phone.calls().await;
    server.loses_its_line();
    assert_eq!(phone.fails().await.kind(), RemoteErrorKind::TimedOut);
    phone.calls().await;
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn on_another_network_calls_open_new_connections_and_one_that_is_under_way_keeps_its_own() {
    let server = Server::offering(&BOTH).await;
    let phone = server.phone(NEVER);
    phone.calls().await;
    let mut under_way = Box::pin(phone.call());
    assert!(futures::poll!(&mut under_way).is_pending());
    phone.http.drop_connections();
    phone.calls().await;
    assert_eq!(under_way.await.unwrap().status, 200);
    assert_eq!(server.connections(), 2);
    // Nothing keeps the old one open.
    let mut closed = server.state.closed.subscribe();
    tokio::time::timeout(PATIENCE, closed.wait_for(|closed| *closed == 1)).await.unwrap().unwrap();
}

/// A proxy that refuses the first tunnel in this way, and lets the others through to the server.
async fn proxy_that_says(first: &'static str, server: &Server) -> Route {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://me:secret@{}", listener.local_addr().unwrap());
    let target = server.url.socket_addrs(|| None).unwrap()[0];
    tokio::spawn(async move {
        for answer in std::iter::once(first).chain(std::iter::repeat("HTTP/1.1 200 OK\r\n\r\n")) {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                stream.read_buf(&mut head).await.unwrap();
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(target).await.unwrap();
                if answer.contains("200") {
                    let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
                }
            });
        }
    });
    route(&Proxy::Url(url), &server.url, &|_| None).unwrap().unwrap()
}

#[tokio::test]
async fn a_tunnel_that_a_proxy_refuses_is_no_connection_and_the_next_one_may_be() {
    for (answer, reason) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n", "authorization required"),
        ("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", "unsuccessful"),
        ("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", "unsuccessful"),
        ("", "unexpected end of file"),
    ] {
        let server = Server::offering(&BOTH).await;
        let phone = server.phone_behind(Some(proxy_that_says(answer, &server).await), NEVER, PATIENCE);
        let Err(error) = phone.http.switch("connect", phone.url.clone(), HeaderMap::new()).await else {
            unreachable!("{answer}")
        };
        assert_eq!((error.kind(), error.retry()), (RemoteErrorKind::Unreachable, Retry::WhenOnline), "{answer}");
        let detail = error.detail().unwrap();
        assert!(detail.contains("the project: ") && detail.contains(reason) && !detail.contains("secret"), "{detail}");
        let switch = phone.http.switch("connect", phone.url.clone(), HeaderMap::new()).await.unwrap();
        assert!(matches!(switch, Switch::Refused(reply) if reply.status == 400), "{answer}");
        phone.calls().await;
        assert_eq!(server.requests(), ["http/1.1", "h2"]);
    }
}
