//! The server, the two networks and the two devices.

use crate::failure::Failure;
use fieldpost::{Client, ConversationId, Fieldpost};
use fieldpost_devserver::{DevServer, FaultProxy};
use std::path::PathBuf;
use tempfile::TempDir;

/// Everybody's password in the demo world.
const DEMO_PASSWORD: &str = "fieldpost-demo";

/// One device of the story.
pub(super) struct Device {
    pub(super) file: PathBuf,
    /// This device's connection to the server; other devices have their own.
    pub(super) network: FaultProxy,
    anon_key: String,
    email: &'static str,
}

impl Device {
    /// Starts the app on this device.
    pub(super) async fn start_app(&self) -> Result<Client, Failure> {
        let builder = Fieldpost::builder().database(&self.file).clinical();
        Ok(builder.url(self.network.url()).anon_key(&self.anon_key).open().await?)
    }

    pub(super) async fn sign_in(&self, client: &Client) -> Result<(), Failure> {
        client.sign_in(self.email, DEMO_PASSWORD).await?;
        Ok(())
    }
}

/// Everything the story needs.
pub(super) struct Stage {
    pub(super) medic: Device,
    pub(super) admin: Device,
    server: DevServer,
    folder: TempDir,
}

impl Stage {
    pub(super) async fn set() -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("fieldpost-demo-").tempdir().map_err(Failure::error)?;
        let server = DevServer::builder().start().await.map_err(Failure::error)?;
        let anon_key = server.anon_key().to_owned();
        let device = async |name: &str, email| {
            let network = FaultProxy::before(&server).await.map_err(Failure::error)?;
            Ok::<_, Failure>(Device { file: folder.path().join(name), network, anon_key: anon_key.clone(), email })
        };
        let medic = device("medic.db", "ada@fieldpost.test").await?;
        let admin = device("admin.db", "admin@fieldpost.test").await?;
        Ok(Self { medic, admin, server, folder })
    }

    /// The thread of the story: the medic's own.
    pub(super) async fn thread(&self, client: &Client) -> Result<ConversationId, Failure> {
        let all = client.conversations().await?;
        let me = client.me().await?;
        let medic = me.and_then(|me| me.medic_id);
        all.iter()
            .find(|conversation| match medic {
                Some(medic) => conversation.medic_id == Some(medic),
                None => conversation.participant_name == "Ada Moss",
            })
            .map(|conversation| conversation.id)
            .ok_or_else(|| Failure::error("the demo's conversation is missing after the first sync"))
    }

    /// The number of requests of both devices.
    pub(super) fn requests(&self) -> u64 {
        self.server.requests().log().len() as u64
    }

    pub(super) async fn strike(self) -> Result<(), Failure> {
        self.server.shutdown().await;
        self.folder.close().map_err(Failure::error)
    }
}
