//! Conversations as a list shows them.
//!
//! The name of the other side is found when the row is read: the medic is one lookup by an index, and a person whose name
//! changes then changes nothing else.
//!
//! SQL by hand: what the list and each conversation are read from (`list`).

use crate::{
    entity::{conversations::Column as C, people::Column as P},
    error::{Fault, Res},
    line::{Line, cells},
    resolve::VIEWER,
    rows::json,
    sql::{hex, of, unsigned},
};
use fieldpost_domain::{
    Archived, ConversationId, ConversationKind, MedicId, OrgId, Role, Seq, Settings,
    names::{self, Title},
    preview,
};
use fieldpost_storage::{ConversationSummary, StoredDraft};

cells! {
    /// A conversation of a list: `c`, with who looks at it, `me`, and the medic whose it is, `p`.
    pub(crate) enum Listed() {
        Id = hex("c", C::Id),
        Org = hex("c", C::OrgId),
        Kind = of("c", C::Kind),
        Subject = of("c", C::Subject),
        Medic = hex("c", C::MedicId),
        MedicName = of("c", C::MedicName),
        ParticipantName = of("c", C::ParticipantName),
        LastSeq = of("c", C::LastSeq),
        LastMessageAt = of("c", C::LastMessageAt),
        LastMessagePreview = of("c", C::LastMessagePreview),
        Unread = of("c", C::UnreadCount),
        OnServer = format!("{} IS NOT NULL", of("c", C::ServerId)),
        Viewer = of("me", P::Role),
        FirstName = of("p", P::FirstName),
        LastName = of("p", P::LastName),
        Omitted = of("c", C::Omitted),
        CreatedAt = of("c", C::CreatedAt),
        UnreadMentions = of("c", C::UnreadMentions),
        MutedUntil = of("c", C::MutedUntil),
        PinnedAt = of("c", C::PinnedAt),
        ArchivedAt = of("c", C::ArchivedAt),
        ArchivedSeq = of("c", C::ArchivedSeq),
        UnreadFrom = of("c", C::UnreadFrom),
        Revived = of("c", C::Revived),
        // A preview takes less.
        Draft = "(SELECT substr(d.content, 1, 2000) FROM drafts AS d WHERE d.conversation_id = c.id)",
    }
}

/// The order of a list.
pub(crate) const PLACE: &str =
    "ORDER BY coalesce(c.pinned_at, 0) DESC, coalesce(c.last_message_at, c.created_at) DESC, c.id";

/// What it is read from; add WHERE and ORDER BY.
pub(crate) fn source() -> String {
    source_by("")
}

/// The same, by an index.
pub(crate) fn source_by(index: &str) -> String {
    format!(
        "FROM conversations AS c {index} LEFT JOIN people AS me ON me.id = {VIEWER} AND me.org_id = coalesce( \
            (SELECT y.org_id FROM people AS y WHERE y.id = {VIEWER} AND y.org_id = c.org_id), \
            (SELECT min(y.org_id) FROM people AS y WHERE y.id = {VIEWER} AND NOT y.removed), \
            (SELECT min(y.org_id) FROM people AS y WHERE y.id = {VIEWER})) \
         LEFT JOIN people AS p ON p.org_id = c.org_id AND p.id = \
            (SELECT q.id FROM people AS q WHERE q.medic_id = c.medic_id ORDER BY q.removed, q.id LIMIT 1)"
    )
}

pub(crate) fn summary(row: &Line) -> Res<ConversationSummary> {
    let kind = ConversationKind::from(row.get::<String>(Listed::Kind)?);
    let subject: Option<String> = row.get(Listed::Subject)?;
    Ok(ConversationSummary {
        id: ConversationId::from_uuid(row.id(Listed::Id)?),
        org_id: OrgId::from_uuid(row.id(Listed::Org)?),
        participant_name: participant_name(row, &kind, subject.as_deref())?,
        kind,
        subject,
        omitted: json::read_omitted(row.get(Listed::Omitted)?)?,
        medic_id: row.opt_id(Listed::Medic)?.map(MedicId::from_uuid),
        created_at: row.time(Listed::CreatedAt)?,
        last_message_at: row.opt_time(Listed::LastMessageAt)?,
        last_message_preview: row.get::<Option<String>>(Listed::LastMessagePreview)?.as_deref().map(preview),
        unread: row.count(Listed::Unread)?,
        unread_mentions: row.count(Listed::UnreadMentions)?,
        last_seq: row.seq(Listed::LastSeq)?,
        on_server: row.is(Listed::OnServer)?,
        settings: settings(row)?,
        revived: row.is(Listed::Revived)?,
        draft: row.get::<Option<String>>(Listed::Draft)?.as_deref().map(StoredDraft::first_line),
    })
}

fn settings(row: &Line) -> Res<Settings> {
    let seq = |cell| Ok::<_, Fault>(row.get::<Option<i64>>(cell)?.map(|seq| Seq::new(unsigned(seq))));
    let archived = row.opt_time(Listed::ArchivedAt)?.zip(seq(Listed::ArchivedSeq)?);
    Ok(Settings {
        muted_until: row.opt_time(Listed::MutedUntil)?,
        pinned_at: row.opt_time(Listed::PinnedAt)?,
        archived: archived.map(|(at, seq)| Archived { at, seq }),
        unread_from: seq(Listed::UnreadFrom)?,
    })
}

fn participant_name(row: &Line, kind: &ConversationKind, subject: Option<&str>) -> Res<String> {
    let viewer = row.get::<Option<String>>(Listed::Viewer)?.map(Role::from);
    if viewer.is_none()
        && let Some(name) = row.get::<Option<String>>(Listed::ParticipantName)?
    {
        // An upgraded file that has not been synced: what the old app called it.
        return Ok(name);
    }
    let viewer = viewer.unwrap_or_else(|| Role::Unknown(String::new()));
    let medic_name: Option<String> = row.get(Listed::MedicName)?;
    let medic = match row.get::<Option<String>>(Listed::FirstName)? {
        Some(first) => names::full_name(&first, &row.get::<String>(Listed::LastName)?),
        None => None,
    };
    Ok(Title { kind, subject, medic_name: medic_name.as_deref() }.participant_name(&viewer, medic))
}
