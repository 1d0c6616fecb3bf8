//! `open_direct`: opens the direct conversation of a medic, or finds the existing one.

use super::{Kind, Step};
use crate::reference::{
    push::{
        Done, Judged,
        opening::{Wanted, open},
        refuse,
    },
    tables::Tables,
    transaction::Transaction,
    viewer::{Membership, Viewer},
};
use fieldpost_domain::{ConversationId, MedicId, OpenDirect, OrgId, Refusal, RefusalCode, Role};

impl Kind for OpenDirect {
    type Intent = Self;

    const STEP: Step = Step::Open;

    fn of(intent: &Self) -> Self {
        intent.clone()
    }

    fn lane(&self) -> ConversationId {
        self.conversation_id
    }

    fn carry_out(&self, transaction: &mut Transaction<'_>, viewer: &Viewer) -> Judged<Done> {
        let member = member_meant(transaction.tables(), viewer, self.medic_id, self.org_id)?;
        let medic = medic_meant(transaction.tables(), member, self.medic_id)?;
        let existing = transaction.tables().direct_of(member.org_id, medic).map(|row| row.id);
        let wanted = Wanted { org: member.org_id, medic: Some(medic), subject: None };
        open(transaction, viewer, self.conversation_id, existing, wanted)
    }
}

/// The caller's membership in the org she names, else in the org of the medic she names, else in her own. She does not
/// learn whether a foreign org exists.
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

/// The medic of the org that the caller names. A medic may name only herself, and does not learn whether others exist.
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
