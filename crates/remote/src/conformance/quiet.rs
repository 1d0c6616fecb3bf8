//! Pushes with a cursor: the answer is quiet if a pull would bring nothing that the results do not hold.

use super::{
    Action, Actor, Backend, Scene, Unsupported, Verdict,
    actor::{already_sent, ids, mutation, send, sent},
};
use fieldpost_domain::{
    Acknowledgement, Capability, ConversationId, Cursor, Intent, MarkRead, Mutation, OpenDirect, PushOutcome, Seq,
    SetConversation, Settings, SettingsChange,
};

/// Whether the server can answer quietly.
async fn speaks(who: &Actor<'_>) -> Verdict {
    let server = who.bootstrap().await.server;
    if server.capabilities.contains(&Capability::QuietPush) { Ok(()) } else { Err(Unsupported("quiet pushes")) }
}

/// Pushes with a cursor; the new one if the answer is quiet.
async fn since(who: &Actor<'_>, batch: &[Mutation], cursor: &Cursor) -> (Vec<PushOutcome>, Option<Cursor>) {
    who.push_since(batch, Some(cursor)).await
}

fn read(conversation_id: ConversationId, seq: u64) -> Mutation {
    mutation(Intent::MarkRead(MarkRead { conversation_id, read_seq: Seq::new(seq) }))
}

fn set(conversation_id: ConversationId, change: SettingsChange) -> Mutation {
    mutation(Intent::SetConversation(SetConversation { conversation_id, change }))
}

/// Given a device that is up to date, when it sends a message, then nothing is left to pull: not now, and not what it sent.
pub async fn a_message_of_ones_own_is_no_news(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    speaks(&ada).await?;
    let own = ada.open_own().await.id;
    let cursor = ada.cursor().await;
    let first = [send(ada.draft(own, "On my way")), send(ada.draft(own, "Ten minutes"))];
    let (_, quiet) = since(&ada, &first, &cursor).await;
    let cursor = quiet.expect("nobody else has written");
    assert!(ada.catch_up(&cursor).await.changes.is_empty());
    let (_, quiet) = since(&ada, &[send(ada.draft(own, "Here"))], &cursor).await;
    let cursor = quiet.expect("one push may follow another");
    let theirs = admin.say(own, "Thank you").await;
    assert_eq!(ids(&ada.catch_up(&cursor).await.changes.messages), [theirs.message_id]);
    Ok(())
}

/// Given news of somebody else, when the device pushes, then the answer is not quiet, and its old cursor brings them.
pub async fn what_others_did_is_news(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    speaks(&ada).await?;
    let own = ada.open_own().await.id;
    let first = ada.say(own, "On my way").await;
    let cursor = ada.cursor().await;
    let theirs = admin.say(own, "North gate").await;
    let (outcomes, quiet) = since(&ada, &[send(ada.draft(own, "Here"))], &cursor).await;
    assert_eq!(quiet, None, "a message of somebody else");
    assert_eq!(
        ids(&ada.catch_up(&cursor).await.changes.messages),
        [theirs.message_id, sent(&outcomes[0]).message_id],
        "both are there to be pulled"
    );
    let cursor = ada.cursor().await;
    admin.mark(own, first.seq.get()).await;
    assert_eq!(since(&ada, &[send(ada.draft(own, "Hello?"))], &cursor).await.1, None, "a receipt");
    let cursor = ada.cursor().await;
    scene.perform(Action::EditMessage { id: theirs.message_id, content: "South gate".to_owned() }).await?;
    assert_eq!(since(&ada, &[send(ada.draft(own, "Hello?"))], &cursor).await.1, None, "an edit");
    Ok(())
}

/// Given a medic, when something happens that she may not see, then it is no news to her.
pub async fn what_one_may_not_see_is_no_news(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    speaks(&ada).await?;
    let (own, other) = (ada.open_own().await.id, ben.open_own().await.id);
    let cursor = ada.cursor().await;
    ben.say(other, "Not for Ada").await;
    let (_, quiet) = since(&ada, &[send(ada.draft(own, "On my way"))], &cursor).await;
    assert!(quiet.is_some());
    Ok(())
}

/// Given two devices of one person, when one has written, then that is news to the other one.
pub async fn what_another_device_did_is_news(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (phone, tablet) = (scene.medic(0).await, scene.medic(0).await);
    speaks(&phone).await?;
    let own = phone.open_own().await.id;
    let cursor = tablet.cursor().await;
    let first = phone.say(own, "From the phone").await;
    let (_, quiet) = since(&tablet, &[send(tablet.draft(own, "From the tablet"))], &cursor).await;
    assert_eq!(quiet, None);
    assert!(ids(&tablet.catch_up(&cursor).await.changes.messages).contains(&first.message_id));
    Ok(())
}

/// Given a lost answer, when the push is repeated, then its results hold what the first one stored, and it is quiet.
pub async fn a_repeated_push_is_quiet(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    speaks(&ada).await?;
    let own = ada.open_own().await.id;
    let cursor = ada.cursor().await;
    let batch = [send(ada.draft(own, "On my way"))];
    let lost = sent(&since(&ada, &batch, &cursor).await.0[0]);
    let (outcomes, quiet) = since(&ada, &batch, &cursor).await;
    assert_eq!(already_sent(&outcomes[0]).id, lost.message_id);
    assert!(ada.catch_up(&quiet.expect("the row is in the result")).await.changes.is_empty());
    Ok(())
}

/// Given a cursor that no pull accepts, or none, then the push is carried out as ever, and is not quiet.
pub async fn a_cursor_that_has_expired_is_not_quiet(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    speaks(&ada).await?;
    let own = ada.open_own().await.id;
    let old = ada.cursor().await.as_str().replacen(|digit: char| digit.is_ascii_digit(), "9", 12);
    for cursor in ["nonsense", &old] {
        let cursor = Cursor::new(cursor).expect("a text that can be a cursor");
        let (outcomes, quiet) = since(&ada, &[send(ada.draft(own, "Hello"))], &cursor).await;
        sent(&outcomes[0]);
        assert_eq!(quiet, None);
    }
    assert_eq!(ada.push_since(&[send(ada.draft(own, "Hello"))], None).await.1, None, "nobody asked");
    ben.open_own().await;
    let cursor = ben.cursor().await;
    scene.perform(Action::ChangeRole { person_id: ben.id, role: fieldpost_domain::Role::OrgAdmin }).await?;
    let (_, quiet) = since(&ben, &[send(ben.draft(own, "Now I may"))], &cursor).await;
    assert_eq!(quiet, None, "the access has changed");
    Ok(())
}

/// Given the middle of a pass, then a push from there is not quiet: the rest of the pass is still to come.
pub async fn the_middle_of_a_pass_is_not_quiet(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    speaks(&ada).await?;
    let own = ada.open_own().await.id;
    let cursor = ada.cursor().await;
    admin.say_all(own, &["1", "2", "3"]).await;
    let middle = ada.pull(&cursor, Some(1)).await.expect("a page");
    assert!(middle.more);
    let (_, quiet) = since(&ada, &[send(ada.draft(own, "Hello"))], &middle.cursor).await;
    assert_eq!(quiet, None);
    Ok(())
}

/// Given a push of which something was refused, or that opens a conversation, then a pull follows.
pub async fn a_refusal_and_an_opening_are_not_quiet(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    speaks(&ada).await?;
    let own = ada.open_own().await.id;
    let cursor = ada.cursor().await;
    let batch = [send(ada.draft(own, "Hello")), send(ada.draft(super::fresh::conversation_id(), "To nobody"))];
    assert_eq!(since(&ada, &batch, &cursor).await.1, None, "a refusal");
    let cursor = admin.cursor().await;
    let conversation_id = super::fresh::conversation_id();
    let open = OpenDirect { conversation_id, medic_id: Some(scene.medic_id(1)), org_id: Some(scene.world.org_id) };
    assert_eq!(since(&admin, &[mutation(Intent::OpenDirect(open))], &cursor).await.1, None, "an opening");
    Ok(())
}

/// Given messages of somebody else, when a person reads all of them, then that is quiet. When some stay unread, it is not:
/// the server counts them.
pub async fn whoever_has_read_all_is_quiet(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    speaks(&ada).await?;
    let own = ada.open_own().await.id;
    admin.say_all(own, &["1", "2", "3"]).await;
    let cursor = ada.cursor().await;
    assert_eq!(since(&ada, &[read(own, 2)], &cursor).await.1, None, "one is unread");
    let cursor = ada.cursor().await;
    let (_, quiet) = since(&ada, &[send(ada.draft(own, "I see")), read(own, 3)], &cursor).await;
    assert!(ada.catch_up(&quiet.expect("what is above the marker is her own")).await.changes.is_empty());
    Ok(())
}

/// Given settings of a conversation, when a push changes them, then that is quiet if it says so itself. What a read mark
/// takes back is in no result.
pub async fn settings_are_quiet_where_the_results_tell_of_them(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    speaks(&ada).await?;
    let own = ada.open_own().await.id;
    admin.say_all(own, &["1", "2"]).await;
    ada.mark(own, 1).await;
    assert_eq!(
        since(&ada, &[set(own, SettingsChange::mark_unread(Some(Seq::new(1))))], &ada.cursor().await).await.1,
        None
    );
    let cursor = ada.cursor().await;
    assert_eq!(since(&ada, &[read(own, 2)], &cursor).await.1, None, "it is no longer marked as unread");
    assert_eq!(ada.catch_up(&cursor).await.changes.settings.len(), 1);
    let cursor = ada.cursor().await;
    let (outcomes, quiet) = since(&ada, &[set(own, SettingsChange::mute(Some(Settings::FOREVER)))], &cursor).await;
    assert!(matches!(&outcomes[0], PushOutcome::Acknowledged(Acknowledgement::Set(_))));
    assert!(ada.catch_up(&quiet.expect("all is read")).await.changes.is_empty());
    Ok(())
}
