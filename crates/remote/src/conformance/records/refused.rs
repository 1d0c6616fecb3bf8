//! Changes that are refused for good, and never take others along.

use super::{
    Clerk, RecordsBackend,
    actor::{change, delete, ids, one, refusal, refused, sorted, unknown_table, update, visit, won, worker},
};
use crate::{
    OutgoingRecord, RemoteErrorKind,
    conformance::{Scene, Verdict, actor::failure, fresh},
};
use fieldpost_domain::records::{Fields, RecordOperation, RecordOutcome, RecordRefusalCode as Code};
use serde_json::json;

/// Given a batch with every kind of bad change between good ones, then each bad one has its reason, and all good ones
/// are stored.
pub async fn a_bad_change_takes_no_other_along(backend: &dyn RecordsBackend) -> Verdict {
    let (scene, other) = (Scene::with_medics(backend, 1).await, Scene::with_medics(backend, 0).await);
    let (ada, admin) = (Clerk::medic(backend, &scene, 0).await, Clerk::admin(backend, &scene).await);
    let stranger = Clerk::admin(backend, &other).await;
    let foreign = stranger.created("visits", visit("Elsewhere")).await;
    let private = admin.created("visits", visit("Office").with("private", true)).await;
    let done = admin.created("visits", visit("Yard").with("done", true)).await;
    let create = |fields: Fields| ada.create("visits", fields);
    let bad = [
        (OutgoingRecord { table: unknown_table(), ..create(visit("a")) }, Code::UnknownTable),
        (OutgoingRecord { org_id: None, ..create(visit("b")) }, Code::BadRequest),
        (OutgoingRecord { operation: RecordOperation::from("merge"), ..create(visit("c")) }, Code::BadRequest),
        (create(visit("d").with("minutes", "many")), Code::Refused),
        (create(visit("e").with("minutes", -1)), Code::Refused),
        (create(visit("f").with("day", "yesterday")), Code::Refused),
        (create(visit("g").with("done", "perhaps")), Code::Refused),
        (create(visit("h").with("worker_id", "nobody")), Code::Refused),
        (create(visit("i").with("worker_id", fresh::record_id().to_string())), Code::Refused),
        (create(Fields::new()), Code::Refused),
        (create(one("site", json!(null))), Code::Refused),
        (create(visit("closed")), Code::Refused),
        (create(visit("j").with("notes", "n".repeat(262_144))), Code::TooLarge),
        (OutgoingRecord { org_id: Some(stranger.org_id()), ..create(visit("k")) }, Code::Forbidden),
        (create(visit("l").with("private", true)), Code::Forbidden),
        (update("visits", done, one("minutes", 1)), Code::Forbidden),
        (OutgoingRecord { record_id: foreign, ..create(visit("m")) }, Code::IdTaken),
        (OutgoingRecord { record_id: private, ..create(visit("n")) }, Code::IdTaken),
    ];
    let mut batch = vec![create(visit("Good"))];
    for (change, _) in &bad {
        batch.extend([change.clone(), create(visit("Good"))]);
    }
    let outcomes: Vec<_> = ada.push(&batch).await.into_iter().map(|result| result.outcome).collect();
    let mut good = Vec::new();
    for (index, outcome) in outcomes.iter().enumerate() {
        match bad.get(index / 2).filter(|_| index % 2 == 1) {
            Some((change, code)) => assert_eq!(&refused(outcome), code, "{change:?}: {outcome:?}"),
            None => good.push(won(outcome).0),
        }
    }
    good.push(done);
    assert_eq!(ids(&ada.load(&["visits"]).await.rows), sorted(good));
    Ok(())
}

/// Given a trigger of the project that refuses a row, then its author reads the trigger's words.
pub async fn a_refusal_of_the_project_is_in_its_own_words(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let id = ada.created("visits", visit("Hall A").with("minutes", 5)).await;
    let before = ada.row("visits", id).await;
    let told = |outcome: &RecordOutcome| refusal(outcome).detail.unwrap_or_default();
    let closed = told(&ada.push_one(&ada.create("visits", visit("closed"))).await);
    assert_eq!(closed, "The site is closed (P0001)");
    let closed = told(&ada.push_one(&update("visits", id, visit("closed"))).await);
    assert_eq!(closed, "The site is closed (P0001)", "also of an update");
    let negative = told(&ada.push_one(&update("visits", id, one("minutes", -1))).await);
    assert!(negative.ends_with("(23514)"), "{negative}");
    let empty = told(&ada.push_one(&update("visits", id, one("site", json!(null)))).await);
    assert!(empty.ends_with("(23502)"), "{empty}");
    assert_eq!(ada.row("visits", id).await, before, "nothing of it was stored");
    Ok(())
}

/// Given rows that she sees and may not change, then an update is forbidden, and what she may not see is missing.
pub async fn an_update_that_a_policy_forbids_is_forbidden(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (Clerk::medic(backend, &scene, 0).await, Clerk::admin(backend, &scene).await);
    let own = ada.created("visits", visit("Hall A")).await;
    assert_eq!(refused(&ada.push_one(&update("visits", own, one("private", true))).await), Code::Forbidden);
    assert!(ada.row("visits", own).await.is_some(), "she cannot hide it from herself");

    admin.updated_ago(0, "visits", own, one("done", true)).await;
    assert_eq!(refused(&ada.push_one(&update("visits", own, one("minutes", 1))).await), Code::Forbidden);
    admin.updated_ago(0, "visits", own, one("private", true)).await;
    assert_eq!(ada.push_one(&update("visits", own, one("minutes", 1))).await, RecordOutcome::Missing);
    assert_eq!(won(&ada.push_one(&delete("visits", own)).await), (own, None), "as of what is not there");
    let row = admin.row("visits", own).await.expect("and it stays");
    assert!(row.fields.get("minutes").is_none_or(serde_json::Value::is_null));
    Ok(())
}

/// Given a refused change, then later ones of its record in the batch are refused with it, and no others.
pub async fn what_follows_a_refused_change_is_refused(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let (server_id, client_id) = ada.older_app_inserts("visits", visit("Hall A")).await?;
    let bad = ada.create("visits", visit("closed"));
    let batch = [
        bad.clone(),
        update("visits", bad.record_id, one("minutes", 1)),
        ada.create("visits", visit("Hall B")),
        update("visits", server_id, one("minutes", -1)),
        update("visits", client_id, one("minutes", 1)),
        delete("visits", bad.record_id),
    ];
    let outcomes: Vec<_> = ada.push(&batch).await.into_iter().map(|result| result.outcome).collect();
    won(&outcomes[2]);
    let codes: Vec<_> = [0, 1, 3, 4, 5].iter().map(|index| refused(&outcomes[*index])).collect();
    let expected = [Code::Refused, Code::AfterRefused, Code::Refused, Code::AfterRefused, Code::AfterRefused];
    assert_eq!(codes, expected, "by either of its ids");
    won(&ada.push_one(&batch[4]).await);
    Ok(())
}

/// Given a batch above the limits, then nothing of it is applied.
pub async fn a_batch_above_the_limits_is_too_large(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let limits = ada.try_push(&[]).await.expect("an empty batch is answered").limits;
    let many: Vec<_> = (0..=limits.push_rows).map(|_| ada.create("workers", worker("Moss"))).collect();
    assert_eq!(failure(ada.try_push(&many).await), RemoteErrorKind::TooLarge);
    let big: Vec<_> =
        (0..6).map(|_| ada.create("visits", visit("Hall A").with("notes", "n".repeat(250_000)))).collect();
    assert_eq!(failure(ada.try_push(&big).await), RemoteErrorKind::TooLarge);
    assert_eq!(ada.load(&["workers", "visits"]).await.rows, []);
    let results = ada.push(&many[..limits.push_rows as usize]).await;
    assert!(results.iter().all(|result| matches!(result.outcome, RecordOutcome::Won { .. })));
    Ok(())
}

/// Given a record of the largest size, then it is stored, and comes back.
pub async fn the_largest_record_is_stored(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let frame = change(RecordOperation::Create, "visits", fresh::record_id(), visit("A").with("notes", ""));
    let room = fieldpost_domain::records::RECORD_LIMIT - frame.fields.json_size();
    let notes = "n".repeat(room);
    let id = ada.created("visits", visit("A").with("notes", notes.clone())).await;
    let row = ada.row("visits", id).await.expect("it is there");
    assert_eq!(row.fields.get("notes"), Some(&notes.into()));
    let larger = ada.create("visits", visit("A").with("notes", "n".repeat(room + 1)));
    assert_eq!(refused(&ada.push_one(&larger).await), Code::TooLarge);
    Ok(())
}
