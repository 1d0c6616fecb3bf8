//! Conversations as a list shows them.
//!
//! The name of the other side is found when the row is read: the medic is one lookup by an index, and a person whose name
//! changes then changes nothing else.

use crate::{error::Res, resolve::VIEWER, row::Row, rows::json};
use fieldpost_domain::{
    ConversationId, ConversationKind, MedicId, OrgId, Role,
    names::{self, Title},
    preview,
};
use fieldpost_storage::ConversationSummary;

/// A conversation as [`summary`] reads it, packed.
pub(crate) const LINE: &str = "json_array(hex(c.id), hex(c.org_id), c.type, c.subject, hex(c.medic_id), c.medic_name, c.participant_name, \
    c.last_seq, c.last_message_at, c.last_message_preview, c.unread_count, c.server_id IS NOT NULL, me.role, p.first_name, \
    p.last_name, c.omitted, c.created_at)";

/// What it is read from; add WHERE and ORDER BY.
pub(crate) fn source() -> String {
    format!(
        "FROM conversations AS c LEFT JOIN people AS me ON me.id = {VIEWER} AND me.org_id = coalesce( \
            (SELECT y.org_id FROM people AS y WHERE y.id = {VIEWER} AND y.org_id = c.org_id), \
            (SELECT min(y.org_id) FROM people AS y WHERE y.id = {VIEWER} AND NOT y.removed), \
            (SELECT min(y.org_id) FROM people AS y WHERE y.id = {VIEWER})) \
         LEFT JOIN people AS p ON p.org_id = c.org_id AND p.id = \
            (SELECT q.id FROM people AS q WHERE q.medic_id = c.medic_id ORDER BY q.removed, q.id LIMIT 1)"
    )
}

pub(crate) fn summary(row: &Row) -> Res<ConversationSummary> {
    let kind = ConversationKind::from(row.get::<String>(2)?);
    let subject: Option<String> = row.get(3)?;
    Ok(ConversationSummary {
        id: ConversationId::from_uuid(row.id(0)?),
        org_id: OrgId::from_uuid(row.id(1)?),
        participant_name: participant_name(row, &kind, subject.as_deref())?,
        kind,
        subject,
        omitted: json::read_omitted(row.get(15)?)?,
        medic_id: row.opt_id(4)?.map(MedicId::from_uuid),
        created_at: row.time(16)?,
        last_message_at: row.opt_time(8)?,
        last_message_preview: row.get::<Option<String>>(9)?.as_deref().map(preview),
        unread: row.count(10)?,
        last_seq: row.seq(7)?,
        on_server: row.get::<i64>(11)? != 0,
    })
}

fn participant_name(row: &Row, kind: &ConversationKind, subject: Option<&str>) -> Res<String> {
    let viewer = row.get::<Option<String>>(12)?.map(Role::from);
    if viewer.is_none()
        && let Some(name) = row.get::<Option<String>>(6)?
    {
        // An upgraded file that has not been synced: what the old app called it.
        return Ok(name);
    }
    let viewer = viewer.unwrap_or_else(|| Role::Unknown(String::new()));
    let medic_name: Option<String> = row.get(5)?;
    let medic = match row.get::<Option<String>>(13)? {
        Some(first) => names::full_name(&first, &row.get::<String>(14)?),
        None => None,
    };
    Ok(Title { kind, subject, medic_name: medic_name.as_deref() }.participant_name(&viewer, medic))
}
