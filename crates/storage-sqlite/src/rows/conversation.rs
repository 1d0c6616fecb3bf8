//! Conversations as stored, and as a list shows them.
//!
//! The name of the other side is found when the row is read: the medic is one lookup by an index, and a person whose name
//! changes then changes nothing else.

use crate::{
    error::Res,
    resolve::VIEWER,
    row::Row,
    rows::{json, person},
    version::told,
};
use fieldpost_domain::{
    Conversation, ConversationId, ConversationKind, MedicId, OrgId, PersonId, Role, names, preview,
};
use fieldpost_storage::ConversationSummary;

const WIDTH: usize = 16;

/// A conversation as [`summary`] reads it, packed.
pub(crate) fn line() -> String {
    format!(
        "json_array(hex(c.id), hex(c.server_id), hex(c.org_id), c.type, c.subject, hex(c.medic_id), c.medic_name, \
         hex(c.created_by), c.created_at, c.updated_at, c.participant_name, c.last_seq, c.last_message_at, \
         c.last_message_preview, c.unread_count, c.version, me.role, {})",
        person::PACKED
    )
}

/// What it is read from; add WHERE and ORDER BY.
pub(crate) fn source() -> String {
    format!(
        "FROM conversations AS c LEFT JOIN people AS me ON me.id = {VIEWER} \
         LEFT JOIN people AS p ON p.id = \
            (SELECT q.id FROM people AS q WHERE q.medic_id = c.medic_id ORDER BY q.removed, q.id LIMIT 1)"
    )
}

pub(crate) fn summary(row: &Row) -> Res<ConversationSummary> {
    let conversation = conversation(row)?;
    let participant_name = participant_name(row, &conversation)?;
    Ok(ConversationSummary {
        id: conversation.id,
        org_id: conversation.org_id,
        kind: conversation.kind,
        participant_name,
        subject: conversation.subject,
        medic_id: conversation.medic_id,
        last_message_at: conversation.last_message_at,
        last_message_preview: conversation.last_message_preview.as_deref().map(preview),
        unread: conversation.unread,
        last_seq: conversation.last_seq,
        on_server: row.opt_id(1)?.is_some(),
    })
}

fn participant_name(row: &Row, conversation: &Conversation) -> Res<String> {
    let viewer = row.get::<Option<String>>(WIDTH)?.map(Role::from);
    if viewer.is_none()
        && let Some(name) = row.get::<Option<String>>(10)?
    {
        // An upgraded file that has not been synced: what the old app called it.
        return Ok(name);
    }
    let viewer = viewer.unwrap_or_else(|| Role::Unknown(String::new()));
    let medic = person::joined(row, WIDTH + 1)?;
    Ok(names::participant_name(conversation, &viewer, medic.as_ref()))
}

fn conversation(row: &Row) -> Res<Conversation> {
    Ok(Conversation {
        id: ConversationId::from_uuid(row.id(0)?),
        org_id: OrgId::from_uuid(row.id(2)?),
        kind: ConversationKind::from(row.get::<String>(3)?),
        subject: row.get(4)?,
        medic_id: row.opt_id(5)?.map(MedicId::from_uuid),
        medic_name: row.get(6)?,
        created_by: PersonId::from_uuid(row.id(7)?),
        created_at: row.time(8)?,
        updated_at: row.time(9)?,
        last_seq: row.seq(11)?,
        last_message_at: row.opt_time(12)?,
        last_message_preview: row.get(13)?,
        unread: row.count(14)?,
        version: told(row.get(15)?),
        extra: json::read_extra(None)?,
    })
}
