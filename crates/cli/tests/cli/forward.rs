//! A forward proxy, as companies have it: tunnels (CONNECT and SOCKS5), and requests to `http` projects.

use crate::tls::PATIENCE;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What it does otherwise than a proxy that lets everything through.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    /// The credentials that it wants, in Base64.
    pub(crate) credentials: Option<&'static str>,
    /// It refuses live connections to `http` projects with this status.
    pub(crate) refuses_live: Option<&'static str>,
    /// It takes `Upgrade` out of requests, as proxies may.
    pub(crate) drops_upgrade: bool,
}

/// A proxy that finds one project, whatever its name is.
pub(crate) struct Forward {
    address: SocketAddr,
    rules: watch::Sender<Rules>,
    /// The first line of each request.
    asked: watch::Sender<Vec<String>>,
    /// Counts how often all connections were cut.
    cuts: watch::Sender<u32>,
}

impl Forward {
    pub(crate) async fn to(project: SocketAddr, rules: Rules) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let this = Self {
            address: listener.local_addr().unwrap(),
            rules: watch::Sender::new(rules),
            asked: watch::Sender::default(),
            cuts: watch::Sender::default(),
        };
        let (rules, asked, cuts) = (this.rules.clone(), this.asked.clone(), this.cuts.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let line = Line { project, rules: rules.borrow().clone(), asked: asked.clone() };
                let mut cuts = cuts.subscribe();
                tokio::spawn(async move {
                    tokio::select! {
                        _ = line.carry(stream) => {}
                        _ = cuts.changed() => {}
                    }
                });
            }
        });
        this
    }

    /// With what stands before the host: a scheme, and perhaps credentials.
    pub(crate) fn url(&self, before: &str) -> String {
        format!("{before}{}", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }

    /// Waits until something of this beginning was asked so often.
    pub(crate) async fn is_asked(&self, beginning: &str, times: usize) {
        let mut asked = self.asked.subscribe();
        let has = |asked: &Vec<String>| asked.iter().filter(|line| line.starts_with(beginning)).count() >= times;
        tokio::time::timeout(PATIENCE, asked.wait_for(has)).await.unwrap().unwrap();
    }

    /// From now on it follows these rules.
    pub(crate) fn follows(&self, rules: Rules) {
        self.rules.send_replace(rules);
    }

    /// Ends every connection, as proxies do with those at rest.
    pub(crate) fn cuts_all(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

/// One connection.
struct Line {
    project: SocketAddr,
    rules: Rules,
    asked: watch::Sender<Vec<String>>,
}

impl Line {
    async fn carry(self, client: TcpStream) -> Option<()> {
        let mut first = vec![0; 1];
        client.peek(&mut first).await.ok()?;
        if first == [5] { self.socks(client).await } else { self.http(client).await }
    }

    fn note(&self, line: String) {
        self.asked.send_modify(|asked| asked.push(line));
    }

    async fn http(self, mut client: TcpStream) -> Option<()> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            (client.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
        };
        let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
        let first = head.lines().next()?.to_owned();
        self.note(first.clone());
        let known = |credentials: &str| {
            head.lines()
                .any(|line| line.to_lowercase().starts_with("proxy-authorization") && line.ends_with(credentials))
        };
        let refused = match (self.rules.credentials, self.rules.refuses_live) {
            (Some(credentials), _) if !known(credentials) => Some("407 Proxy Authentication Required"),
            (_, Some(status)) if first.contains("/realtime/") => Some(status),
            _ => None,
        };
        if let Some(status) = refused {
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            client.write_all(answer.as_bytes()).await.ok()?;
            return client.shutdown().await.ok();
        }
        let mut project = TcpStream::connect(self.project).await.ok()?;
        if first.starts_with("CONNECT ") {
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
        } else {
            let is_live = first.contains("/realtime/") && !self.rules.drops_upgrade;
            let head = if is_live { head } else { without_upgrade(&head) };
            project.write_all(&[head.as_bytes(), &bytes[end..]].concat()).await.ok()?;
        }
        copy_bidirectional(&mut client, &mut project).await.ok().map(|_| ())
    }

    /// RFC 1928, with a user and a password (RFC 1929) that are not checked if they come.
    async fn socks(self, mut client: TcpStream) -> Option<()> {
        let mut greeting = [0; 2];
        client.read_exact(&mut greeting).await.ok()?;
        let mut methods = vec![0; greeting[1].into()];
        client.read_exact(&mut methods).await.ok()?;
        let with_password = methods.contains(&2);
        client.write_all(&[5, if with_password { 2 } else { 0 }]).await.ok()?;
        let mut user = String::new();
        if with_password {
            client.read_u8().await.ok()?;
            user = text(&mut client).await?;
            let password = text(&mut client).await?;
            user = format!("{user}:{password}@");
            client.write_all(&[1, 0]).await.ok()?;
        }
        let mut request = [0; 4];
        client.read_exact(&mut request).await.ok()?;
        // A name; the proxy is asked for it.
        (request[3] == 3).then_some(())?;
        let host = text(&mut client).await?;
        let port = client.read_u16().await.ok()?;
        self.note(format!("SOCKS5 {user}{host}:{port}"));
        let mut project = TcpStream::connect(self.project).await.ok()?;
        client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?;
        copy_bidirectional(&mut client, &mut project).await.ok().map(|_| ())
    }
}

/// A request that is the last one on its connection, without what concerns one connection only (RFC 9110, section 7.6.1).
fn without_upgrade(head: &str) -> String {
    let lines = head.lines().filter(|line| !line.is_empty() && !line.to_lowercase().contains("upgrade"));
    lines.map(|line| format!("{line}\r\n")).collect::<String>() + "Connection: close\r\n\r\n"
}

/// A text behind its length.
async fn text(client: &mut TcpStream) -> Option<String> {
    let mut bytes = vec![0; client.read_u8().await.ok()?.into()];
    client.read_exact(&mut bytes).await.ok()?;
    String::from_utf8(bytes).ok()
}
