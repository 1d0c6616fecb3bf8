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

/// What Phoenix answers to everything that is sent to a topic that it does not know on this connection.
const UNMATCHED: &str = "unmatched topic";

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
            // An end of the topic that was never told.
            Body::Reply(Err(reason)) if reason == UNMATCHED && join.is_before(frame.reference.as_deref()) => {
                self.left(topic, ended("the server does not know the topic any more"))
            }
            Body::System(System::Ready) if join.accepted => Some(LiveEvent::Ready(topic)),
            Body::System(System::Ends(reason)) => self.left(topic, live::topic(NEXT, reason)),
            Body::Closed => self.left(topic, ended("the server has closed the topic")),
            Body::Failed => self.left(topic, ended("the topic has failed on the server")),
            // What comes before the answer belongs to an earlier join.
            Body::Hint(push) if join.accepted && !matches!(topic, Topic::Typing(_)) => {
                Some(LiveEvent::Hint(topic, *push))
            }
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

    /// Whether something was sent after this join under that reference.
    fn is_before(&self, reference: Option<&str>) -> bool {
        reference.and_then(|text| text.parse::<u64>().ok()).is_some_and(|sent| self.reference < sent)
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

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0198c1f0-0000-7000-8000-000000000001";

    fn topic() -> Topic {
        Topic::Person(ID.parse().unwrap())
    }

    /// What a frame of this topic tells, as text.
    fn take(channels: &mut Channels, join_ref: &str, reference: &str, event: &str, payload: &str) -> String {
        let text = format!(r#"[{join_ref},{reference},"realtime:fieldpost:user:{ID}","{event}",{payload}]"#);
        told(channels, &text)
    }

    fn told(channels: &mut Channels, text: &str) -> String {
        match channels.take(&Frame::text(text).unwrap()) {
            None => "nothing".to_owned(),
            Some(LiveEvent::Left(_, error)) => format!("left {:?}", error.kind()),
            Some(LiveEvent::Joined(_)) => "joined".to_owned(),
            Some(LiveEvent::Ready(_)) => "ready".to_owned(),
            Some(LiveEvent::Hint(..)) => "hint".to_owned(),
            Some(other) => format!("{other:?}"),
        }
    }

    const OK: &str = r#"{"status":"ok","response":{}}"#;
    const READY: &str = r#"{"extension":"system","status":"ok","message":"Replication connection established"}"#;
    const EXPIRED: &str = r#"{"extension":"system","status":"error","message":"Token has expired 0 seconds ago"}"#;
    const HINT: &str = r#"{"type":"broadcast","event":"hint","payload":{}}"#;

    fn joined() -> Channels {
        let mut channels = Channels::default();
        channels.join(topic());
        assert_eq!(take(&mut channels, "\"1\"", "\"1\"", "phx_reply", OK), "joined");
        channels
    }

    #[test]
    fn a_join_is_accepted_once_and_then_hints_count() {
        let mut channels = Channels::default();
        assert_eq!(take(&mut channels, "\"1\"", "\"1\"", "phx_reply", OK), "nothing", "nobody has asked");
        channels.join(topic());
        assert_eq!(take(&mut channels, "null", "null", "broadcast", HINT), "nothing", "of an earlier join");
        assert_eq!(take(&mut channels, "\"1\"", "null", "system", READY), "nothing");
        assert_eq!(take(&mut channels, "\"1\"", "\"2\"", "phx_reply", OK), "nothing", "it answers something else");
        assert_eq!(take(&mut channels, "\"1\"", "\"1\"", "phx_reply", OK), "joined");
        assert_eq!(take(&mut channels, "\"1\"", "\"1\"", "phx_reply", OK), "nothing");
        assert_eq!(take(&mut channels, "\"1\"", "null", "system", READY), "ready");
        assert_eq!(take(&mut channels, "null", "null", "broadcast", HINT), "hint");
    }

    #[test]
    fn a_topic_ends_once_however_many_frames_say_so() {
        for (event, payload, ends) in [
            ("phx_close", "{}", "left Unavailable"),
            ("phx_error", "{}", "left Unavailable"),
            ("system", EXPIRED, "left Unauthorized"),
        ] {
            let mut channels = joined();
            assert_eq!(take(&mut channels, "\"1\"", "\"1\"", event, payload), ends, "{event}");
            assert_eq!(take(&mut channels, "\"1\"", "\"1\"", "phx_close", "{}"), "nothing", "{event}");
            assert_eq!(take(&mut channels, "null", "null", "broadcast", HINT), "nothing", "{event}");
        }
    }

    #[test]
    fn what_belongs_to_an_earlier_join_is_passed_over() {
        let mut channels = joined();
        channels.join(topic());
        for (event, payload) in [("phx_close", "{}"), ("phx_error", "{}"), ("system", EXPIRED), ("phx_reply", OK)] {
            assert_eq!(take(&mut channels, "\"1\"", "\"1\"", event, payload), "nothing", "{event}");
        }
        assert_eq!(take(&mut channels, "\"2\"", "\"2\"", "phx_reply", OK), "joined");
    }

    /// Clients whose channel had ended on the server, and who sent to it for ever: phoenixframework/phoenix#3458,
    /// dsrees/JavaPhoenixClient#91.
    #[test]
    fn a_topic_that_the_server_does_not_know_any_more_is_left() {
        let unmatched = r#"{"status":"error","response":{"reason":"unmatched topic"}}"#;
        let other = r#"{"status":"error","response":{"reason":"payload_size_exceeded"}}"#;
        let mut channels = joined();
        channels.join(topic());
        assert_eq!(take(&mut channels, "null", "\"1\"", "phx_reply", unmatched), "nothing", "of the earlier join");
        assert_eq!(take(&mut channels, "\"2\"", "\"2\"", "phx_reply", OK), "joined");
        assert_eq!(channels.reference(), 3, "a newer token");
        assert_eq!(take(&mut channels, "\"2\"", "\"3\"", "phx_reply", other), "nothing");
        assert_eq!(take(&mut channels, "null", "\"3\"", "phx_reply", unmatched), "left Unavailable");
        assert_eq!(take(&mut channels, "null", "\"3\"", "phx_reply", unmatched), "nothing");
    }

    /// `phx_leave` and `phx_join` one after the other, and the answer to the first closed what the second had joined:
    /// supabase/supabase-py#1337, supabase/supabase-flutter#237, supabase/realtime-js#192.
    #[test]
    fn what_the_server_says_of_a_topic_that_was_left_does_not_end_the_one_that_was_joined_after_it() {
        let mut channels = joined();
        channels.joins.remove(&topic());
        let leave = channels.reference();
        assert_eq!(take(&mut channels, "\"1\"", "\"1\"", "phx_reply", OK), "nothing", "nobody wants it any more");
        let join = channels.join(topic());
        assert_eq!((leave, join), (2, 3));
        for (join_ref, reference, event, payload) in [
            ("\"1\"", "\"2\"", "phx_reply", OK),
            ("null", "\"2\"", "phx_reply", OK),
            ("\"1\"", "\"1\"", "phx_close", "{}"),
            ("\"1\"", "\"1\"", "phx_error", "{}"),
            ("\"1\"", "null", "system", EXPIRED),
        ] {
            assert_eq!(take(&mut channels, join_ref, reference, event, payload), "nothing", "{event}");
        }
        assert_eq!(take(&mut channels, "\"3\"", "\"3\"", "phx_reply", OK), "joined");
        assert_eq!(take(&mut channels, "\"1\"", "\"1\"", "phx_close", "{}"), "nothing");
    }

    #[test]
    fn frames_of_the_first_version_end_a_topic_by_the_reference_of_its_join() {
        let frame = |reference: &str| {
            format!(
                r#"{{"topic":"realtime:fieldpost:user:{ID}","event":"phx_close","payload":{{}},"ref":"{reference}"}}"#
            )
        };
        let mut channels = joined();
        assert_eq!(told(&mut channels, &frame("7")), "nothing");
        assert_eq!(told(&mut channels, &frame("1")), "left Unavailable");
    }

    #[test]
    fn hints_and_typing_count_only_on_their_own_topics() {
        let mut channels = joined();
        let typing = format!(r#"{{"event":"typing","payload":{{"person_id":"{ID}"}}}}"#);
        assert_eq!(take(&mut channels, "null", "null", "broadcast", &typing), "nothing");
        channels.join(Topic::Typing(ID.parse().unwrap()));
        let on = |reference: &str, event: &str, payload: &str| {
            format!(r#"[null,{reference},"realtime:fieldpost:conversation:{ID}","{event}",{payload}]"#)
        };
        assert_eq!(told(&mut channels, &on("\"2\"", "phx_reply", OK)), "joined");
        assert_eq!(told(&mut channels, &on("null", "broadcast", HINT)), "nothing");
        assert!(told(&mut channels, &on("null", "broadcast", &typing)).starts_with("Typing"));
        assert_eq!(told(&mut channels, r#"[null,null,"realtime:else","broadcast",{"event":"hint"}]"#), "nothing");
    }

    #[test]
    fn only_a_success_says_that_the_server_is_there() {
        let mut channels = Channels::default();
        assert_eq!(told(&mut channels, r#"[null,"9","phoenix","phx_reply",{"status":"ok","response":{}}]"#), "Alive");
        assert_eq!(told(&mut channels, r#"[null,"9","phoenix","phx_reply",{"status":"error"}]"#), "nothing");
    }
}
