//! Connections to the project: kept between syncs, and given up with the network and the foreground.

use fieldpost::{Client, Fieldpost};
use fieldpost_devserver::DevServer;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

/// A line to a server that counts connections. Its URL is first.
async fn counted(server: &DevServer) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let target = server.url().trim_start_matches("http://").to_owned();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let target = target.clone();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(target).await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut server).await;
            });
        }
    });
    (url, count)
}

#[tokio::test]
async fn connections_last_until_the_network_or_the_foreground_ends() {
    let server = DevServer::builder().start().await.unwrap();
    let (url, count) = counted(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("phone.db");
    let client = Fieldpost::builder().url(url).anon_key(server.anon_key()).database(database).open().await.unwrap();
    client.sign_in("ada@fieldpost.test", "fieldpost-demo").await.unwrap();
    client.sync().await.unwrap();
    let new = async |client: &Client| {
        let before = count.load(Ordering::SeqCst);
        client.sync().await.unwrap();
        count.load(Ordering::SeqCst) - before
    };
    assert_eq!(new(&client).await, 0, "an idle connection is used again");
    client.set_online(false);
    client.set_online(true);
    assert!(new(&client).await > 0, "another network");
    assert_eq!(new(&client).await, 0);
    client.background(Duration::from_secs(5)).await.unwrap();
    assert!(new(&client).await > 0, "after the background");
    client.pause().await.unwrap();
    client.resume().await.unwrap();
    assert!(new(&client).await > 0, "after a pause");
}
