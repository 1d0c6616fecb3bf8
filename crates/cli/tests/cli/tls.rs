//! TLS before the devserver, as a hosted project has it: HTTP/2 where it is offered, and HTTP/1.1.
//!
//! The tool is told to trust its certificate by `SSL_CERT_FILE`, as people tell it of their company's.

use fieldpost_devserver::DevServer;
use h2::{RecvStream, server::SendResponse};
use http::{Request, Response};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

/// What must come comes sooner.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A name that only a proxy can find.
pub(crate) const ELSEWHERE: &str = "project.invalid";

/// Ends TLS and passes on what is inside.
pub(crate) struct Encrypted {
    pub(crate) address: SocketAddr,
    folder: TempDir,
    /// What was asked, with its protocol: `h2 POST /rest/v1/…`; and what clients that hung up had offered.
    seen: watch::Sender<Vec<String>>,
}

impl Encrypted {
    /// Before this server, with these protocols.
    pub(crate) async fn before(server: &DevServer, protocols: &[&str]) -> Self {
        let names = ["localhost", ELSEWHERE].map(str::to_owned);
        let own = rcgen::generate_simple_self_signed(names).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("own.pem"), own.cert.pem()).unwrap();
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.path().join("other.pem"), other.cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let config = Arc::new(config(own.cert.der().clone(), key, protocols));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = watch::Sender::new(Vec::new());
        let (log, target) = (seen.clone(), server.url().trim_start_matches("http://").to_owned());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, config.clone(), target.clone(), log.clone()));
            }
        });
        Self { address, folder, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// The variable of somebody who trusts it.
    pub(crate) fn trusted(&self) -> (&'static str, String) {
        variable(&self.folder.path().join("own.pem"))
    }

    /// The variable of somebody who trusts another one.
    pub(crate) fn mistrusted(&self) -> (&'static str, String) {
        variable(&self.folder.path().join("other.pem"))
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.borrow().clone()
    }

    /// Waits until something of this beginning was seen.
    pub(crate) async fn sees(&self, beginning: &str) {
        let mut seen = self.seen.subscribe();
        let has = seen.wait_for(|seen| seen.iter().any(|line| line.starts_with(beginning)));
        tokio::time::timeout(PATIENCE, has).await.unwrap().unwrap();
    }
}

fn variable(file: &Path) -> (&'static str, String) {
    ("SSL_CERT_FILE", file.to_str().unwrap().to_owned())
}

fn config(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>, protocols: &[&str]) -> ServerConfig {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    config
}

async fn serve(stream: TcpStream, config: Arc<ServerConfig>, target: String, log: watch::Sender<Vec<String>>) {
    let note = |line: String| log.send_modify(|seen| seen.push(line));
    let Ok(hello) = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await else { return };
    let offered: Vec<_> = hello
        .client_hello()
        .alpn()
        .into_iter()
        .flatten()
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    let Ok(mut stream) = hello.into_stream(config).await else {
        return note(format!("hung up: {}", offered.join(" ")));
    };
    // With TLS 1.3 a client that mistrusts the server says so after the server's last word.
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        over_http2(stream, target, &note).await;
    } else if over_http1(&mut stream, &target, &note).await.is_none() {
        note(format!("hung up: {}", offered.join(" ")));
    }
}

/// Notes the first request of a connection, and passes on the bytes.
async fn over_http1(stream: &mut TlsStream<TcpStream>, target: &str, note: &impl Fn(String)) -> Option<()> {
    let mut first = vec![0; 1 << 14];
    let count = stream.read(&mut first).await.ok().filter(|count| *count > 0)?;
    let text = String::from_utf8_lossy(&first[..count]);
    note(format!("http/1.1 {}", text.lines().next()?));
    let mut server = TcpStream::connect(target).await.ok()?;
    server.write_all(&first[..count]).await.ok()?;
    let _ = copy_bidirectional(stream, &mut server).await;
    Some(())
}

async fn over_http2(stream: TlsStream<TcpStream>, target: String, note: &impl Fn(String)) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return note("hung up: h2".to_owned()) };
    while let Some(Ok((request, respond))) = connection.accept().await {
        note(format!("h2 {} {}", request.method(), request.uri().path()));
        tokio::spawn(pass_on(request, respond, target.clone()));
    }
}

async fn pass_on(request: Request<RecvStream>, mut respond: SendResponse<bytes::Bytes>, target: String) -> Option<()> {
    let (head, mut body) = request.into_parts();
    let mut content = Vec::new();
    while let Some(part) = body.data().await {
        let part = part.ok()?;
        let _ = body.flow_control().release_capacity(part.len());
        content.extend_from_slice(&part);
    }
    let path = head.uri.path_and_query()?;
    let mut text = format!("{} {path} HTTP/1.1\r\nhost: {target}\r\nconnection: close\r\n", head.method);
    for (name, value) in head.headers.iter().filter(|(name, _)| *name != "accept-encoding" && *name != "content-length")
    {
        text += &format!("{name}: {}\r\n", value.to_str().ok()?);
    }
    text += &format!("content-length: {}\r\n\r\n", content.len());
    let mut server = TcpStream::connect(target).await.ok()?;
    server.write_all(&[text.as_bytes(), &content].concat()).await.ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await.ok()?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let mut lines = head.lines();
    let mut response = Response::builder().status(lines.next()?.split(' ').nth(1)?);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if name != "connection" {
            response = response.header(name, value);
        }
    }
    let mut sending = respond.send_response(response.body(()).ok()?, false).ok()?;
    sending.send_data(answer[end + 4..].to_vec().into(), true).ok()
}
