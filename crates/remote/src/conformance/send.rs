//! Sending messages.

use super::{
    Action, Backend, Scene, Verdict,
    actor::{already_sent, composed_at, failure, ids, refused, send, sent, seqs},
    fresh,
};
use crate::{PushRequest, RemoteErrorKind};
use chrono::{TimeDelta, TimeZone, Utc};
use fieldpost_domain::{
    Acknowledgement, Intent, MarkRead, MessageKind, Metadata, Mutation, NewMessage, PushOutcome, RefusalCode, Seq,
    TombstoneOf,
    metadata::{METADATA_DEPTH, METADATA_LIMIT},
};
use serde_json::{Map, Value, json};

/// Given an open conversation, when a message is sent, then the response has what the client does not know yet.
pub async fn an_applied_message_is_acknowledged(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let message = ada.draft(own, "Hello");
    let ack = sent(&ada.push(&[send(message.clone())]).await[0]);
    assert_eq!((ack.message_id, ack.conversation_id, ack.seq), (message.id, own, Seq::new(1)));
    let row = ada.history(own, None, None).await.expect("history").changes.messages.remove(0);
    assert_eq!((row.created_at, row.version), (ack.created_at, ack.version));
    Ok(())
}

/// Given a batch for two conversations, then each numbers its messages in the order of the batch.
pub async fn seq_follows_the_order_of_the_batch(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let admin = scene.admin().await;
    let org = scene.world.org_id;
    let (a, b) = (admin.open_with(scene.medic_id(0), org).await.id, admin.open_with(scene.medic_id(1), org).await.id);
    let batch: Vec<_> = (0..12).map(|n| send(admin.draft(if n % 3 == 0 { b } else { a }, &format!("{n}")))).collect();
    let acks: Vec<_> = admin.push(&batch).await.iter().map(sent).collect();
    for conversation in [a, b] {
        let of_it = acks.iter().filter(|ack| ack.conversation_id == conversation);
        let numbers: Vec<_> = of_it.map(|ack| ack.seq.get()).collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    }
    Ok(())
}

/// Given a message whose response was lost, when it is resent, then there is still one, and its row comes back.
pub async fn sending_again_is_a_duplicate_with_the_stored_row(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let message = ada.draft(own, "Only once");
    let ack = sent(&ada.push(&[send(message.clone())]).await[0]);
    for _ in 0..2 {
        let row = already_sent(&ada.push(&[send(message.clone())]).await[0]);
        assert_eq!((row.id, row.seq, row.version), (message.id, ack.seq, ack.version));
        assert_eq!((row.content.as_deref(), row.sender_id), (Some("Only once"), ada.id));
    }
    assert_eq!(seqs(&ada.history(own, None, None).await.expect("history").changes.messages), [1]);
    Ok(())
}

/// Given a lost response, when the batch is resent with more behind it, then the new messages follow the old ones.
pub async fn a_longer_retry_keeps_the_order(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let batch: Vec<_> = (1..=5).map(|number| send(ada.draft(own, &format!("{number}")))).collect();
    ada.push(&batch[..3]).await;
    let outcomes = ada.push(&batch).await;
    let first: Vec<_> = outcomes[..3].iter().map(|outcome| already_sent(outcome).seq.get()).collect();
    let then: Vec<_> = outcomes[3..].iter().map(|outcome| sent(outcome).seq.get()).collect();
    assert_eq!((first, then), (vec![1, 2, 3], vec![4, 5]));
    Ok(())
}

/// Given messages that an older version of the app sent before the update, when they are resent, then the server's rows
/// come back with their own ids, and the rest of the batch is unaffected.
pub async fn what_an_older_app_sent_is_a_duplicate_under_the_servers_id(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let messages = ["1", "2", "3"].map(|text| ada.draft(own, text));
    let stored = [scene.older_app_sends(&messages[0]).await?, scene.older_app_sends(&messages[1]).await?];
    let batch = messages.clone().map(send);
    for attempt in 1..=2 {
        let outcomes = ada.push(&batch).await;
        let rows = [already_sent(&outcomes[0]), already_sent(&outcomes[1])];
        assert_eq!(rows.each_ref().map(|row| row.id), stored);
        assert_eq!(
            rows.each_ref().map(|row| (row.seq.get(), row.content.as_deref())),
            [(1, Some("1")), (2, Some("2"))]
        );
        match attempt {
            1 => assert_eq!(sent(&outcomes[2]).seq, Seq::new(3)),
            _ => assert_eq!(already_sent(&outcomes[2]).id, messages[2].id),
        }
    }
    let expected = [stored[0], stored[1], messages[2].id];
    assert_eq!(ids(&ada.history(own, None, None).await.expect("history").changes.messages), expected);
    Ok(())
}

/// Given the key of somebody else's message, or of one in another conversation, then it matches nothing.
pub async fn the_key_of_an_older_app_counts_for_its_sender_and_conversation_only(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    let elsewhere = admin.open_with(scene.medic_id(1), scene.world.org_id).await.id;
    let (hers, his) = (ada.draft(own, "Hers"), admin.draft(elsewhere, "His"));
    scene.older_app_sends(&hers).await?;
    scene.older_app_sends(&his).await?;
    for key in [hers.id, his.id] {
        let mut message = admin.draft(own, "New");
        message.id = key;
        assert_eq!(sent(&admin.push(&[send(message)]).await[0]).message_id, key);
    }
    assert_eq!(seqs(&admin.history(own, None, None).await.expect("history").changes.messages), [1, 2, 3]);
    Ok(())
}

/// Given somebody's message in the same conversation, when another person sends with its id, then the send is refused.
pub async fn the_id_of_somebody_elses_message_is_taken(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    let mut message = ada.draft(own, "Hers");
    ada.push(&[send(message.clone())]).await;
    message.sender_id = admin.id;
    assert_eq!(refused(&admin.push(&[send(message)]).await[0]), RefusalCode::IdTaken);
    Ok(())
}

/// Given a message, when its sender uses the id in another conversation, then the send is refused.
pub async fn an_id_used_in_another_conversation_is_taken(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let admin = scene.admin().await;
    let org = scene.world.org_id;
    let (a, b) = (admin.open_with(scene.medic_id(0), org).await.id, admin.open_with(scene.medic_id(1), org).await.id);
    let mut message = admin.draft(a, "Here");
    admin.push(&[send(message.clone())]).await;
    message.conversation_id = b;
    assert_eq!(refused(&admin.push(&[send(message)]).await[0]), RefusalCode::IdTaken);
    assert_eq!(admin.history(b, None, None).await.expect("history").changes.messages, []);
    Ok(())
}

/// Given a hard-deleted message, when its send is retried, then it does not come back.
pub async fn a_retry_of_a_message_deleted_for_good_gets_its_tombstone(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let message = ada.draft(own, "Gone");
    let ack = sent(&ada.push(&[send(message.clone())]).await[0]);
    scene.perform(Action::HardDelete { id: message.id }).await?;
    let outcome = ada.push(&[send(message.clone())]).await.remove(0);
    let PushOutcome::Acknowledged(Acknowledgement::Deleted(row)) = outcome else { panic!("got {outcome:?}") };
    assert_eq!((row.conversation_id, row.of), (own, TombstoneOf::Message { id: message.id, seq: ack.seq }));
    assert!(row.version > ack.version);
    assert_eq!(ada.history(own, None, None).await.expect("history").changes.messages, []);
    Ok(())
}

/// Given a message that an older version of the app sent and somebody deleted for good, when it is resent, then its
/// tombstone comes under the id that the sender knows, and the rest of the batch is unaffected.
pub async fn what_an_older_app_sent_and_is_gone_gets_its_tombstone(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let messages = ["gone", "new"].map(|text| ada.draft(own, text));
    let stored = scene.older_app_sends(&messages[0]).await?;
    scene.perform(Action::HardDelete { id: stored }).await?;
    let outcomes = ada.push(&messages.clone().map(send)).await;
    let PushOutcome::Acknowledged(Acknowledgement::Deleted(row)) = &outcomes[0] else { panic!("got {outcomes:?}") };
    assert_eq!((row.conversation_id, row.message_id()), (own, Some(messages[0].id)));
    assert_eq!(sent(&outcomes[1]).message_id, messages[1].id);
    assert_eq!(ids(&ada.history(own, None, None).await.expect("history").changes.messages), [messages[1].id]);
    Ok(())
}

/// Given a soft-deleted message, when its send is retried, then the response has no content.
pub async fn a_retry_of_a_softly_deleted_message_gets_no_content(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let message = ada.draft(own, "Taken back");
    ada.push(&[send(message.clone())]).await;
    scene.perform(Action::SoftDelete { id: message.id }).await?;
    let row = already_sent(&ada.push(&[send(message)]).await[0]);
    assert!(row.deleted_at.is_some() && row.content.is_none());
    Ok(())
}

/// Given a broadcast, when a medic writes to it, then that is forbidden, although she sees it.
pub async fn a_medic_cannot_write_to_a_broadcast(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let notices = admin.open_broadcast(scene.world.org_id, "Notices").await.id;
    assert_eq!(refused(&ada.push(&[send(ada.draft(notices, "Me too"))]).await[0]), RefusalCode::Forbidden);
    assert_eq!(ada.history(notices, None, None).await.expect("she sees it").changes.messages, []);
    Ok(())
}

/// Given a broadcast, when an admin writes, then every medic gets it.
pub async fn a_broadcast_reaches_every_medic(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let admin = scene.admin().await;
    let notices = admin.open_broadcast(scene.world.org_id, "Notices").await.id;
    let cursors = [scene.medic(0).await.cursor().await, scene.medic(1).await.cursor().await];
    let ack = admin.say(notices, "Crane 3 is out of service").await;
    for (index, cursor) in cursors.iter().enumerate() {
        let changes = scene.medic(index).await.catch_up(cursor).await.changes;
        assert_eq!(changes.messages.iter().map(|row| row.id).collect::<Vec<_>>(), [ack.message_id]);
        let row = changes.conversations.iter().find(|row| row.id == notices).expect("its row");
        assert_eq!((row.unread, row.subject.as_deref()), (1, Some("Notices")));
    }
    Ok(())
}

/// Given no such conversation, or one of another medic, then both get the same answer.
pub async fn an_unknown_or_hidden_conversation_is_not_found(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    let hidden = ben.open_own().await.id;
    let outcomes =
        ada.push(&[send(ada.draft(hidden, "Peek")), send(ada.draft(fresh::conversation_id(), "Peek"))]).await;
    assert_eq!(outcomes[0], outcomes[1]);
    assert_eq!(refused(&outcomes[0]), RefusalCode::NotFound);
    assert_eq!(ben.history(hidden, None, None).await.expect("history").changes.messages, []);
    Ok(())
}

/// Given a deleted conversation, when somebody who saw it writes to it, then the answer says that it was deleted.
pub async fn a_deleted_conversation_says_so(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    scene.perform(Action::DeleteConversation { id: own }).await?;
    let code = refused(&ada.push(&[send(ada.draft(own, "Anybody?"))]).await[0]);
    assert_eq!(code, RefusalCode::ConversationDeleted);
    Ok(())
}

/// Given somebody whose membership ended, when she pushes, then each mutation is refused as forbidden.
pub async fn somebody_who_was_removed_cannot_write(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    scene.perform(Action::RemoveMember { person_id: ada.id }).await?;
    let read_seq = Seq::new(0);
    let mark =
        Mutation { id: fresh::mutation_id(), intent: Intent::MarkRead(MarkRead { conversation_id: own, read_seq }) };
    for outcome in ada.push(&[send(ada.draft(own, "Still here")), mark]).await {
        assert_eq!(refused(&outcome), RefusalCode::Forbidden);
    }
    assert_eq!(admin.history(own, None, None).await.expect("history").changes.messages, []);
    Ok(())
}

/// Given a batch with refused mutations in it, then the others are applied as if those were not there.
pub async fn one_refused_mutation_undoes_no_other(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let nowhere = fresh::conversation_id();
    let batch = [
        send(ada.draft(own, "1")),
        send(ada.draft(nowhere, "refused")),
        send(ada.draft(own, "2")),
        send(ada.draft(nowhere, "refused")),
        send(ada.draft(own, "3")),
    ];
    let outcomes = ada.push(&batch).await;
    let numbers: Vec<_> = [0, 2, 4].iter().map(|place| sent(&outcomes[*place]).seq.get()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!((refused(&outcomes[1]), refused(&outcomes[3])), (RefusalCode::NotFound, RefusalCode::NotFound));
    Ok(())
}

/// Given a client that claims to be the server, or an unknown kind, then the message is refused.
pub async fn only_people_write_messages(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    for kind in [MessageKind::System, MessageKind::from("poll")] {
        let mut message = ada.draft(own, "Signed in");
        message.kind = kind;
        assert_eq!(refused(&ada.push(&[send(message)]).await[0]), RefusalCode::BadRequest);
    }
    Ok(())
}

/// Given text that breaks careless code, then it arrives unchanged.
pub async fn unusual_text_survives(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    let long = "é".repeat(5000);
    let texts = [
        "👩‍👩‍👧‍👦 on level 3",
        "مرحبا ‏123‏ שלום",
        "line one\nline two\ttab \"quoted\" \\ back 'single' $1 %s {} -- ; <b>",
        "null",
        "\u{1}\u{7f}\u{feff}x",
        "e\u{301} and é differ",
        long.as_str(),
    ];
    ada.say_all(own, &texts).await;
    let page = admin.history(own, None, None).await.expect("history");
    let found: Vec<_> = page.changes.messages.iter().filter_map(|row| row.content.as_deref()).collect();
    assert_eq!(found, texts);
    Ok(())
}

/// Given metadata, a reply and the device's time, then they arrive unchanged.
pub async fn metadata_reply_and_composed_at_survive(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    let first = ada.say(own, "Photo follows").await;
    let metadata = json!({"photo": {"w": 4032, "uri": "file:///a b.jpg"}, "tags": ["a", null, 1.5], "empty": {}});
    let mut message = ada.draft(own, "Here");
    message.kind = MessageKind::Attachment;
    message.metadata = metadata.as_object().cloned().map(Metadata::from_stored);
    message.reply_to = Some(first.message_id);
    ada.push(&[send(message.clone())]).await;
    let row = admin.history(own, None, Some(1)).await.expect("history").changes.messages.remove(0);
    assert_eq!((&row.kind, row.reply_to), (&MessageKind::Attachment, Some(first.message_id)));
    assert_eq!((row.metadata, row.composed_at), (message.metadata, Some(composed_at())));
    Ok(())
}

/// Given messages of one batch and of several, then `created_at` never decreases in their order.
pub async fn created_at_grows_with_seq(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    ada.say_all(own, &["1", "2", "3", "4"]).await;
    admin.say_all(own, &["5", "6"]).await;
    let messages = ada.history(own, None, None).await.expect("history").changes.messages;
    assert!(messages.is_sorted_by(|a, b| a.seq < b.seq && a.created_at <= b.created_at));
    assert!(messages.iter().all(|row| row.created_at > composed_at()), "it is the server's clock, not the device's");
    Ok(())
}

/// Given unread messages, when the reader sends one herself, then the others stay unread.
pub async fn sending_does_not_move_the_senders_marker(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    admin.say_all(own, &["1", "2"]).await;
    ada.say(own, "3").await;
    let page = ada.bootstrap().await;
    assert_eq!(page.changes.conversations[0].unread, 2);
    assert!(page.changes.read_markers.iter().all(|row| row.person_id != ada.id || row.read_seq == Seq::ZERO));
    Ok(())
}

/// Given nothing to send, then a push has no results.
pub async fn a_batch_of_nothing_has_no_results(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    assert_eq!(scene.medic(0).await.push(&[]).await, []);
    Ok(())
}

/// Given too many mutations, or too many bytes, then the whole batch is refused and none of it is applied.
pub async fn a_batch_above_the_limits_is_too_large(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let many: Vec<_> = (0..501).map(|_| send(ada.draft(own, "x"))).collect();
    let heavy: Vec<_> = (0..300).map(|_| send(ada.draft(own, &"x".repeat(5000)))).collect();
    for batch in [many, heavy] {
        let answer = backend.api().push(ada.token(), &PushRequest::of(batch)).await;
        assert_eq!(failure(answer), RemoteErrorKind::TooLarge);
    }
    assert_eq!(ada.history(own, None, None).await.expect("history").changes.messages, []);
    Ok(())
}

/// Given metadata that is too large or too deep, then each case is refused with its own code, and metadata at the limit
/// is accepted.
pub async fn metadata_above_the_limits_is_refused(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    let with = |metadata| NewMessage { metadata: Some(Metadata::from_stored(metadata)), ..ada.draft(own, "Here") };
    let large = |bytes| Map::from_iter([("a".to_owned(), json!("x".repeat(bytes - r#"{"a":""}"#.len())))]);
    let good = [with(nested(METADATA_DEPTH)), with(large(METADATA_LIMIT))];
    let bad = [with(nested(METADATA_DEPTH + 1)), with(nested(100)), with(large(METADATA_LIMIT * 2 + 1))];
    let batch: Vec<_> = bad.iter().chain(&good).cloned().map(send).collect();
    let outcomes = ada.push(&batch).await;
    let codes: Vec<_> = outcomes[..3].iter().map(refused).collect();
    assert_eq!(codes, [RefusalCode::MetadataTooDeep, RefusalCode::MetadataTooDeep, RefusalCode::MetadataTooLarge]);
    let page = admin.history(own, None, None).await.expect("history");
    let arrived: Vec<_> = page.changes.messages.iter().map(|row| row.metadata.clone()).collect();
    assert_eq!(arrived, good.map(|message| message.metadata), "what is accepted can be read");
    Ok(())
}

/// `{"a":{"a":…{}}}` with this many braces.
fn nested(levels: usize) -> Map<String, Value> {
    (1..levels).fold(Map::new(), |inner, _| Map::from_iter([("a".to_owned(), Value::Object(inner))]))
}

/// Given a phone whose clock is off by years, then the server ignores its time and applies the message.
pub async fn a_time_that_cannot_be_is_taken_for_none(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let now = ada.bootstrap().await.server_time;
    let year = |year| Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).single().expect("a moment");
    let earliest = year(2000);
    let claims = [year(1999), now + TimeDelta::days(2), year(9999), earliest, now + TimeDelta::hours(23)];
    let batch: Vec<_> =
        claims.iter().map(|at| send(NewMessage { composed_at: *at, ..ada.draft(own, "When?") })).collect();
    assert_eq!(ada.push(&batch).await.iter().map(sent).count(), batch.len());
    let rows = ada.history(own, None, None).await.expect("history").changes.messages;
    let told: Vec<_> = rows.iter().map(|row| row.composed_at.is_some()).collect();
    assert_eq!(told, [false, false, false, true, true]);
    Ok(())
}
