//! Live hints: who hears of what. That something is *not* heard shows in what is heard next.

use super::{Action, Actor, Backend, Scene, Unsupported, Verdict, actor::send};
use crate::{LiveConnection, LiveEvent, RemoteErrorKind, Topic};
use fieldpost_domain::{Intent, MarkDelivered, PushTag, Seq, SetConversation, SettingsChange};
use std::{collections::BTreeSet, time::Duration};

/// How long to wait for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A device that listens.
struct Listener(Box<dyn LiveConnection>);

impl Listener {
    /// Connects and joins; returns when the server is able to send hints.
    async fn of(backend: &dyn Backend, who: &Actor<'_>, topics: &[Topic]) -> Result<Self, Unsupported> {
        let live = backend.live().ok_or(Unsupported("send live hints"))?;
        let mut listener = Self(live.connect(who.token()).await.expect("the server has live hints"));
        for topic in topics {
            listener.0.join(*topic, who.token()).await.expect("the connection is open");
        }
        let mut awaited: BTreeSet<_> = topics.iter().copied().collect();
        while !awaited.is_empty() {
            match listener.next().await {
                LiveEvent::Ready(topic) | LiveEvent::Joined(topic @ Topic::Typing(_)) => drop(awaited.remove(&topic)),
                LiveEvent::Left(topic, error) => panic!("{topic} was refused: {error}"),
                _ => {}
            }
        }
        Ok(listener)
    }

    async fn next(&mut self) -> LiveEvent {
        let next = tokio::time::timeout(PATIENCE, self.0.next()).await;
        next.expect("something comes").expect("the connection stays open")
    }

    /// The topic of the next hint.
    async fn hint(&mut self) -> Topic {
        self.tagged_hint().await.0
    }

    /// The next hint, and which push caused it.
    async fn tagged_hint(&mut self) -> (Topic, Option<PushTag>) {
        loop {
            if let LiveEvent::Hint(topic, push) = self.next().await {
                return (topic, push);
            }
        }
    }

    /// Why the server lets nobody in, or none if it does.
    async fn join(&mut self, topic: Topic, who: &Actor<'_>) -> Option<RemoteErrorKind> {
        self.0.join(topic, who.token()).await.expect("the connection is open");
        loop {
            match self.next().await {
                LiveEvent::Joined(joined) if joined == topic => return None,
                LiveEvent::Left(left, error) if left == topic => return Some(error.kind()),
                _ => {}
            }
        }
    }
}

/// Given three people who listen, when a medic writes to the admins, then the admins and she hear of it, and another medic does
/// not.
pub async fn a_direct_message_hints_those_who_see_it(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (admin, ada, ben) = (scene.admin().await, scene.medic(0).await, scene.medic(1).await);
    let (org, own) = (scene.world.org_id, ada.open_own().await.id);
    let all = admin.open_broadcast(org, "All").await.id;
    let mut of_admins = Listener::of(backend, &admin, &[Topic::Admins(org)]).await?;
    let mut of_ada = Listener::of(backend, &ada, &[Topic::Person(ada.id), Topic::Org(org)]).await?;
    let mut of_ben = Listener::of(backend, &ben, &[Topic::Person(ben.id), Topic::Org(org)]).await?;
    ada.say(own, "One patient").await;
    assert_eq!(of_admins.hint().await, Topic::Admins(org));
    assert_eq!(of_ada.hint().await, Topic::Person(ada.id));
    admin.say(all, "To everybody").await;
    assert_eq!(of_ben.hint().await, Topic::Org(org), "nothing came before");
    Ok(())
}

/// When somebody who writes to the tables herself inserts a message, then devices hear of it as well.
pub async fn a_strangers_message_hints_too(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let mut of_ada = Listener::of(backend, &ada, &[Topic::Person(ada.id)]).await?;
    scene.stranger_writes(admin.id, own, "from the web").await?;
    assert_eq!(of_ada.hint().await, Topic::Person(ada.id));
    Ok(())
}

/// A hint names the push that caused it by the tag of its first mutation, on every topic; what no push caused has no tag.
pub async fn a_hint_carries_the_tag_of_its_push(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let (org, own) = (scene.world.org_id, ada.open_own().await.id);
    let mut of_admin = Listener::of(backend, &admin, &[Topic::Admins(org)]).await?;
    let mut of_ada = Listener::of(backend, &ada, &[Topic::Person(ada.id)]).await?;
    let batch = [send(ada.draft(own, "One")), send(ada.draft(own, "Two"))];
    ada.push(&batch).await;
    let tag = Some(PushTag::of(batch[0].id));
    assert_eq!(of_ada.tagged_hint().await, (Topic::Person(ada.id), tag));
    assert_eq!(of_admin.tagged_hint().await, (Topic::Admins(org), tag));
    scene.stranger_writes(admin.id, own, "from the web").await?;
    assert_eq!(of_ada.tagged_hint().await, (Topic::Person(ada.id), None));
    Ok(())
}

/// What has arrived at an admin's device concerns the medic; what has arrived at the medic's concerns the admins.
pub async fn what_has_arrived_hints_the_other_side(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let (org, own) = (scene.world.org_id, ada.open_own().await.id);
    let all = admin.open_broadcast(org, "All").await.id;
    ada.say(own, "One").await;
    admin.say(own, "Two").await;
    let mut of_admin = Listener::of(backend, &admin, &[Topic::Admins(org), Topic::Org(org)]).await?;
    let mut of_ada = Listener::of(backend, &ada, &[Topic::Person(ada.id)]).await?;
    for delivered_seq in [1, 2].map(Seq::new) {
        let arrived = MarkDelivered { conversation_id: own, delivered_seq };
        admin.push_one(Intent::MarkDelivered(arrived)).await;
        assert_eq!(of_ada.hint().await, Topic::Person(ada.id), "the first, and a later one");
    }
    admin.say(all, "Three").await;
    assert_eq!(of_admin.hint().await, Topic::Org(org), "nothing of what has arrived at an admin's");
    ada.push_one(Intent::MarkDelivered(MarkDelivered { conversation_id: own, delivered_seq: Seq::new(2) })).await;
    assert_eq!(of_admin.hint().await, Topic::Admins(org));
    Ok(())
}

/// Nobody joins what does not concern her, and the connection stays usable.
pub async fn strangers_may_not_join(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let elsewhere = Scene::with_medics(backend, 1).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    let (org, own) = (scene.world.org_id, ada.open_own().await.id);
    let other = elsewhere.medic(0).await;
    let mut of_ben = Listener::of(backend, &ben, &[Topic::Org(org)]).await?;
    for topic in [
        Topic::Person(ada.id),
        Topic::Admins(org),
        Topic::Typing(own),
        Topic::Org(elsewhere.world.org_id),
        Topic::Person(other.id),
    ] {
        assert_eq!(of_ben.join(topic, &ben).await, Some(RemoteErrorKind::Forbidden), "{topic}");
    }
    assert_eq!(of_ben.join(Topic::Person(ben.id), &ben).await, None);
    assert_eq!(of_ben.join(Topic::Org(org), &ben).await, None, "once more");
    Ok(())
}

/// An expired token joins nothing; with a new one the same connection does.
pub async fn an_expired_token_joins_nothing(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let mut of_ada = Listener::of(backend, &ada, &[]).await?;
    scene.perform(Action::ExpireTokens { person_id: ada.id }).await?;
    assert_eq!(of_ada.join(Topic::Person(ada.id), &ada).await, Some(RemoteErrorKind::Unauthorized));
    let again = scene.medic(0).await;
    assert_eq!(of_ada.join(Topic::Person(ada.id), &again).await, None);
    Ok(())
}

/// What a device has left says nothing any more.
pub async fn a_topic_that_is_left_is_silent(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let (org, own) = (scene.world.org_id, ada.open_own().await.id);
    let all = admin.open_broadcast(org, "All").await.id;
    let mut of_ada = Listener::of(backend, &ada, &[Topic::Person(ada.id), Topic::Org(org)]).await?;
    of_ada.0.leave(Topic::Person(ada.id)).await.expect("the connection is open");
    admin.say(own, "Unheard").await;
    admin.say(all, "Heard").await;
    assert_eq!(of_ada.hint().await, Topic::Org(org));
    Ok(())
}

/// A person's other devices hear of what she sets.
pub async fn what_she_sets_hints_her_other_devices(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let mut elsewhere = Listener::of(backend, &admin, &[Topic::Person(admin.id)]).await?;
    let change = SettingsChange::archive(None).then(SettingsChange::pin(Some(super::actor::composed_at())));
    let set = Intent::SetConversation(SetConversation { conversation_id: own, change });
    admin.push_one(set).await;
    assert_eq!(elsewhere.hint().await, Topic::Person(admin.id));
    Ok(())
}

/// When a person loses a conversation, then her devices hear of it, so that it leaves them at once.
pub async fn a_loss_of_access_hints_her_who_loses_it(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    let id = ada.open_own().await.id;
    let mut of_ada = Listener::of(backend, &ada, &[Topic::Person(ada.id)]).await?;
    let mut of_ben = Listener::of(backend, &ben, &[Topic::Person(ben.id)]).await?;
    scene.perform(Action::ReassignMedic { id, medic_id: scene.medic_id(1) }).await?;
    assert_eq!(of_ada.hint().await, Topic::Person(ada.id));
    assert_eq!(of_ben.hint().await, Topic::Person(ben.id));
    Ok(())
}

/// Who has read what concerns those who are in the conversation; how far a broadcast has been delivered, nobody is told.
pub async fn markers_hint_those_who_see_them(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let (org, own) = (scene.world.org_id, ada.open_own().await.id);
    let all = admin.open_broadcast(org, "All").await.id;
    admin.say_all(all, &["One", "Two"]).await;
    ada.say(own, "Three").await;
    let topics = [Topic::Person(admin.id), Topic::Admins(org), Topic::Org(org)];
    let mut of_admin = Listener::of(backend, &admin, &topics).await?;
    admin.mark(own, 1).await;
    assert_eq!(of_admin.hint().await, Topic::Admins(org));
    ada.mark(all, 1).await;
    assert_eq!(of_admin.hint().await, Topic::Admins(org), "nothing else of the first mark");
    let arrived = MarkDelivered { conversation_id: all, delivered_seq: Seq::new(2) };
    ada.push_one(Intent::MarkDelivered(arrived)).await;
    admin.say(all, "Four").await;
    assert_eq!(of_admin.hint().await, Topic::Org(org), "nothing of what has arrived");
    Ok(())
}

/// Who writes shows to those who are in the conversation with her, and not to her.
pub async fn typing_shows_to_the_others(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let mut of_admin = Listener::of(backend, &admin, &[Topic::Typing(own)]).await?;
    let mut of_ada = Listener::of(backend, &ada, &[Topic::Typing(own)]).await?;
    of_ada.0.type_in(own, ada.id).await.expect("the connection is open");
    loop {
        if let LiveEvent::Typing { conversation_id, person_id } = of_admin.next().await {
            assert_eq!((conversation_id, person_id), (own, ada.id));
            break;
        }
    }
    of_ada.0.heartbeat().await.expect("the connection is open");
    loop {
        match of_ada.next().await {
            LiveEvent::Alive => return Ok(()),
            LiveEvent::Typing { .. } => panic!("she sees herself write"),
            _ => {}
        }
    }
}

/// In a broadcast only admins write, so only they are shown as writing.
pub async fn a_reader_of_a_broadcast_is_not_writing(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let all = admin.open_broadcast(scene.world.org_id, "All").await.id;
    let mut elsewhere = Listener::of(backend, &scene.admin().await, &[Topic::Typing(all)]).await?;
    let mut of_admin = Listener::of(backend, &admin, &[Topic::Typing(all)]).await?;
    let mut of_ada = Listener::of(backend, &ada, &[Topic::Typing(all)]).await?;
    of_ada.0.type_in(all, ada.id).await.expect("the connection is open");
    of_ada.0.heartbeat().await.expect("the connection is open");
    while !matches!(of_ada.next().await, LiveEvent::Alive) {}
    of_admin.0.type_in(all, admin.id).await.expect("the connection is open");
    loop {
        if let LiveEvent::Typing { person_id, .. } = elsewhere.next().await {
            assert_eq!(person_id, admin.id);
            return Ok(());
        }
    }
}

/// A heartbeat is answered.
pub async fn a_heartbeat_is_answered(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let mut of_ada = Listener::of(backend, &ada, &[Topic::Person(ada.id)]).await?;
    for _ in 0..3 {
        of_ada.0.heartbeat().await.expect("the connection is open");
        while !matches!(of_ada.next().await, LiveEvent::Alive) {}
    }
    Ok(())
}
