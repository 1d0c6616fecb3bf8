//! One WebSocket.

use super::{
    channel::{Channel, Said},
    frame::{Received, Sent, Version},
};
use crate::{
    app::App,
    live::{Interruption, LiveFault},
};
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures::{FutureExt as _, future::select_all};
use serde_json::{Value, json};
use std::{collections::BTreeMap, future};
use tokio::sync::mpsc;

/// As Realtime limits the channels of a connection.
const CHANNELS: usize = 100;

type Channels = BTreeMap<String, Channel>;

struct Session {
    app: App,
    version: Version,
    socket: WebSocket,
    channels: Channels,
    /// For hints that come late.
    late: mpsc::UnboundedSender<Sent>,
}

/// The connection is over.
struct Over;

/// What a session meets.
enum Step {
    Received(Option<Result<Message, axum::Error>>),
    Said(String, Said),
    Late(Sent),
    Interrupted(Interruption),
}

pub(super) async fn serve(socket: WebSocket, app: App, version: Version) {
    let _connected = app.live.connected();
    let (mut interruptions, mut running) = (app.live.interruptions(), app.running.clone());
    let (late, mut arrives) = mpsc::unbounded_channel();
    let mut session = Session { app, version, socket, channels: Channels::new(), late };
    loop {
        let Session { app, socket, channels, .. } = &mut session;
        // What has happened before a client asks comes before the answer.
        let step = tokio::select! {
            biased;
            _ = running.changed() => return,
            Ok(interruption) = interruptions.recv() => Step::Interrupted(interruption),
            (name, said) = next_of(app, channels) => Step::Said(name, said),
            Some(sent) = arrives.recv() => Step::Late(sent),
            message = socket.recv() => Step::Received(message),
        };
        if let Step::Interrupted(Interruption::FallSilent) = step {
            // Until the server stops.
            let _ = running.changed().await;
            return;
        }
        if session.take(step).await.is_err() {
            return;
        }
    }
}

async fn next_of(app: &App, channels: &mut Channels) -> (String, Said) {
    if channels.is_empty() {
        return future::pending().await;
    }
    let all = channels.iter_mut().map(|(name, channel)| channel.next(app).map(|said| (name.clone(), said)).boxed());
    select_all(all).await.0
}

impl Session {
    async fn take(&mut self, step: Step) -> Result<(), Over> {
        match step {
            Step::Received(Some(Ok(Message::Text(text)))) => {
                let received = Received::text(self.version, &text).ok_or(Over)?;
                self.receive(received).await
            }
            Step::Received(Some(Ok(Message::Binary(bytes)))) => {
                let received = Received::binary(self.version, &bytes).ok_or(Over)?;
                self.receive(received).await
            }
            Step::Received(Some(Ok(Message::Ping(_) | Message::Pong(_)))) | Step::Said(_, Said::Nothing) => Ok(()),
            Step::Received(_) => Err(Over),
            Step::Said(_, Said::Frame(sent)) | Step::Late(sent) => self.send(sent).await,
            Step::Said(_, Said::Hint(hint)) => self.hint(hint).await,
            Step::Said(name, Said::Ends(last)) => {
                self.channels.remove(&name);
                self.send_all(last).await
            }
            Step::Interrupted(interruption) => self.interrupt(interruption).await,
        }
    }

    async fn receive(&mut self, received: Received) -> Result<(), Over> {
        let Received { join_ref, reference, topic, event, payload } = received;
        match (&*topic, &*event) {
            ("phoenix", "heartbeat") => {
                for channel in self.channels.values_mut() {
                    channel.check().await;
                }
                self.reply(None, reference, topic, Ok(json!({}))).await
            }
            (_, "phx_join") => self.join(join_ref, reference, topic, &payload).await,
            (_, "phx_leave") => {
                let channel = self.channels.remove(&topic);
                self.reply(join_ref, reference, topic, Ok(json!({}))).await?;
                self.send_all(channel.map(|channel| channel.close())).await
            }
            _ => self.tell(join_ref, reference, topic, &event, &payload).await,
        }
    }

    async fn join(
        &mut self,
        join_ref: Option<String>,
        reference: Option<String>,
        topic: String,
        payload: &Value,
    ) -> Result<(), Over> {
        // Who joins once more ends the earlier join.
        let earlier = self.channels.remove(&topic);
        self.send_all(earlier.map(|channel| channel.close())).await?;
        let join_ref = join_ref.or_else(|| reference.clone());
        let opened = if self.channels.len() < CHANNELS {
            Channel::open(&self.app, join_ref.clone(), &topic, payload).await
        } else {
            Err("ChannelRateLimitReached: Too many channels".to_owned())
        };
        let answer = opened.map(|channel| drop(self.channels.insert(topic.clone(), channel)));
        self.reply(join_ref, reference, topic, answer.map(|()| json!({"postgres_changes": []}))).await
    }

    /// Passes a frame on to a channel.
    async fn tell(
        &mut self,
        join_ref: Option<String>,
        reference: Option<String>,
        topic: String,
        event: &str,
        payload: &Value,
    ) -> Result<(), Over> {
        let Some(channel) = self.channels.get_mut(&topic) else {
            return self.reply(join_ref, reference, topic, Err("unmatched topic".to_owned())).await;
        };
        match event {
            "access_token" => channel.renew(&self.app, payload).await,
            "broadcast" => channel.broadcast(payload).await,
            // Realtime passes over what it does not know.
            _ => {}
        }
        Ok(())
    }

    async fn reply(
        &mut self,
        join_ref: Option<String>,
        reference: Option<String>,
        topic: String,
        answer: Result<Value, String>,
    ) -> Result<(), Over> {
        let payload = match answer {
            Ok(response) => json!({"status": "ok", "response": response}),
            Err(reason) => json!({"status": "error", "response": {"reason": reason}}),
        };
        self.send(Sent::Push { join_ref, reference, topic, event: "phx_reply", payload }).await
    }

    async fn hint(&mut self, hint: Sent) -> Result<(), Over> {
        match self.app.live.of_hint() {
            Some(LiveFault::LoseHint) => Ok(()),
            Some(LiveFault::DoubleHint) => self.send_all([hint.clone(), hint]).await,
            Some(LiveFault::DelayHint(by)) => {
                let late = self.late.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(by).await;
                    // The connection may be gone by now.
                    let _ = late.send(hint);
                });
                Ok(())
            }
            _ => self.send(hint).await,
        }
    }

    async fn interrupt(&mut self, interruption: Interruption) -> Result<(), Over> {
        let channels = match interruption {
            Interruption::CutConnections | Interruption::FallSilent => return Err(Over),
            Interruption::CloseConnections => {
                let frame = CloseFrame { code: close_code::AWAY, reason: "".into() };
                let _ = self.socket.send(Message::Close(Some(frame))).await;
                return Err(Over);
            }
            _ => std::mem::take(&mut self.channels).into_values(),
        };
        for channel in channels {
            let last = match interruption {
                Interruption::FailTopics => vec![channel.fail()],
                Interruption::EndTopics(message) => channel.end(message),
                _ => vec![channel.close()],
            };
            self.send_all(last).await?;
        }
        Ok(())
    }

    async fn send_all(&mut self, all: impl IntoIterator<Item = Sent>) -> Result<(), Over> {
        for sent in all {
            self.send(sent).await?;
        }
        Ok(())
    }

    async fn send(&mut self, sent: Sent) -> Result<(), Over> {
        self.socket.send(sent.message(self.version)).await.map_err(|_| Over)
    }
}
