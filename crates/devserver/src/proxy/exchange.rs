//! One connection: requests and responses in turn, each pair with its delivery.

use super::{
    fault::Fault,
    frame, gateway,
    line::Way,
    shared::{Delivery, Shared},
};
use crate::wire::Endpoint;
use frame::{Message, SWITCHING};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// One side closed it, or a fault cut it after the sent part.
    Close,
    /// It breaks.
    Reset,
}

/// The largest number of pieces of a response, and the pause between them: slow, but never for long.
const DROPS: usize = 24;
const BETWEEN_DROPS: Duration = Duration::from_millis(2);

/// The part of a message that gets through: at least a byte, never all.
fn part(message: &Message, delivery: Delivery) -> &[u8] {
    let bytes = &message.bytes;
    let length = match delivery.cut {
        Some(cut) => usize::try_from(cut).unwrap_or_default().saturating_mul(bytes.len()) / 1000,
        None => message.middle(),
    };
    &bytes[..length.clamp(1, bytes.len().saturating_sub(1).max(1))]
}

/// Serves a client until either side ends the connection or a fault does.
pub(super) async fn serve(shared: &Shared, client: &mut TcpStream) -> Ending {
    match exchanges(shared, &mut BufReader::new(client)).await {
        Ok(ending) => ending,
        // One side broke the connection; so does the other.
        Err(_) => Ending::Reset,
    }
}

async fn exchanges(shared: &Shared, client: &mut BufReader<&mut TcpStream>) -> io::Result<Ending> {
    let mut server: Option<BufReader<TcpStream>> = None;
    // The system has accepted the connection already, but the client notices only when it uses it.
    tokio::time::sleep(shared.handshake()).await;
    let mut hang_up = shared.hang_up.subscribe();
    loop {
        let request = tokio::select! {
            request = frame::request(client) => request?,
            _ = hang_up.changed() => None,
            () = hangs_up(&mut server) => None,
        };
        let Some(request) = request else { return Ok(Ending::Close) };
        let delivery = shared.next(Endpoint::of(request.path()));
        shared.carry_whole(Way::Up, &request).await;
        if let Some(response) = delivery.fault.and_then(gateway::response) {
            client.write_all(&response).await?;
            return Ok(Ending::Close);
        }
        if let Some(response) = shared.refused_size(&request) {
            shared.note_refused_size();
            client.write_all(&response).await?;
            return Ok(Ending::Close);
        }
        tokio::time::sleep(shared.round_trip()).await;
        match delivery.fault {
            Some(Fault::Delay(by)) => tokio::time::sleep(by).await,
            Some(Fault::Reset) => return Ok(Ending::Reset),
            Some(Fault::Refuse) => {
                shared.refuse_for(delivery.outage);
                return Ok(Ending::Reset);
            }
            _ => {}
        }
        let mut upstream = match server.take() {
            Some(open) => open,
            None => connect(shared).await?,
        };
        if delivery.fault == Some(Fault::CutRequest) {
            upstream.write_all(part(&request, delivery)).await?;
            return Ok(Ending::Reset);
        }
        upstream.write_all(&request.bytes).await?;
        let answer = frame::response(&mut upstream, &request).await?;
        if let Some(ending) = deliver(shared, client, &answer, delivery).await? {
            return Ok(ending);
        }
        if answer.status()? == SWITCHING {
            tokio::io::copy_bidirectional(client, &mut upstream).await?;
            return Ok(Ending::Close);
        }
        server = Some(upstream);
    }
}

/// Waits until the server closes an idle connection; then the proxy closes the client's too.
async fn hangs_up(server: &mut Option<BufReader<TcpStream>>) {
    match server {
        Some(server) => drop(server.fill_buf().await.map(<[u8]>::len)),
        None => std::future::pending().await,
    }
}

async fn connect(shared: &Shared) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(shared.upstream).await?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

/// Sends the response, or the part that the fault lets through. Returns how the connection ends, if it does.
async fn deliver(
    shared: &Shared,
    client: &mut BufReader<&mut TcpStream>,
    answer: &Message,
    delivery: Delivery,
) -> io::Result<Option<Ending>> {
    match delivery.fault {
        Some(Fault::LoseAnswer) => return Ok(Some(Ending::Reset)),
        Some(Fault::CutAnswer) => {
            client.write_all(part(answer, delivery)).await?;
            return Ok(Some(Ending::Close));
        }
        Some(Fault::Trickle) => {
            for drop in answer.bytes.chunks(answer.bytes.len().div_ceil(DROPS).max(1)) {
                client.write_all(drop).await?;
                tokio::time::sleep(BETWEEN_DROPS).await;
            }
        }
        _ => {
            shared.chance().tally.bytes_down += answer.bytes.len() as u64;
            for packet in Shared::packets(answer) {
                shared.carry_packet(Way::Down, packet).await;
                client.write_all(packet).await?;
            }
        }
    }
    Ok(answer.closes.then_some(Ending::Close))
}
