//! Whom a message addresses: the message that it replies to, and the people that it mentions.

use super::{
    Action, Backend, Scene, Verdict,
    actor::{mutation, refused, send, sent},
    edit::{one, row},
};
use fieldpost_domain::{
    ConversationId, DeleteMessage, EditMessage, Intent, Mentions, MessageContent, MessageId, Mutation, NewMessage,
    PersonId, RefusalCode, Time,
};

fn replying(draft: NewMessage, to: MessageId) -> Mutation {
    send(NewMessage { reply_to: Some(to), ..draft })
}

fn mentioning(draft: NewMessage, people: impl IntoIterator<Item = PersonId>) -> Mutation {
    send(NewMessage { mentions: people.into_iter().collect(), ..draft })
}

/// Given a message, then whoever sees it can answer it, also when it was deleted, and everybody learns what was answered.
pub async fn a_reply_names_a_message_of_its_conversation(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let (kept, deleted) = (ada.say(own, "one").await.message_id, ada.say(own, "two").await.message_id);
    scene.perform(Action::SoftDelete { id: deleted }).await?;
    let cursor = ada.cursor().await;
    for id in [kept, deleted] {
        sent(&one(&admin, &replying(admin.draft(own, "yes"), id)).await);
    }
    let replies = ada.catch_up(&cursor).await.changes.messages;
    assert_eq!(replies.iter().map(|reply| reply.reply_to).collect::<Vec<_>>(), [Some(kept), Some(deleted)]);
    Ok(())
}

/// Given a message of another conversation, hidden or not, or none, then a reply to it is refused, in the same words.
pub async fn a_reply_to_what_is_not_in_the_conversation_is_refused(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (admin, ada, ben) = (scene.admin().await, scene.medic(0).await, scene.medic(1).await);
    let own = ada.open_own().await.id;
    let hidden = ben.say(ben.open_own().await.id, "hidden").await.message_id;
    let everyone = admin.open_broadcast(scene.world.org_id, "All").await.id;
    let public = admin.say(everyone, "public").await.message_id;
    let nowhere = ada.draft(own, "never sent").id;
    for id in [hidden, public, nowhere] {
        assert_eq!(refused(&one(&ada, &replying(ada.draft(own, "x"), id)).await), RefusalCode::ReplyNotFound);
    }
    assert_eq!(refused(&one(&admin, &replying(admin.draft(own, "x"), hidden)).await), RefusalCode::ReplyNotFound);
    Ok(())
}

/// Given a message and its answer in one batch, then both are stored; without the message its answer is refused.
pub async fn a_message_and_its_answer_go_in_one_batch(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let (first, second) = (ada.draft(own, "one"), ada.draft(own, "two"));
    let outcomes = ada.push(&[send(first.clone()), replying(second.clone(), first.id)]).await;
    outcomes.iter().for_each(|outcome| _ = sent(outcome));
    let page = ada.history(own, None, None).await.expect("she sees it");
    let stored = page.changes.messages.iter().find(|message| message.id == second.id);
    assert_eq!(stored.and_then(|message| message.reply_to), Some(first.id));

    let forbidden = ada.draft(ConversationId::from_uuid(uuid_of(own)), "x");
    let outcomes = ada.push(&[send(forbidden.clone()), replying(ada.draft(own, "y"), forbidden.id)]).await;
    assert_eq!(outcomes.iter().map(refused).collect::<Vec<_>>(), [RefusalCode::NotFound, RefusalCode::ReplyNotFound]);
    Ok(())
}

/// The id of no conversation.
fn uuid_of(conversation: ConversationId) -> uuid::Uuid {
    uuid::Uuid::from_u128(conversation.as_uuid().as_u128() ^ 1)
}

/// Given people who do not see the conversation, then nobody can mention them there, in a message or in an edit; whoever
/// is mentioned already may stay.
pub async fn only_who_sees_the_conversation_can_be_mentioned(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let stranger = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let everyone = admin.open_broadcast(scene.world.org_id, "All").await.id;
    for (place, person) in [(own, ada.id), (own, admin.id), (everyone, ada.id), (everyone, scene.person(1))] {
        sent(&one(&admin, &mentioning(admin.draft(place, "you"), [person])).await);
    }
    for (place, person) in
        [(own, scene.person(1)), (own, stranger.person(0)), (everyone, stranger.world.admin.person_id)]
    {
        let outcome = one(&admin, &mentioning(admin.draft(place, "you"), [ada.id, person])).await;
        assert_eq!(refused(&outcome), RefusalCode::MentionNotAllowed);
    }
    let id = ada.say(own, "one").await.message_id;
    let edit = |mentions: Mentions| {
        let content = MessageContent::new("two").expect("it has a text");
        mutation(Intent::EditMessage(EditMessage { conversation_id: own, message_id: id, content, mentions }))
    };
    assert_eq!(refused(&one(&ada, &edit([scene.person(1)].into())).await), RefusalCode::MentionNotAllowed);
    assert_eq!(row(one(&ada, &edit([admin.id].into())).await).mentions, Mentions::from([admin.id]));
    Ok(())
}

/// Given a message that the server has, when it is resent after somebody whom it mentions has left, then it is a success.
pub async fn a_message_that_was_stored_stays_a_success(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (admin, ben) = (scene.admin().await, scene.medic(1).await);
    let everyone = admin.open_broadcast(scene.world.org_id, "All").await.id;
    let message = mentioning(admin.draft(everyone, "you"), [ben.id]);
    sent(&one(&admin, &message).await);
    scene.perform(Action::RemoveMember { person_id: ben.id }).await?;
    assert_eq!(row(one(&admin, &message).await).mentions, Mentions::from([ben.id]));
    let again = mentioning(admin.draft(everyone, "you"), [ben.id]);
    assert_eq!(refused(&one(&admin, &again).await), RefusalCode::MentionNotAllowed);
    Ok(())
}

/// Given unread messages, then a conversation's row says how many of them mention its reader; deleted and read ones do not
/// count, nor one's own.
pub async fn a_conversation_counts_unread_mentions(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let counts = async || {
        let page = admin.bootstrap().await;
        let row = page.changes.conversations.iter().find(|row| row.id == own).cloned().expect("she sees it");
        (row.unread, row.unread_mentions)
    };
    let first = sent(&one(&ada, &mentioning(ada.draft(own, "one"), [admin.id])).await);
    ada.say(own, "two").await;
    let third = sent(&one(&ada, &mentioning(ada.draft(own, "three"), [admin.id, ada.id])).await);
    sent(&one(&admin, &mentioning(admin.draft(own, "mine"), [admin.id])).await);
    assert_eq!(counts().await, (3, 2));
    let deletion = DeleteMessage { conversation_id: own, message_id: third.message_id, deleted_at: Time::UNIX_EPOCH };
    one(&ada, &mutation(Intent::DeleteMessage(deletion))).await;
    assert_eq!(counts().await, (2, 1));
    admin.mark(own, first.seq.get()).await;
    assert_eq!(counts().await, (1, 0));
    Ok(())
}
