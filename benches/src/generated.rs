//! A server that costs almost nothing: it signs anybody in, sends empty conversations, and then a given number of
//! messages. It generates its responses page by page on request, so that a million messages need no memory.

use crate::{
    project::{Account, Org, Project},
    scene::{Scene, viewer},
    wire,
};
use anyhow::{Result, bail, ensure};
use fieldpost_domain::PullPage;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::CONTENT_TYPE,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::{net::TcpListener, task::JoinHandle};

/// The messages of a page: about a MiB of them.
const PAGE: u64 = 2_000;

pub(crate) struct Generated {
    pub(crate) project: Project,
    pub(crate) org: Org,
    task: JoinHandle<()>,
}

struct Story {
    conversations: u64,
    messages: u64,
    scene: Scene,
}

impl Generated {
    pub(crate) async fn start(conversations: u64, messages: u64) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let story = Story { conversations, messages, scene: Scene::new(conversations) };
        let task = tokio::spawn(accept(listener, Arc::new(Mutex::new(story))));
        let project = Project { url, anon_key: "sb_publishable_of_nobody".to_owned() };
        let nobody = || "nobody".to_owned();
        let admin = Account { user_id: viewer().id.to_string(), email: nobody(), password: nobody() };
        Ok(Self { project, org: Org { org_id: nobody(), admin, conversations: Vec::new() }, task })
    }
}

impl Drop for Generated {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, story: Arc<Mutex<Story>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let story = story.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, &story));
            // A client that disconnects ends the connection; nothing else happens.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(request: Request<Incoming>, story: &Mutex<Story>) -> Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let asked = body.collect().await?.to_bytes();
    let body = story.lock().unwrap_or_else(PoisonError::into_inner).tell(parts.uri.path(), &asked)?;
    Ok(Response::builder().header(CONTENT_TYPE, "application/json").body(Full::new(body.into()))?)
}

impl Story {
    fn tell(&mut self, path: &str, asked: &[u8]) -> Result<Vec<u8>> {
        match path.rsplit('/').next().unwrap_or_default() {
            "token" => Ok(serde_json::to_vec(&json!({
                "access_token": "a token", "refresh_token": "another", "token_type": "bearer", "expires_in": 36_000,
                "user": {"id": viewer().id, "email": "nobody"},
            }))?),
            "fieldpost_bootstrap" => {
                self.scene = Scene::new(self.conversations);
                wire::bootstrap(&self.scene.bootstrap()?)
            }
            "fieldpost_pull" => wire::pull(&self.next(&serde_json::from_slice(asked)?)?),
            other => bail!("nobody can {other} here"),
        }
    }

    fn next(&mut self, asked: &Value) -> Result<PullPage> {
        let step = self.scene.step(PAGE.min(self.messages - self.scene.sent()))?;
        ensure!(asked["p_cursor"] == step.from.as_str(), "the device stands at {}", asked["p_cursor"]);
        Ok(PullPage { more: self.scene.sent() < self.messages, ..step.page })
    }
}
