//! A topic that a client has joined, or wants to.

use super::frame::Sent;
use crate::app::App;
use fieldpost_domain::AccessToken;
use fieldpost_remote::{LiveConnection, LiveEvent, LiveHints as _, RemoteErrorKind, Topic};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

/// What all topics begin with.
const PREFIX: &str = "realtime:";

const EXPIRED: &str = "Token has expired 0 seconds ago";

/// The payload of a join.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wish {
    config: Config,
    access_token: Option<String>,
    user_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    private: bool,
    broadcast: Broadcast,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Broadcast {
    replication_ready: bool,
}

pub(super) struct Channel {
    /// Frames of an ended channel name it, so that a client that has joined again takes them for old ones.
    pub(super) join_ref: Option<String>,
    /// The name on the wire.
    pub(super) name: String,
    topic: Topic,
    connection: Box<dyn LiveConnection>,
    token: AccessToken,
    expires_at: Instant,
    tells_ready: bool,
}

/// What a channel has to say.
pub(super) enum Said {
    Nothing,
    Frame(Sent),
    Hint(Sent),
    /// The last frames: the channel is no more.
    Ends(Vec<Sent>),
}

impl Channel {
    /// Joins; otherwise the reason why not, as it is on the wire.
    pub(super) async fn open(app: &App, join_ref: Option<String>, name: &str, payload: &Value) -> Result<Self, String> {
        if let Some(reason) = app.live.of_join() {
            return Err(reason.to_owned());
        }
        let Wish { config, access_token, user_token } = Wish::deserialize(payload).unwrap_or_default();
        if !config.private {
            return Err("PrivateOnly: This project only allows private channels".to_owned());
        }
        let plain = name.strip_prefix(PREFIX).unwrap_or_default();
        let not_allowed =
            || format!("Unauthorized: You do not have permissions to read from this Channel topic: {plain}");
        let token = user_token.or(access_token).filter(|token| !token.starts_with("sb_") && **token != *app.anon_key);
        // Without one it is the project's key, which belongs to nobody.
        let token = AccessToken::new(token.ok_or_else(not_allowed)?);
        let topic: Topic = plain.parse().map_err(|_| not_allowed())?;
        let mut connection = app.reference.connect(&token).await.map_err(|error| format!("{:?}", error.kind()))?;
        let joined = async {
            connection.join(topic, &token).await?;
            match connection.next().await? {
                LiveEvent::Left(_, error) => Err(error),
                _ => Ok(()),
            }
        };
        joined.await.map_err(|error| match error.kind() {
            RemoteErrorKind::Unauthorized if app.reference.has_expired(&token) => {
                "InvalidJWTToken: Token has expired 300 seconds ago".to_owned()
            }
            RemoteErrorKind::Unauthorized => "MalformedJWT: The token provided is not a valid JWT".to_owned(),
            RemoteErrorKind::Forbidden => not_allowed(),
            _ => "UnknownErrorOnChannel".to_owned(),
        })?;
        app.live.joined();
        let expires_at = expiry(app, &token);
        let tells_ready = config.broadcast.replication_ready;
        Ok(Self { join_ref, name: name.to_owned(), topic, connection, token, expires_at, tells_ready })
    }

    /// A newer token, which is checked at once.
    pub(super) async fn renew(&mut self, app: &App, payload: &Value) {
        let Some(text) = payload["access_token"].as_str() else { return };
        if text.starts_with("sb_") || text == self.token.reveal() {
            return;
        }
        self.token = AccessToken::new(text);
        self.expires_at = expiry(app, &self.token);
        let _ = self.connection.renew(&self.token).await;
    }

    /// Looks whether the token has expired. The server itself looks at its end, and every five minutes.
    pub(super) async fn check(&mut self) {
        let _ = self.connection.heartbeat().await;
    }

    /// What a client tells the others.
    pub(super) async fn broadcast(&mut self, payload: &Value) {
        let Topic::Typing(conversation) = self.topic else { return };
        let person = payload["payload"]["person_id"].as_str().and_then(|text| text.parse().ok());
        if let (Some("typing"), Some(person)) = (payload["event"].as_str(), person) {
            let _ = self.connection.type_in(conversation, person).await;
        }
    }

    /// What it says next. Dropping the future loses nothing.
    pub(super) async fn next(&mut self, app: &App) -> Said {
        let event = tokio::select! {
            biased;
            event = self.connection.next() => event,
            () = sleep_until(self.expires_at) => return self.expire(app),
        };
        match event {
            Ok(LiveEvent::Ready(_)) if self.tells_ready => {
                Said::Frame(self.system("ok", "Replication connection established"))
            }
            Ok(LiveEvent::Hint(topic, push)) => {
                Said::Hint(Sent::Hint { topic: self.name.clone(), id: app.live.next_hint(topic), push })
            }
            Ok(LiveEvent::Typing { person_id, .. }) => {
                let payload =
                    json!({"type": "broadcast", "event": "typing", "payload": {"person_id": person_id.to_string()}});
                let topic = self.name.clone();
                Said::Frame(Sent::Push { join_ref: None, reference: None, topic, event: "broadcast", payload })
            }
            Ok(LiveEvent::Left(_, error)) if error.kind() == RemoteErrorKind::Unauthorized => {
                Said::Ends(self.end(EXPIRED))
            }
            Ok(LiveEvent::Left(..)) => {
                let topic = self.topic;
                Said::Ends(self.end(&format!("You no longer have permission to read from this Channel topic: {topic}")))
            }
            Ok(_) => Said::Nothing,
            Err(_) => Said::Ends(vec![self.push("phx_error", json!({}))]),
        }
    }

    /// The clock of the server may go slower than that of the machine.
    fn expire(&mut self, app: &App) -> Said {
        self.expires_at = expiry(app, &self.token);
        if app.reference.has_expired(&self.token) { Said::Ends(self.end(EXPIRED)) } else { Said::Nothing }
    }

    /// How the server itself ends a topic.
    pub(super) fn end(&self, message: &str) -> Vec<Sent> {
        vec![self.system("error", message), self.close()]
    }

    pub(super) fn close(&self) -> Sent {
        self.push("phx_close", json!({}))
    }

    pub(super) fn fail(&self) -> Sent {
        self.push("phx_error", json!({}))
    }

    fn system(&self, status: &str, message: &str) -> Sent {
        let channel = self.topic.to_string();
        let payload = json!({"extension": "system", "status": status, "message": message, "channel": channel});
        let topic = self.name.clone();
        Sent::Push { join_ref: self.join_ref.clone(), reference: None, topic, event: "system", payload }
    }

    fn push(&self, event: &'static str, payload: Value) -> Sent {
        let (join_ref, topic) = (self.join_ref.clone(), self.name.clone());
        Sent::Push { reference: join_ref.clone(), join_ref, topic, event, payload }
    }
}

/// When the server looks at a token again.
fn expiry(app: &App, token: &AccessToken) -> Instant {
    Instant::now() + app.reference.time_left(token)
}
