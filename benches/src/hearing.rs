//! From `send()` on one phone until the server has acknowledged it, and until it is on the screen of another one, with live hints.
//! (Without them the timer brings it, by default within 30 seconds.) Both phones talk to a devserver on loopback, over a line that answers requests later; a hint takes no longer
//! there, so half a round trip is to be added to what the other one sees.

use crate::{
    Notes, Size,
    sending::Times,
    watch::{Reading, Watch},
};
use anyhow::{Context as _, Result};
use fieldpost::{Client, ConversationId, Fieldpost, LiveStatus, MessageStatus, Rhythm, Updates, Window};
use fieldpost_devserver::{DevServer, FaultProxy, LineConditions};
use fieldpost_remote::reference::{DEMO_ADA, DEMO_ADMIN, DEMO_PASSWORD};
use std::time::Duration;
use tempfile::TempDir;

const LIVE: &str = "fieldpost";

/// A phone, and the folder that lives as long.
struct Phone {
    client: Client,
    _folder: TempDir,
}

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        for milliseconds in [0, 50, 200] {
            let line = LineConditions { round_trip: Duration::from_millis(milliseconds), ..LineConditions::default() };
            let case = if milliseconds == 0 { "loopback".to_owned() } else { format!("{milliseconds} ms") };
            with_live(size, notes, &case, line).await?;
        }
        Ok(())
    })
}

async fn with_live(size: Size, notes: &mut Notes, case: &str, line: LineConditions) -> Result<()> {
    let server = DevServer::builder().start().await?;
    let network = FaultProxy::before(&server).await?;
    let (ada, admin) = (phone(&server, &network, DEMO_ADA).await?, phone(&server, &network, DEMO_ADMIN).await?);
    network.line(line);
    let thread = thread(&ada.client).await?;
    for round in notes.rounds(size.pick(1, 3, 5)) {
        let (mut acknowledged, mut seen) = (Times::default(), Times::default());
        for number in 0..size.pick(2, 30, 100) {
            let (until_acknowledged, until_seen) =
                sent(&admin.client, &ada.client, thread, &format!("note {round}.{number}")).await?;
            acknowledged.note(until_acknowledged);
            seen.note(until_seen);
            // What it has caused is over before the next one.
            tokio::time::sleep(Duration::from_millis(50) + line.round_trip).await;
        }
        acknowledged.write(notes, &format!("{case}, acknowledged"), LIVE, round)?;
        seen.write(notes, &format!("{case}, on the other's screen"), LIVE, round)?;
    }
    Ok(())
}

async fn phone(server: &DevServer, network: &FaultProxy, email: &str) -> Result<Phone> {
    let folder = tempfile::tempdir()?;
    let builder =
        Fieldpost::builder().url(network.url()).anon_key(server.anon_key()).database(folder.path().join("phone.db"));
    let client = builder.rhythm(Rhythm::default()).open().await?;
    client.sign_in(email, DEMO_PASSWORD).await?;
    client.start().await;
    let mut status = client.status();
    status.wait_for(|status| status.live == LiveStatus::Live && status.last_success_at.is_some()).await?;
    Ok(Phone { client, _folder: folder })
}

/// Ada's conversation with the admins.
async fn thread(ada: &Client) -> Result<ConversationId> {
    let all = ada.conversations().await?;
    all.iter().find(|one| one.medic_id.is_some()).map(|one| one.id).context("the demo has no thread of Ada's")
}

/// The times from the call until the sender's device has the acknowledgement, and until the other one shows the message.
async fn sent(from: &Client, to: &Client, thread: ConversationId, text: &str) -> Result<(Reading, Reading)> {
    let (here, there) = (from.conversation(thread), to.conversation(thread));
    let (_, mut own) = here.watch(Window::newest(20)).await?;
    let (_, mut others) = there.watch(Window::newest(20)).await?;
    let (acknowledged, seen) = (Watch::start(), Watch::start());
    let sent = here.send(text).await?;
    let acknowledgement = async {
        while here
            .messages(Window::newest(20))
            .await?
            .messages
            .iter()
            .any(|one| one.id == sent.id() && one.status == MessageStatus::Queued)
        {
            told(&mut own).await?;
        }
        Ok::<_, anyhow::Error>(acknowledged.stop())
    };
    let arrival = async {
        while !there.messages(Window::newest(20)).await?.messages.iter().any(|one| one.id == sent.id()) {
            told(&mut others).await?;
        }
        Ok::<_, anyhow::Error>(seen.stop())
    };
    tokio::try_join!(acknowledgement, arrival)
}

async fn told<T>(updates: &mut Updates<T>) -> Result<()> {
    updates.next().await.context("the client is gone")??;
    Ok(())
}
