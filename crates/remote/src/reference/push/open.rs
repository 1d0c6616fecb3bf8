//! `open_direct` and `open_broadcast`: open a conversation, or find the one there is.

use super::{Done, Judged, refuse, send::was_deleted};
use crate::reference::{
    limits, rows,
    tables::{Deleted, Tables},
    transaction::Transaction,
    viewer::{Membership, Viewer},
};
use fieldpost_domain::{Acknowledgement, ConversationId, MedicId, OrgId, Refusal, RefusalCode, Role};

pub(super) fn direct(
    transaction: &mut Transaction<'_>,
    viewer: &Viewer,
    id: ConversationId,
    medic: Option<MedicId>,
    org: Option<OrgId>,
) -> Judged<Done> {
    let member = member_meant(transaction.tables(), viewer, medic, org)?;
    let medic = medic_meant(transaction.tables(), member, medic)?;
    let existing = transaction.tables().direct_of(member.org_id, medic).map(|row| row.id);
    let wanted = Wanted { org: member.org_id, medic: Some(medic), subject: None };
    open(transaction, viewer, id, existing, wanted)
}

pub(super) fn broadcast(
    transaction: &mut Transaction<'_>,
    viewer: &Viewer,
    id: ConversationId,
    org: OrgId,
    subject: Option<String>,
) -> Judged<Done> {
    let member = viewer.member_of(org).ok_or(refuse(RefusalCode::NotFound))?;
    if member.role != Role::OrgAdmin {
        return Err(refuse(RefusalCode::Forbidden));
    }
    let subject = subject.map(|subject| subject.trim().to_owned()).filter(|subject| !subject.is_empty());
    if let Some(omitted) = limits::of_subject(subject.as_deref()) {
        return Err(refuse(limits::refusal(&omitted)));
    }
    let existing = transaction.tables().broadcast_of(org).map(|row| row.id);
    open(transaction, viewer, id, existing, Wanted { org, medic: None, subject })
}

/// The caller's membership in the org she names, else in that of the medic she names, else in her own. Of a foreign org she
/// does not learn whether it exists.
fn member_meant<'v>(
    tables: &Tables,
    viewer: &'v Viewer,
    medic: Option<MedicId>,
    org: Option<OrgId>,
) -> Judged<&'v Membership> {
    let org = org.or_else(|| medic.and_then(|medic| tables.medics.get(&medic)).map(|row| row.org_id));
    let own = || viewer.members.iter().find(|member| !member.medic_ids.is_empty()).or(viewer.members.first());
    let member = org.map_or_else(own, |org| viewer.member_of(org));
    member.ok_or(refuse(RefusalCode::NotFound))
}

/// The medic of the org that the caller names. A medic may mean nobody but herself, and of others she does not learn
/// whether they exist.
fn medic_meant(tables: &Tables, member: &Membership, medic: Option<MedicId>) -> Judged<MedicId> {
    let medic = match (&member.role, medic) {
        (Role::Medic, None) => member.medic_ids.first().copied().ok_or(refuse(RefusalCode::NotFound))?,
        (Role::Medic, Some(medic)) if !member.medic_ids.contains(&medic) => {
            return Err(refuse(RefusalCode::NotFound));
        }
        (_, Some(medic)) => medic,
        (_, None) => return Err(Refusal { code: RefusalCode::BadRequest, detail: Some("medic_id".to_owned()) }),
    };
    let known = tables.medics.get(&medic).is_some_and(|row| row.org_id == member.org_id);
    if known { Ok(medic) } else { Err(refuse(RefusalCode::NotFound)) }
}

struct Wanted {
    org: OrgId,
    medic: Option<MedicId>,
    subject: Option<String>,
}

fn open(
    transaction: &mut Transaction<'_>,
    viewer: &Viewer,
    id: ConversationId,
    existing: Option<ConversationId>,
    wanted: Wanted,
) -> Judged<Done> {
    let tables = transaction.tables();
    let called = tables.resolve(id);
    let mut applied = false;
    match existing {
        // Found under its own id, or one that this or another device has called it by.
        Some(existing) if called == existing => {}
        _ if is_taken(tables, called) => return Err(refuse(taken(tables, viewer, called))),
        Some(existing) => transaction.add_alias(id, existing),
        None => {
            applied = true;
            transaction.open_conversation(id, wanted.org, wanted.medic, wanted.subject, viewer.person_id);
        }
    }
    let canonical = existing.unwrap_or(id);
    let row = viewer.conversation(transaction.tables(), canonical).ok_or(refuse(RefusalCode::NotFound))?;
    let conversation = rows::conversation(transaction.tables(), viewer, row);
    Ok(Done { acknowledgement: Acknowledgement::Opened(Box::new(conversation)), applied })
}

fn is_taken(tables: &Tables, id: ConversationId) -> bool {
    tables.conversations.contains_key(&id) || tables.used_up.contains(&id)
}

fn taken(tables: &Tables, viewer: &Viewer, id: ConversationId) -> RefusalCode {
    // Who saw what was deleted long ago nobody knows any more.
    let forgotten = tables.used_up.contains(&id) && !tables.tombstones.contains_key(&Deleted::Conversation(id));
    if forgotten || was_deleted(tables, viewer, id) { RefusalCode::ConversationDeleted } else { RefusalCode::IdTaken }
}
