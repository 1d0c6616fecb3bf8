//! Reactions: rows of their own, one for each person, message and emoji.

use super::{
    Action, Actor, Backend, Scene, Verdict,
    actor::{mutation, refused},
    edit::one,
};
use fieldpost_domain::{
    Acknowledgement, Changes, ConversationId, DeleteMessage, Emoji, Intent, MessageId, Mutation, PersonId, PushOutcome,
    React, ReactedBy, Reaction, RefusalCode, Time,
};
use std::collections::{BTreeMap, BTreeSet};

fn react(conversation_id: ConversationId, message_id: MessageId, emoji: &str, removed: bool) -> Mutation {
    let emoji = Emoji::new(emoji).expect("an emoji");
    mutation(Intent::React(React { conversation_id, message_id, emoji, removed }))
}

/// The rows of an acknowledged reaction.
fn rows(outcome: PushOutcome) -> Vec<Reaction> {
    match outcome {
        PushOutcome::Acknowledged(Acknowledgement::Reacted(rows)) => rows,
        other => panic!("expected a reaction, got {other:?}"),
    }
}

/// How many of each emoji a message has by these rows, and who is known to have reacted.
type Shown = BTreeMap<String, (u64, BTreeSet<PersonId>)>;

/// What a device shows: the newest version of each row.
fn shown(changes: &Changes, message: MessageId) -> Shown {
    let mut newest: BTreeMap<(&Emoji, Option<PersonId>), &Reaction> = BTreeMap::new();
    for row in changes.reactions.iter().filter(|row| row.message_id == message) {
        let known = newest.entry((&row.emoji, row.by.person())).or_insert(row);
        if row.version > known.version {
            *known = row;
        }
    }
    let mut shown = Shown::new();
    for row in newest.into_values() {
        let (total, people) = shown.entry(row.emoji.as_str().to_owned()).or_default();
        match row.by {
            ReactedBy::Person { id, removed: false } => drop(people.insert(id)),
            ReactedBy::Person { .. } => {}
            ReactedBy::All { count } => *total = count,
        }
    }
    for (total, people) in shown.values_mut() {
        *total = (*total).max(people.len() as u64);
    }
    shown.retain(|_, (total, _)| *total > 0);
    shown
}

fn people(people: &[&Actor<'_>]) -> (u64, BTreeSet<PersonId>) {
    (people.len() as u64, people.iter().map(|person| person.id).collect())
}

/// Given a message, when people react and one takes it back, then everybody gets the rows, and the message does not change.
pub async fn a_reaction_reaches_everybody_as_a_row_of_its_own(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let id = ada.say(own, "Hall A").await.message_id;
    let cursor = ada.cursor().await;
    let row = rows(one(&ada, &react(own, id, "👍", false)).await).remove(0);
    assert_eq!((row.message_id, row.conversation_id, row.by.person()), (id, own, Some(ada.id)));
    one(&admin, &react(own, id, "👍", false)).await;
    one(&admin, &react(own, id, "🎉", false)).await;
    let caught = ada.catch_up(&cursor).await;
    let all = Shown::from([("👍".to_owned(), people(&[&ada, &admin])), ("🎉".to_owned(), people(&[&admin]))]);
    assert_eq!(shown(&caught.changes, id), all);
    assert_eq!(caught.changes.messages, [], "the message itself is as it was");
    one(&ada, &react(own, id, "👍", true)).await;
    let later = ada.catch_up(&caught.cursor).await;
    let taken = later.changes.reactions.iter().any(|row| row.by == ReactedBy::Person { id: ada.id, removed: true });
    assert!(taken, "a reaction that was taken back is a row too: {:?}", later.changes.reactions);
    Ok(())
}

/// Given a reaction whose response was lost, when it is resent, then it succeeds and nothing changes.
pub async fn a_reaction_sent_again_changes_nothing(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let id = ada.say(own, "one").await.message_id;
    for removed in [false, true] {
        let change = react(own, id, "👍", removed);
        let first = rows(one(&ada, &change).await);
        assert_eq!(rows(one(&ada, &change).await), first);
        let on_another_device = react(own, id, "👍", removed);
        assert_eq!(rows(one(&ada, &on_another_device).await), first, "a person counts once");
    }
    Ok(())
}

/// Given messages with reactions, then a first load and history bring them, also those that were taken back.
pub async fn a_first_load_and_history_bring_reactions(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let id = ada.say(own, "one").await.message_id;
    for (who, emoji, removed) in [(&ada, "👍", false), (&ada, "👍", true), (&admin, "👍", false), (&ada, "🎉", false)]
    {
        one(who, &react(own, id, emoji, removed)).await;
    }
    let expected = Shown::from([("👍".to_owned(), people(&[&admin])), ("🎉".to_owned(), people(&[&ada]))]);
    let page = ada.history(own, None, None).await.expect("she sees it");
    for changes in [page.changes, ada.bootstrap().await.changes] {
        assert_eq!(shown(&changes, id), expected);
        assert_eq!(changes.reactions.iter().filter(|row| row.message_id == id).count(), 3);
    }
    Ok(())
}

/// Given a broadcast, then a medic reacts although she may not write; she learns how many do, and not who.
pub async fn a_medic_does_not_learn_who_reacts_to_a_broadcast(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 3).await;
    let admin = scene.admin().await;
    let (ada, ben, cleo) = (scene.medic(0).await, scene.medic(1).await, scene.medic(2).await);
    let everyone = admin.open_broadcast(scene.world.org_id, "All").await.id;
    let id = admin.say(everyone, "to all").await.message_id;
    let (by_admin, by_ben) = (admin.cursor().await, ben.cursor().await);
    for medic in [&ada, &ben, &cleo] {
        one(medic, &react(everyone, id, "👍", false)).await;
    }
    let mine = rows(one(&cleo, &react(everyone, id, "👍", true)).await);
    assert!(mine.iter().any(|row| row.by == ReactedBy::All { count: 2 }), "the answer has the number: {mine:?}");
    let told = [
        ben.catch_up(&by_ben).await.changes,
        ben.bootstrap().await.changes,
        ben.history(everyone, None, None).await.expect("she sees it").changes,
    ];
    for changes in told {
        assert_eq!(shown(&changes, id), Shown::from([("👍".to_owned(), (2, [ben.id].into()))]));
        assert!(changes.reactions.iter().all(|row| row.by.person().is_none_or(|person| person == ben.id)));
    }
    let all = admin.catch_up(&by_admin).await.changes;
    assert_eq!(shown(&all, id), Shown::from([("👍".to_owned(), people(&[&ada, &ben]))]), "an admin sees who");
    Ok(())
}

/// Given a message that is deleted or out of sight, then nobody reacts to it; a deleted one has no reactions left.
pub async fn only_a_message_in_sight_takes_reactions(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    let (own, other) = (ada.open_own().await.id, ben.open_own().await.id);
    let (hers, theirs) = (ada.say(own, "hers").await.message_id, ben.say(other, "theirs").await.message_id);
    let gone = ada.say(own, "gone").await.message_id;
    for (place, id) in [(other, theirs), (own, theirs), (own, super::fresh::message_id())] {
        assert_eq!(refused(&one(&ada, &react(place, id, "👍", false)).await), RefusalCode::NotFound);
    }
    one(&ada, &react(own, hers, "👍", false)).await;
    let cursor = ada.cursor().await;
    let deletion = DeleteMessage { conversation_id: own, message_id: hers, deleted_at: Time::UNIX_EPOCH };
    one(&ada, &mutation(Intent::DeleteMessage(deletion))).await;
    scene.perform(Action::HardDelete { id: gone }).await?;
    for id in [hers, gone] {
        assert_eq!(refused(&one(&ada, &react(own, id, "👍", false)).await), RefusalCode::MessageDeleted);
    }
    assert_eq!(ada.bootstrap().await.changes.reactions, []);
    assert_eq!(ada.catch_up(&cursor).await.changes.reactions, []);
    Ok(())
}

/// Given twenty reactions of one person to a message, then another one is refused; one that replaces a taken one is not.
pub async fn a_message_takes_twenty_reactions_of_one_person(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let id = ada.say(own, "one").await.message_id;
    let emoji = |n: u32| char::from_u32(0x1f600 + n).expect("an emoji").to_string();
    let batch: Vec<_> = (0..21).map(|n| react(own, id, &emoji(n), false)).collect();
    let outcomes = ada.push(&batch).await;
    assert_eq!(refused(&outcomes[20]), RefusalCode::TooManyReactions);
    assert!(outcomes[..20].iter().all(|outcome| matches!(outcome, PushOutcome::Acknowledged(_))), "{outcomes:?}");
    one(&ada, &react(own, id, &emoji(3), true)).await;
    rows(one(&ada, &react(own, id, &emoji(20), false)).await);
    Ok(())
}

/// Given another client that writes reactions itself, then devices get them like any other.
pub async fn a_stranger_reacts_by_the_table(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let id = ada.say(own, "one").await.message_id;
    let cursor = ada.cursor().await;
    let person_id = admin.id;
    scene.perform(Action::React { id, person_id, emoji: "👍".to_owned(), removed: false }).await?;
    let caught = ada.catch_up(&cursor).await;
    assert_eq!(shown(&caught.changes, id), Shown::from([("👍".to_owned(), people(&[&admin]))]));
    scene.perform(Action::React { id, person_id, emoji: "👍".to_owned(), removed: true }).await?;
    let later = ada.catch_up(&caught.cursor).await;
    assert_eq!(shown(&later.changes, id), Shown::new());
    Ok(())
}
