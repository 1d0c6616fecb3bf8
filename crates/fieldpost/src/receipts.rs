//! Who has received and read a message, and when.

use crate::{Client, Conversation, Error, MessageId, Person, PersonId, Result, Seq, ThreadMessage, Time};
use fieldpost_domain::{ConversationKind, ReadMarker, Role, names};
use std::collections::BTreeMap;

/// How far one person has got with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The person.
    pub person_id: PersonId,
    /// The name that the reader sees.
    pub name: String,
    /// It is on one of their devices.
    pub delivered: bool,
    /// It was displayed to them.
    pub read: bool,
    /// When it arrived, by the server's clock. Of each person only the last move is known, so a message before the newest
    /// that they have received has no time.
    pub delivered_at: Option<Time>,
    /// When they read it; the same holds.
    pub read_at: Option<Time>,
}

/// What is known about the way of a message: [`Conversation::message_info`].
#[derive(Debug, Clone, PartialEq)]
pub struct MessageInfo {
    /// The message, with its status, and in a broadcast with its counts ([`ThreadMessage::receipts`]).
    pub message: ThreadMessage,
    /// The other participants, as this device knew them at the last sync: who has read it first, then by name. In a
    /// broadcast these are the medics of the org today, and former ones who have received it. A medic is told of nobody
    /// else in a broadcast.
    pub receipts: Vec<Receipt>,
}

impl Conversation {
    /// Who has received and read a message, as far as this device knows: with no network, what the last sync brought.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the message is not on this device, or not in this conversation.
    pub async fn message_info(&self, message: MessageId) -> Result<MessageInfo> {
        let here = self.summary().await?.ok_or(Error::NotFound)?;
        let store = &self.client().inner.store;
        let message = store.message(message).await?.filter(|message| message.conversation_id == here.id);
        let message = message.ok_or(Error::NotFound)?;
        let me = store.account().await?;
        let broadcast = here.kind == ConversationKind::Broadcast;
        let people = store.people().await?;
        let takes_part = |person: &Person| match broadcast {
            true => person.role == Role::Medic,
            false => person.medic_id.is_some() && person.medic_id == here.medic_id,
        };
        let admin = people.iter().any(|person| Some(person.id) == me && person.role == Role::OrgAdmin);
        let members = people.iter().filter(|person| person.org_id == here.org_id && takes_part(person));
        let mut markers: BTreeMap<PersonId, Option<ReadMarker>> =
            members.filter(|_| admin || !broadcast).map(|person| (person.id, None)).collect();
        markers.extend(store.markers(here.id).await?.into_iter().map(|marker| (marker.person_id, Some(marker))));
        let mut receipts = Vec::new();
        for (person_id, marker) in markers {
            if Some(person_id) == me || person_id == message.sender_id {
                continue;
            }
            let person = store.person(person_id).await?;
            // Admins are no recipients of what admins tell the medics.
            let counts = !broadcast || person.as_ref().is_some_and(|person| person.role == Role::Medic);
            let receipt = receipt(person_id, person.as_ref(), marker.as_ref(), message.seq);
            let member = person.is_some_and(|person| !person.removed);
            if counts && (member || receipt.delivered) {
                receipts.push(receipt);
            }
        }
        receipts.sort_by(|a, b| (!a.read, !a.delivered, &a.name).cmp(&(!b.read, !b.delivered, &b.name)));
        Ok(MessageInfo { message, receipts })
    }
}

impl Client {
    /// [`Conversation::message_info`] of a message in whatever conversation it is.
    ///
    /// # Errors
    /// As there.
    pub async fn message_info(&self, message: MessageId) -> Result<MessageInfo> {
        let here = self.inner.store.message(message).await?.ok_or(Error::NotFound)?;
        self.conversation(here.conversation_id).message_info(message).await
    }
}

fn receipt(person_id: PersonId, person: Option<&Person>, marker: Option<&ReadMarker>, seq: Option<Seq>) -> Receipt {
    let reached =
        |position: fn(&ReadMarker) -> Seq| marker.zip(seq).is_some_and(|(marker, seq)| position(marker) >= seq);
    let exactly = |position: fn(&ReadMarker) -> Seq| marker.filter(|marker| Some(position(marker)) == seq);
    Receipt {
        person_id,
        name: names::sender_name(person_id, person),
        delivered: reached(|marker| marker.delivered_seq),
        read: reached(|marker| marker.read_seq),
        delivered_at: exactly(|marker| marker.delivered_seq).and_then(|marker| marker.delivered_at),
        read_at: exactly(|marker| marker.read_seq).and_then(|marker| marker.read_at),
    }
}
