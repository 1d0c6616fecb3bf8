//! Live hints: the server says that there is something new, so that a device need not wait for its timer.
//!
//! A hint is never truth. It has no content, it may be late, doubled or lost, and nothing may depend on it: what counts is
//! the pull that follows. So after every join a device pulls once, because nobody tells it what it has missed.

use crate::{RemoteError, RemoteResult};
use async_trait::async_trait;
use fieldpost_domain::{AccessToken, ConversationId, OrgId, PersonId, PushTag};
use std::{fmt, str::FromStr};

/// What a device listens to. The server lets only those join whom it concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// What concerns one person: a medic's direct conversations, and what a person has done on another device.
    Person(PersonId),
    /// What only the admins of an org see: its direct conversations.
    Admins(OrgId),
    /// What all members of an org see: its broadcasts, and who they are.
    Org(OrgId),
    /// Who is writing in a conversation. It carries no hints.
    Typing(ConversationId),
}

/// The text is no name of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no topic of Fieldpost")]
pub struct NoTopic;

/// The name on the wire.
impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(f, "fieldpost:user:{id}"),
            Self::Admins(id) => write!(f, "fieldpost:admins:{id}"),
            Self::Org(id) => write!(f, "fieldpost:org:{id}"),
            Self::Typing(id) => write!(f, "fieldpost:conversation:{id}"),
        }
    }
}

impl FromStr for Topic {
    type Err = NoTopic;

    fn from_str(text: &str) -> Result<Self, NoTopic> {
        let (kind, id) = text.strip_prefix("fieldpost:").and_then(|rest| rest.split_once(':')).ok_or(NoTopic)?;
        match kind {
            "user" => id.parse().map(Self::Person).map_err(|_| NoTopic),
            "admins" => id.parse().map(Self::Admins).map_err(|_| NoTopic),
            "org" => id.parse().map(Self::Org).map_err(|_| NoTopic),
            "conversation" => id.parse().map(Self::Typing).map_err(|_| NoTopic),
            _ => Err(NoTopic),
        }
    }
}

/// What a connection brings.
#[derive(Debug)]
pub enum LiveEvent {
    /// The server has accepted the join. What was committed before may have passed unheard.
    Joined(Topic),
    /// The server is able to send hints only from now on. What was committed before has passed unheard. Not all servers say so, and
    /// none need do it of a topic that carries no hints.
    Ready(Topic),
    /// The topic is left, for whatever reason but an own [`LiveConnection::leave`]: the server has refused the join, the token
    /// has expired, a fault of the server. It says nothing any more until it is joined again.
    Left(Topic, RemoteError),
    /// Something has changed. If a push changed it, the hint carries its tag; older servers send none.
    Hint(Topic, Option<PushTag>),
    /// A person is writing.
    Typing {
        /// Where.
        conversation_id: ConversationId,
        /// Who, as her device says. The server has checked that she sees the conversation, not that it is her.
        person_id: PersonId,
    },
    /// The answer to a heartbeat.
    Alive,
}

/// A server that tells of changes as they are committed.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait LiveHints: Send + Sync {
    /// Opens a connection on which nothing is joined yet.
    ///
    /// # Errors
    /// As every call. [`crate::RemoteErrorKind::NotFound`] when the server has no live hints at all.
    async fn connect(&self, token: &AccessToken) -> RemoteResult<Box<dyn LiveConnection>>;
}

/// An open connection. Dropping it closes it.
///
/// A method that sends returns when the request is on its way; what the server answers comes as an event. An error of any
/// method is the end of the connection.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait LiveConnection: Send {
    /// Asks to join a topic. [`LiveEvent::Joined`] or [`LiveEvent::Left`] follows, or nothing. A topic that is joined already is
    /// joined anew: events of the earlier join do not come any more.
    async fn join(&mut self, topic: Topic, token: &AccessToken) -> RemoteResult<()>;

    /// Leaves a topic. No event of it follows.
    async fn leave(&mut self, topic: Topic) -> RemoteResult<()>;

    /// Gives the server a newer token, for all topics. There is no answer to this.
    async fn renew(&mut self, token: &AccessToken) -> RemoteResult<()>;

    /// Asks whether the server is still there. [`LiveEvent::Alive`] follows, if it is.
    async fn heartbeat(&mut self) -> RemoteResult<()>;

    /// Tells the others in a conversation that this person is writing. Its topic must be joined.
    async fn type_in(&mut self, conversation_id: ConversationId, person_id: PersonId) -> RemoteResult<()>;

    /// The next event. Dropping the future before it is ready loses no event. Frames that cannot be read, and those of topics
    /// that are not joined, are passed over.
    async fn next(&mut self) -> RemoteResult<LiveEvent>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_has_one_name() {
        let id = "0198c1f0-0000-7000-8000-000000000001";
        for (kind, topic) in [
            ("user", Topic::Person(id.parse().unwrap())),
            ("admins", Topic::Admins(id.parse().unwrap())),
            ("org", Topic::Org(id.parse().unwrap())),
            ("conversation", Topic::Typing(id.parse().unwrap())),
        ] {
            assert_eq!(topic.to_string(), format!("fieldpost:{kind}:{id}"));
            assert_eq!(topic.to_string().parse(), Ok(topic));
        }
        for odd in
            ["", "fieldpost", "fieldpost:user", "fieldpost:user:", "fieldpost:user:x", "fieldpost:team:1", "user:1"]
        {
            assert_eq!(odd.parse::<Topic>(), Err(NoTopic), "{odd}");
        }
    }
}
