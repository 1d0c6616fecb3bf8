//! `open_broadcast`: opens the broadcast of an org, or finds the existing one.

use super::{Kind, Step};
use crate::reference::{
    limits,
    push::{
        Done, Judged,
        opening::{Wanted, open},
        refuse,
    },
    transaction::Transaction,
    viewer::Viewer,
};
use fieldpost_domain::{ConversationId, OpenBroadcast, RefusalCode, Role};

impl Kind for OpenBroadcast {
    type Intent = Self;

    const STEP: Step = Step::Open;

    fn of(intent: &Self) -> Self {
        intent.clone()
    }

    fn lane(&self) -> ConversationId {
        self.conversation_id
    }

    fn carry_out(&self, transaction: &mut Transaction<'_>, viewer: &Viewer) -> Judged<Done> {
        let member = viewer.member_of(self.org_id).ok_or(refuse(RefusalCode::NotFound))?;
        if member.role != Role::OrgAdmin {
            return Err(refuse(RefusalCode::Forbidden));
        }
        let subject = self.subject.as_deref().map(str::trim).filter(|subject| !subject.is_empty());
        if let Some(omitted) = limits::of_subject(subject) {
            return Err(refuse(limits::refusal(&omitted)));
        }
        let existing = transaction.tables().broadcast_of(self.org_id).map(|row| row.id);
        let wanted = Wanted { org: self.org_id, medic: None, subject: subject.map(str::to_owned) };
        open(transaction, viewer, self.conversation_id, existing, wanted)
    }
}
