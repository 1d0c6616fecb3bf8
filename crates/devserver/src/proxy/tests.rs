//! A server that counts, a minimal client, and the proxy between them.

use super::{Fault, FaultMix, FaultProxy, LineConditions};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::Instant,
};

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n";
const REQUEST: &str = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello";

/// Answers each request on a connection, and counts the complete ones.
async fn upstream() -> (std::net::SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, served) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let count = served.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let count = count.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                while let Ok(Some(_)) = super::frame::request(&mut stream).await {
                    count.fetch_add(1, Ordering::SeqCst);
                    let answer = format!("{ANSWER}{}", "x".repeat(400));
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    (address, served)
}

/// Everything that comes back for `times` requests on one connection.
async fn ask(proxy: &FaultProxy, times: usize) -> io::Result<String> {
    let mut stream = BufReader::new(TcpStream::connect(proxy.url().trim_start_matches("http://")).await?);
    let mut all = String::new();
    for _ in 0..times {
        stream.write_all(REQUEST.as_bytes()).await?;
        for _ in 0..3 {
            stream.read_line(&mut all).await?;
        }
        let mut body = Vec::new();
        (&mut stream).take(400).read_to_end(&mut body).await?;
        all.push_str(&String::from_utf8_lossy(&body));
    }
    Ok(all)
}

async fn with(fault: Fault) -> (FaultProxy, Arc<AtomicUsize>) {
    let (address, served) = upstream().await;
    let proxy = FaultProxy::start(address, 7).await.unwrap();
    proxy.set(FaultMix::none().with(fault, 100));
    (proxy, served)
}

fn whole(times: usize) -> String {
    format!("{ANSWER}{}", "x".repeat(400)).repeat(times)
}

#[tokio::test]
async fn without_faults_everything_passes_on_one_connection() {
    let (address, served) = upstream().await;
    let proxy = FaultProxy::start(address, 7).await.unwrap();
    assert_eq!(ask(&proxy, 3).await.unwrap(), whole(3));
    assert_eq!((served.load(Ordering::SeqCst), proxy.tally().requests), (3, 3));
    assert!(proxy.tally().faults.is_empty());
}

/// On a clock that only goes on while everybody waits for it.
#[tokio::test(start_paused = true)]
async fn a_new_connection_waits_for_its_handshake_once() {
    const HOUR: Duration = Duration::from_secs(3600);
    let (address, _) = upstream().await;
    let proxy = FaultProxy::start(address, 7).await.unwrap();
    proxy.line(LineConditions { handshake: HOUR, ..LineConditions::default() });
    let started = Instant::now();
    assert_eq!(ask(&proxy, 3).await.unwrap(), whole(3));
    assert_eq!(started.elapsed().as_secs() / 3600, 1);
}

#[tokio::test]
async fn hanging_up_closes_connections_that_are_not_used() {
    let (address, _) = upstream().await;
    let proxy = FaultProxy::start(address, 7).await.unwrap();
    let mut idle = TcpStream::connect(proxy.url().trim_start_matches("http://")).await.unwrap();
    idle.write_all(REQUEST.as_bytes()).await.unwrap();
    let mut first = vec![0; whole(1).len()];
    idle.read_exact(&mut first).await.unwrap();
    proxy.hang_up();
    assert_eq!(idle.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    assert_eq!(ask(&proxy, 2).await.unwrap(), whole(2), "new ones are open");
}

#[tokio::test]
async fn a_reset_or_a_cut_request_never_reaches_the_server_whole() {
    for fault in [Fault::Reset, Fault::CutRequest, Fault::Refuse] {
        let (proxy, served) = with(fault).await;
        assert_eq!(ask(&proxy, 1).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset, "{fault:?}");
        proxy.heal();
        while ask(&proxy, 1).await.is_err() {}
        assert_eq!(served.load(Ordering::SeqCst), 1, "{fault:?}: only the second time");
        assert_eq!(proxy.tally().faults[&fault], 1);
    }
}

#[tokio::test]
async fn a_lost_answer_was_carried_out() {
    let (proxy, served) = with(Fault::LoseAnswer).await;
    assert_eq!(ask(&proxy, 1).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(served.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_cut_answer_begins_and_ends_too_early() {
    let (proxy, served) = with(Fault::CutAnswer).await;
    for _ in 0..10 {
        let answer = ask(&proxy, 1).await.unwrap();
        assert!(whole(1).starts_with(&answer) && !answer.is_empty() && answer.len() < whole(1).len(), "{answer}");
    }
    assert_eq!(served.load(Ordering::SeqCst), 10);
}

#[tokio::test]
async fn a_trickle_is_whole_in_the_end() {
    let (proxy, _) = with(Fault::Trickle).await;
    assert_eq!(ask(&proxy, 2).await.unwrap(), whole(2));
}

#[tokio::test]
async fn an_outage_breaks_every_connection_refuses_new_ones_and_ends() {
    let (proxy, _) = with(Fault::Refuse).await;
    let mut idle = TcpStream::connect(proxy.url().trim_start_matches("http://")).await.unwrap();
    assert!(ask(&proxy, 1).await.is_err());
    let mut nothing = Vec::new();
    assert_eq!(idle.read_to_end(&mut nothing).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    // A connection after the outage's end starts another outage.
    while ask(&proxy, 1).await.unwrap_err().kind() != io::ErrorKind::ConnectionRefused {}
    proxy.set(FaultMix::none());
    // The outage ends on its own.
    while ask(&proxy, 1).await.is_err() {}
}

#[tokio::test]
async fn a_server_that_hangs_up_is_seen_by_the_client() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = FaultProxy::start(listener.local_addr().unwrap(), 7).await.unwrap();
    let mut client = TcpStream::connect(proxy.url().trim_start_matches("http://")).await.unwrap();
    client.write_all(REQUEST.as_bytes()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    server.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    drop(server);
    let mut all = String::new();
    client.read_to_string(&mut all).await.unwrap();
    assert!(all.starts_with("HTTP/1.1 204"), "{all}");
}
