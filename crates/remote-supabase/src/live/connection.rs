//! An open connection, and what is joined on it.

use super::frame::{self, Body, Frame, PHOENIX, System};
use crate::error::live;
use async_trait::async_trait;
use fieldpost_domain::{AccessToken, ConversationId, PersonId};
use fieldpost_remote::{LiveConnection, LiveEvent, RemoteError, RemoteErrorKind, RemoteResult, Topic};
use futures::{SinkExt as _, StreamExt as _};
use std::{collections::BTreeMap, time::Duration};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message, error::ProtocolError},
};

/// The longest time that a frame may wait to be taken by the network. A line that is dead takes nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// The operation of errors that the server's frames cause.
const JOIN: &str = "join";
const NEXT: &str = "next";

pub(crate) struct Connection<S> {
    socket: WebSocketStream<S>,
    channels: Channels,
}

/// What is joined, by the topic. It decides what a frame means and does no I/O.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    joins: BTreeMap<Topic, Join>,
    last_reference: u64,
}

#[derive(Debug)]
struct Join {
    /// It names the join in all frames that belong to it, so that those of an earlier join of the topic are told apart.
    reference: u64,
    accepted: bool,
}

impl Channels {
    fn reference(&mut self) -> u64 {
        self.last_reference += 1;
        self.last_reference
    }

    /// The name of the new join.
    pub(crate) fn join(&mut self, topic: Topic) -> u64 {
        let reference = self.reference();
        self.joins.insert(topic, Join { reference, accepted: false });
        reference
    }

    /// What a frame tells.
    pub(crate) fn take(&mut self, frame: &Frame) -> Option<LiveEvent> {
        if frame.topic == PHOENIX {
            return (frame.body == Body::Reply(Ok(()))).then_some(LiveEvent::Alive);
        }
        let topic = frame.topic()?;
        let join = self.joins.get_mut(&topic).filter(|join| join.owns(frame))?;
        match &frame.body {
            Body::Reply(answer) if !join.accepted && join.is_named(frame.reference.as_deref()) => match answer {
                Ok(()) => {
                    join.accepted = true;
                    Some(LiveEvent::Joined(topic))
                }
                Err(reason) => self.left(topic, live::topic(JOIN, reason)),
            },
            Body::System(System::Ready) if join.accepted => Some(LiveEvent::Ready(topic)),
            Body::System(System::Ends(reason)) => self.left(topic, live::topic(NEXT, reason)),
            Body::Closed => self.left(topic, ended("the server has closed the topic")),
            Body::Failed => self.left(topic, ended("the topic has failed on the server")),
            // What comes before the answer belongs to an earlier join.
            Body::Hint if join.accepted && !matches!(topic, Topic::Typing(_)) => Some(LiveEvent::Hint(topic)),
            Body::Typing(person_id) if join.accepted => match topic {
                Topic::Typing(conversation_id) => Some(LiveEvent::Typing { conversation_id, person_id: *person_id }),
                _ => None,
            },
            _ => None,
        }
    }

    fn left(&mut self, topic: Topic, error: RemoteError) -> Option<LiveEvent> {
        self.joins.remove(&topic);
        Some(LiveEvent::Left(topic, error))
    }
}

impl Join {
    /// Whether a frame belongs to this join. Broadcasts name none. Neither do frames of 1.0.0, but for the end of a topic they
    /// repeat the reference of the join.
    fn owns(&self, frame: &Frame) -> bool {
        let ends = matches!(frame.body, Body::Closed | Body::Failed);
        let named = frame.join_ref.as_deref().or(frame.reference.as_deref().filter(|_| ends));
        named.is_none() || self.is_named(named)
    }

    fn is_named(&self, reference: Option<&str>) -> bool {
        reference == Some(self.reference.to_string().as_str())
    }
}

fn ended(detail: &'static str) -> RemoteError {
    RemoteError::new(RemoteErrorKind::Unavailable, NEXT).with_detail(detail)
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<S> {
    pub(super) fn new(socket: WebSocketStream<S>) -> Self {
        Self { socket, channels: Channels::default() }
    }

    async fn send(&mut self, operation: &'static str, frame: String) -> RemoteResult<()> {
        match tokio::time::timeout(PATIENCE, self.socket.send(Message::text(frame))).await {
            Ok(sent) => sent.map_err(|error| broken(operation, error)),
            Err(_) => Err(RemoteError::new(RemoteErrorKind::TimedOut, operation)),
        }
    }
}

#[async_trait]
impl<S: AsyncRead + AsyncWrite + Unpin + Send> LiveConnection for Connection<S> {
    async fn join(&mut self, topic: Topic, token: &AccessToken) -> RemoteResult<()> {
        let reference = self.channels.join(topic);
        self.send(JOIN, frame::join(reference, topic, token)).await
    }

    async fn leave(&mut self, topic: Topic) -> RemoteResult<()> {
        let Some(join) = self.channels.joins.remove(&topic) else { return Ok(()) };
        let reference = self.channels.reference();
        self.send("leave", frame::leave(join.reference, reference, topic)).await
    }

    async fn renew(&mut self, token: &AccessToken) -> RemoteResult<()> {
        let joins: Vec<_> = self.channels.joins.iter().map(|(topic, join)| (*topic, join.reference)).collect();
        for (topic, join) in joins {
            let reference = self.channels.reference();
            self.send("renew", frame::access_token(join, reference, topic, token)).await?;
        }
        Ok(())
    }

    async fn heartbeat(&mut self) -> RemoteResult<()> {
        let reference = self.channels.reference();
        self.send("heartbeat", frame::heartbeat(reference)).await
    }

    async fn type_in(&mut self, conversation_id: ConversationId, person_id: PersonId) -> RemoteResult<()> {
        let Some(join) = self.channels.joins.get(&Topic::Typing(conversation_id)) else { return Ok(()) };
        let join = join.reference;
        let reference = self.channels.reference();
        self.send("type_in", frame::typing(join, reference, conversation_id, person_id)).await
    }

    async fn next(&mut self) -> RemoteResult<LiveEvent> {
        loop {
            let frame = match self.socket.next().await {
                Some(Ok(Message::Text(text))) => Frame::text(&text),
                Some(Ok(Message::Binary(bytes))) => Frame::binary(&bytes),
                Some(Ok(Message::Close(_))) | None => return Err(closed(NEXT)),
                // tungstenite answers a ping by itself.
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Err(broken(NEXT, error)),
            };
            match frame.map(|frame| self.channels.take(&frame)) {
                Some(Some(event)) => return Ok(event),
                Some(None) => {}
                None => tracing::debug!("a live frame cannot be read, and is passed over"),
            }
        }
    }
}

fn closed(operation: &'static str) -> RemoteError {
    RemoteError::new(RemoteErrorKind::Interrupted, operation).with_detail("the server has closed the connection")
}

fn broken(operation: &'static str, error: Error) -> RemoteError {
    let malformed = |detail| RemoteError::new(RemoteErrorKind::Malformed, operation).with_detail(detail);
    match error {
        Error::Capacity(_) => malformed("a frame is too large"),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => closed(operation),
        Error::Protocol(_) | Error::Utf8(_) => malformed("a frame breaks the rules of WebSockets"),
        // Other errors may quote what was sent.
        Error::Io(error) => closed(operation).with_source(error),
        _ => closed(operation),
    }
}
