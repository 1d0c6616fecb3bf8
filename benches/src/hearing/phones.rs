//! Fieldpost on both phones.

use super::{Pair, Place, Sent};
use crate::{notes::OURS, watch::Watch};
use anyhow::{Context as _, Result};
use fieldpost::{Client, ConversationId, Fieldpost, LiveStatus, MessageStatus, Updates, Window};
use fieldpost_devserver::{DevServer, FaultProxy};
use fieldpost_remote::reference::{DEMO_ADA, DEMO_ADMIN, DEMO_PASSWORD};
use tempfile::TempDir;

pub(super) struct Phones {
    robin: Phone,
    ada: Phone,
    thread: ConversationId,
}

/// A phone, and the folder that lives as long.
struct Phone {
    client: Client,
    _folder: TempDir,
}

impl Pair for Phones {
    const SUBJECT: &str = OURS;

    async fn open(place: &Place) -> Result<Self> {
        let ada = Phone::of(DEMO_ADA, &place.server, &place.there).await?;
        let robin = Phone::of(DEMO_ADMIN, &place.server, &place.here).await?;
        let all = ada.client.conversations().await?;
        let thread = all.iter().find(|one| one.medic_id.is_some()).map(|one| one.id);
        Ok(Self { robin, ada, thread: thread.context("the demo has no thread of Ada's")? })
    }

    async fn send(&mut self, text: &str) -> Result<Sent> {
        let (here, there) = (self.robin.client.conversation(self.thread), self.ada.client.conversation(self.thread));
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
        let (acknowledged, seen) = tokio::try_join!(acknowledgement, arrival)?;
        Ok(Sent { acknowledged, seen })
    }
}

impl Phone {
    async fn of(email: &str, server: &DevServer, network: &FaultProxy) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let database = folder.path().join("phone.db");
        let builder = Fieldpost::builder().url(network.url()).anon_key(server.anon_key()).database(database);
        let client = builder.open().await?;
        client.sign_in(email, DEMO_PASSWORD).await?;
        client.start().await;
        let mut status = client.status();
        status.wait_for(|status| status.live == LiveStatus::Live && status.last_success_at.is_some()).await?;
        Ok(Self { client, _folder: folder })
    }
}

async fn told<T>(updates: &mut Updates<T>) -> Result<()> {
    updates.next().await.context("the client is gone")??;
    Ok(())
}
