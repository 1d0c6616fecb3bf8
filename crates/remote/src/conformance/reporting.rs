//! Reports: what people tell the admins of their org about a message. Only admins read them.

use super::{
    Action, Actor, Backend, Scene, Verdict,
    actor::{failure, mutation, refused},
    edit::one,
};
use crate::{RemoteErrorKind, ReportsRequest};
use fieldpost_domain::{
    Acknowledgement, Continuation, ConversationId, DeleteMessage, EditMessage, Intent, MessageContent, MessageId,
    MessageReport, Mutation, PushOutcome, RefusalCode, ReportId, ReportMessage, ReportPage, ReportReason, Time,
};

fn report(conversation_id: ConversationId, message_id: MessageId, reason: &str, note: &str) -> Mutation {
    let report = ReportMessage::new(conversation_id, message_id, ReportReason::from(reason), note);
    mutation(Intent::ReportMessage(report.expect("words that can be sent")))
}

async fn reported(person: &Actor<'_>, report: &Mutation) {
    let outcome = one(person, report).await;
    assert_eq!(outcome, PushOutcome::Acknowledged(Acknowledgement::Bare));
}

async fn page(backend: &dyn Backend, person: &Actor<'_>, request: ReportsRequest) -> ReportPage {
    backend.api().reports(person.token(), request).await.expect("an admin reads reports")
}

async fn all(backend: &dyn Backend, person: &Actor<'_>) -> Vec<MessageReport> {
    page(backend, person, ReportsRequest { all: true, ..ReportsRequest::default() }).await.reports
}

async fn open(backend: &dyn Backend, person: &Actor<'_>) -> Vec<MessageReport> {
    page(backend, person, ReportsRequest::default()).await.reports
}

async fn resolve(backend: &dyn Backend, person: &Actor<'_>, report: ReportId) -> MessageReport {
    backend.api().resolve_report(person.token(), report).await.expect("an admin resolves a report of her org")
}

/// Given a medic who reports an admin's message, then the admins read who, why and what; devices hear of nothing.
pub async fn admins_read_what_is_reported_and_devices_hear_of_nothing(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let id = admin.say(own, "Get lost").await.message_id;
    let (by_admin, by_ada) = (admin.cursor().await, ada.cursor().await);
    reported(&ada, &report(own, id, "self_harm", " Twice today\n")).await;
    let page = page(backend, &admin, ReportsRequest::default()).await;
    let [one] = &page.reports[..] else { panic!("one report: {page:?}") };
    assert_eq!((one.message_id, one.conversation_id, one.org_id), (id, own, scene.world.org_id));
    assert_eq!((one.sender_id, one.reporter_id), (admin.id, ada.id));
    assert_eq!(
        (one.reason.as_str(), one.note.as_deref()),
        ("self_harm", Some("Twice today")),
        "a reason of its own too"
    );
    assert_eq!((one.content.as_deref(), one.resolved_at, one.resolved_by), (Some("Get lost"), None, None));
    let medic = &scene.world.medics[0];
    assert_eq!(page.name_of(ada.id), Some(format!("{} {}", medic.first_name, medic.last_name)));
    assert!(page.name_of(admin.id).is_some() && page.next.is_none());
    for (person, cursor) in [(&admin, &by_admin), (&ada, &by_ada)] {
        assert_eq!(person.catch_up(cursor).await.changes.messages, [], "the message is as it was");
    }
    Ok(())
}

/// Given a report whose response was lost, when it is resent, then there is one report, and a resolved one stays resolved.
pub async fn a_report_sent_again_changes_nothing(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let id = admin.say(own, "Get lost").await.message_id;
    let (first, second) = (report(own, id, "spam", ""), report(own, id, "harassment", "Again"));
    reported(&ada, &first).await;
    reported(&ada, &first).await;
    let before = all(backend, &admin).await;
    assert_eq!((before.len(), before[0].note.as_deref()), (1, None));
    let resolved = resolve(backend, &admin, before[0].id).await;
    assert!(resolved.resolved_at.is_some_and(|at| at >= before[0].reported_at));
    assert_eq!(resolved.resolved_by, Some(admin.id));
    reported(&ada, &first).await;
    assert_eq!((open(backend, &admin).await, all(backend, &admin).await), (vec![], vec![resolved.clone()]));
    assert_eq!(resolve(backend, &admin, before[0].id).await, resolved, "resolving is idempotent");

    reported(&ada, &second).await;
    let again = open(backend, &admin).await;
    assert_eq!((again.len(), again[0].id, again[0].reason.as_str()), (1, before[0].id, "harassment"));
    assert_eq!((again[0].note.as_deref(), again[0].resolved_at, again[0].resolved_by), (Some("Again"), None, None));
    reported(&ada, &first).await;
    assert_eq!(open(backend, &admin).await, again, "an older one that comes again does not replace it");
    Ok(())
}

/// Given two people who report a message, then each has a report of their own.
pub async fn each_person_has_a_report_of_their_own(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (admin, ada, ben) = (scene.admin().await, scene.medic(0).await, scene.medic(1).await);
    let everyone = admin.open_broadcast(scene.world.org_id, "All").await.id;
    let id = admin.say(everyone, "Whoever is late is out").await.message_id;
    // A medic may not write there, and reports.
    reported(&ada, &report(everyone, id, "inappropriate", "")).await;
    reported(&ben, &report(everyone, id, "other", "Is this allowed?")).await;
    let mut people: Vec<_> = open(backend, &admin).await.iter().map(|report| report.reporter_id).collect();
    people.sort_unstable();
    let mut expected = [ada.id, ben.id];
    expected.sort_unstable();
    assert_eq!(people, expected);
    Ok(())
}

/// Given messages that are one's own, out of sight or gone for good, then nobody reports them.
pub async fn only_what_others_wrote_and_one_sees_is_reported(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let elsewhere = Scene::with_medics(backend, 1).await;
    let (admin, ada, ben) = (scene.admin().await, scene.medic(0).await, scene.medic(1).await);
    let (own, other) = (ada.open_own().await.id, ben.open_own().await.id);
    let (mine, theirs) = (ada.say(own, "mine").await.message_id, ben.say(other, "theirs").await.message_id);
    let gone = admin.say(own, "gone").await.message_id;
    scene.perform(Action::HardDelete { id: gone }).await?;
    for (place, id) in [(other, theirs), (own, theirs), (own, super::fresh::message_id())] {
        assert_eq!(refused(&one(&ada, &report(place, id, "spam", "")).await), RefusalCode::NotFound);
    }
    assert_eq!(refused(&one(&ada, &report(own, mine, "spam", "")).await), RefusalCode::Forbidden);
    assert_eq!(refused(&one(&ada, &report(own, gone, "spam", "")).await), RefusalCode::MessageDeleted);
    for stranger in [elsewhere.admin().await, elsewhere.medic(0).await] {
        assert_eq!(refused(&one(&stranger, &report(own, mine, "spam", "")).await), RefusalCode::NotFound);
    }
    assert_eq!(all(backend, &admin).await, []);
    Ok(())
}

/// Given a message that is edited and deleted after it was reported, then the admins read what it said. One that was
/// deleted before can be reported too, and says nothing.
pub async fn an_edit_or_a_deletion_hides_nothing_from_a_report(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let (id, late) = (admin.say(own, "Get lost").await.message_id, admin.say(own, "Gone before").await.message_id);
    reported(&ada, &report(own, id, "harassment", "")).await;
    let content = MessageContent::new("Good morning").expect("a text");
    let edit = EditMessage { conversation_id: own, message_id: id, content, mentions: Default::default() };
    one(&admin, &mutation(Intent::EditMessage(edit))).await;
    reported(&ada, &report(own, id, "harassment", "and now it is edited")).await;
    for message_id in [id, late] {
        let deletion = DeleteMessage { conversation_id: own, message_id, deleted_at: Time::UNIX_EPOCH };
        one(&admin, &mutation(Intent::DeleteMessage(deletion))).await;
    }
    reported(&ada, &report(own, late, "harassment", "")).await;
    reported(&ada, &report(own, id, "harassment", "and now it is deleted")).await;
    let reports = all(backend, &admin).await;
    let said = |id| reports.iter().find(|report| report.message_id == id).expect("reported").content.clone();
    assert_eq!((said(id).as_deref(), said(late)), (Some("Get lost"), None));
    Ok(())
}

/// Given an admin who reports and deletes in one batch, in any order, then the report has what the message said.
pub async fn a_report_comes_before_a_deletion_of_its_batch(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let id = ada.say(own, "Get lost").await.message_id;
    let deletion = DeleteMessage { conversation_id: own, message_id: id, deleted_at: Time::UNIX_EPOCH };
    let batch = [mutation(Intent::DeleteMessage(deletion)), report(own, id, "spam", "")];
    let outcomes = admin.push(&batch).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, PushOutcome::Acknowledged(_))), "{outcomes:?}");
    assert_eq!(open(backend, &admin).await[0].content.as_deref(), Some("Get lost"));
    Ok(())
}

/// Given a report, then medics neither read nor resolve it, and no admin of another org.
pub async fn only_admins_of_the_org_read_and_resolve_reports(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let elsewhere = Scene::with_medics(backend, 1).await;
    let (admin, ada, ben) = (scene.admin().await, scene.medic(0).await, scene.medic(1).await);
    let own = ada.open_own().await.id;
    let id = admin.say(own, "Get lost").await.message_id;
    reported(&ada, &report(own, id, "harassment", "")).await;
    let report = open(backend, &admin).await.remove(0).id;
    let api = backend.api();
    for medic in [&ada, &ben, &elsewhere.medic(0).await] {
        let kind = failure(api.reports(medic.token(), ReportsRequest::default()).await);
        assert_eq!(kind, RemoteErrorKind::Forbidden);
        assert_eq!(failure(api.resolve_report(medic.token(), report).await), RemoteErrorKind::Forbidden);
    }
    let stranger = elsewhere.admin().await;
    assert_eq!(all(backend, &stranger).await, []);
    assert_eq!(failure(api.resolve_report(stranger.token(), report).await), RemoteErrorKind::NotFound);
    let nobodys = ReportId::from_uuid(super::fresh::message_id().as_uuid());
    assert_eq!(failure(api.resolve_report(admin.token(), nobodys).await), RemoteErrorKind::NotFound);
    assert_eq!(open(backend, &admin).await.len(), 1, "it is still open");
    Ok(())
}

/// Given several reports, then a page has some of them, the open ones first and of these the newest; the next one
/// continues.
pub async fn reports_come_in_pages_the_open_ones_first(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let mut messages = Vec::new();
    for text in ["one", "two", "three", "four", "five"] {
        let id = admin.say(own, text).await.message_id;
        reported(&ada, &report(own, id, "spam", "")).await;
        messages.push(id);
    }
    let by_message = |id| move |report: &MessageReport| report.message_id == id;
    let reports = open(backend, &admin).await;
    for id in [messages[4], messages[1]] {
        resolve(backend, &admin, reports.iter().find(|report| by_message(id)(report)).expect("reported").id).await;
    }
    let (mut seen, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = page(backend, &admin, ReportsRequest { all: true, after, limit: Some(2) }).await;
        seen.extend(page.reports.iter().map(|report| report.message_id));
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let expected = [3, 2, 0, 4, 1].map(|index: usize| messages[index]);
    assert_eq!((seen, pages), (expected.to_vec(), 3));
    assert_eq!(open(backend, &admin).await.len(), 3);

    let api = backend.api();
    let none = ReportsRequest { limit: Some(0), ..ReportsRequest::default() };
    assert_eq!(failure(api.reports(admin.token(), none).await), RemoteErrorKind::BadRequest);
    for nonsense in ["", "r1", "r1.2.0.x", "r1.0.99999999999999999999.x", "\u{e4}"] {
        let after = Some(Continuation::new(nonsense));
        let request = ReportsRequest { after, ..ReportsRequest::default() };
        assert_eq!(failure(api.reports(admin.token(), request).await), RemoteErrorKind::BadRequest, "{nonsense:?}");
    }
    Ok(())
}
