//! Opening conversations, also offline.

use super::{
    Action, Backend, Scene, Verdict,
    actor::{already_sent, mutation, opened, refused, send, sent},
    fresh,
};
use fieldpost_domain::{
    ConversationId, ConversationKind, Intent, MedicId, Mutation, OpenBroadcast, OpenDirect, OrgId, RefusalCode,
};

fn open(conversation_id: ConversationId, medic_id: Option<MedicId>, org_id: Option<OrgId>) -> Mutation {
    mutation(Intent::OpenDirect(OpenDirect { conversation_id, medic_id, org_id }))
}

/// Given a medic without one, when she opens hers without naming a medic, then it has the id that her device made.
pub async fn a_medic_opens_her_own(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let id = fresh::conversation_id();
    let row = opened(&ada.push(&[open(id, None, None)]).await[0]);
    assert_eq!((row.id, &row.kind, row.org_id), (id, &ConversationKind::Direct, scene.world.org_id));
    assert_eq!((row.medic_id, row.created_by), (Some(scene.medic_id(0)), ada.id));
    Ok(())
}

/// Given her conversation, when she or an admin opens it again, then it is the same one.
pub async fn opening_twice_gives_the_same_conversation(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let mutation = open(fresh::conversation_id(), None, None);
    let first = opened(&ada.push(std::slice::from_ref(&mutation)).await[0]);
    assert_eq!(opened(&ada.push(&[mutation]).await[0]).id, first.id, "the same mutation, retried");
    assert_eq!(ada.open_own().await.id, first.id, "another device of hers");
    assert_eq!(admin.open_with(scene.medic_id(0), scene.world.org_id).await.id, first.id);
    assert_eq!(admin.bootstrap().await.total_conversations, 1);
    Ok(())
}

/// Given a new conversation, then its messages may follow in the same batch.
pub async fn a_message_may_follow_its_opening_in_one_batch(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let id = fresh::conversation_id();
    let outcomes = ada.push(&[open(id, None, None), send(ada.draft(id, "1")), send(ada.draft(id, "2"))]).await;
    assert_eq!(opened(&outcomes[0]).id, id);
    assert_eq!((sent(&outcomes[1]).seq.get(), sent(&outcomes[2]).seq.get()), (1, 2));
    Ok(())
}

/// Given that the server has one already, when she opens hers offline and writes, then the messages land in that one.
pub async fn the_canonical_id_is_used_within_the_batch(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let canonical = admin.open_with(scene.medic_id(0), scene.world.org_id).await.id;
    admin.say(canonical, "Are you there?").await;
    let offline = fresh::conversation_id();
    let outcomes = ada.push(&[open(offline, None, None), send(ada.draft(offline, "Yes"))]).await;
    assert_eq!(opened(&outcomes[0]).id, canonical);
    let ack = sent(&outcomes[1]);
    assert_eq!((ack.conversation_id, ack.seq.get()), (canonical, 2));
    Ok(())
}

/// Given an id that became an alias, then later calls and retries resolve it.
pub async fn an_alias_is_resolved_later_and_in_retries(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let canonical = admin.open_with(scene.medic_id(0), scene.world.org_id).await.id;
    let offline = fresh::conversation_id();
    let opening = open(offline, None, None);
    let message = send(ada.draft(offline, "1"));
    ada.push(&[opening.clone(), message.clone()]).await;

    let retried = ada.push(&[opening, message, send(ada.draft(offline, "2"))]).await;
    assert_eq!(opened(&retried[0]).id, canonical);
    assert_eq!(already_sent(&retried[1]).conversation_id, canonical);
    assert_eq!((sent(&retried[2]).conversation_id, sent(&retried[2]).seq.get()), (canonical, 2));
    assert_eq!(ada.mark(offline, 2).await.conversation_id, canonical);
    let history = ada.history(offline, None, None).await.expect("history under the old id");
    assert_eq!(history.conversation.map(|row| row.id), Some(canonical));
    Ok(())
}

/// Given a medic of her org, when an admin opens a conversation with her, then it names her.
pub async fn an_admin_opens_one_with_a_medic(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let admin = scene.admin().await;
    let row = admin.open_with(scene.medic_id(0), scene.world.org_id).await;
    let ada = &scene.world.medics[0];
    assert_eq!((row.medic_id, row.created_by), (ada.medic_id, admin.id));
    assert_eq!(row.medic_name, Some(format!("{} {}", ada.first_name, ada.last_name)));
    Ok(())
}

/// Given another medic, when a medic opens that one's conversation, then the medic is not found.
pub async fn a_medic_cannot_open_anothers(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 3).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    ben.open_own().await;
    let nobody = MedicId::from_parts(chrono::Utc::now(), fresh::fresh_bytes());
    let outcomes = ada
        .push(&[
            open(fresh::conversation_id(), Some(scene.medic_id(1)), None),
            open(fresh::conversation_id(), Some(scene.medic_id(2)), None),
            open(fresh::conversation_id(), Some(nobody), None),
        ])
        .await;
    assert_eq!(outcomes[0], outcomes[2], "whether she has a conversation is not told");
    assert_eq!(outcomes[1], outcomes[2], "whether there is such a medic is not told");
    assert_eq!(refused(&outcomes[0]), RefusalCode::NotFound);
    assert_eq!(scene.admin().await.bootstrap().await.total_conversations, 1, "nothing was opened on the way");
    assert_eq!(ada.bootstrap().await.total_conversations, 0);
    Ok(())
}

/// Given a medic of another org, when an admin opens a conversation with her in her own org, then the medic is not
/// found.
pub async fn a_medic_of_another_org_is_not_found(backend: &dyn Backend) -> Verdict {
    let (here, there) = (Scene::with_medics(backend, 1).await, Scene::with_medics(backend, 1).await);
    let admin = here.admin().await;
    let foreign = open(fresh::conversation_id(), Some(there.medic_id(0)), Some(here.world.org_id));
    assert_eq!(refused(&admin.push(&[foreign]).await[0]), RefusalCode::NotFound);
    assert_eq!(admin.bootstrap().await.total_conversations, 0);
    Ok(())
}

/// Given another org, when somebody opens a conversation in it, then the org is not found.
pub async fn a_foreign_org_is_not_found(backend: &dyn Backend) -> Verdict {
    let (here, there) = (Scene::with_medics(backend, 1).await, Scene::with_medics(backend, 1).await);
    let admin = here.admin().await;
    let org_id = there.world.org_id;
    let batch = [
        open(fresh::conversation_id(), Some(there.medic_id(0)), Some(org_id)),
        mutation(Intent::OpenBroadcast(OpenBroadcast {
            conversation_id: fresh::conversation_id(),
            org_id,
            subject: None,
        })),
    ];
    for outcome in admin.push(&batch).await {
        assert_eq!(refused(&outcome), RefusalCode::NotFound);
    }
    assert_eq!(there.admin().await.bootstrap().await.total_conversations, 0);
    Ok(())
}

/// Given another medic's conversation, when a medic opens hers with its id, then the id is taken and nothing more is
/// revealed.
pub async fn the_id_of_a_hidden_conversation_is_taken(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    let hidden = ben.open_own().await.id;
    assert_eq!(refused(&ada.push(&[open(hidden, None, None)]).await[0]), RefusalCode::IdTaken);
    assert_eq!(ada.bootstrap().await.total_conversations, 0);
    Ok(())
}

/// Given an org, then it has one broadcast, whoever opens it.
pub async fn an_admin_opens_the_one_broadcast(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 0).await;
    let admin = scene.admin().await;
    let first = admin.open_broadcast(scene.world.org_id, "Notices").await;
    assert_eq!(
        (&first.kind, first.subject.as_deref(), first.medic_id),
        (&ConversationKind::Broadcast, Some("Notices"), None)
    );
    let second = admin.open_broadcast(scene.world.org_id, "Other").await;
    assert_eq!((second.id, second.subject.as_deref()), (first.id, Some("Notices")));
    Ok(())
}

/// Given a medic, when she opens a broadcast, then that is forbidden.
pub async fn a_medic_cannot_open_a_broadcast(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (conversation_id, org_id) = (fresh::conversation_id(), scene.world.org_id);
    let outcome = scene
        .medic(0)
        .await
        .push_one(Intent::OpenBroadcast(OpenBroadcast { conversation_id, org_id, subject: None }))
        .await;
    assert_eq!(refused(&outcome), RefusalCode::Forbidden);
    Ok(())
}

/// Given a deleted conversation, then a new one can be opened, but not with the old id.
pub async fn a_deleted_conversation_can_be_opened_anew(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let first = ada.open_own().await.id;
    ada.say(first, "Old").await;
    scene.perform(Action::DeleteConversation { id: first }).await?;
    assert_eq!(refused(&ada.push(&[open(first, None, None)]).await[0]), RefusalCode::ConversationDeleted);
    let second = ada.open_own().await;
    assert_ne!(second.id, first);
    assert_eq!(ada.say(second.id, "New").await.seq.get(), 1);
    Ok(())
}

/// Given a subject, then it has at most 500 characters.
pub async fn a_subject_that_is_too_long_is_refused(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 0).await;
    let (admin, org_id) = (scene.admin().await, scene.world.org_id);
    let open = |characters: usize| {
        let (conversation_id, subject) = (fresh::conversation_id(), Some("é".repeat(characters)));
        admin.push_one(Intent::OpenBroadcast(OpenBroadcast { conversation_id, org_id, subject }))
    };
    assert_eq!(refused(&open(501).await), RefusalCode::SubjectTooLong);
    assert_eq!(opened(&open(500).await).subject, Some("é".repeat(500)));
    Ok(())
}
