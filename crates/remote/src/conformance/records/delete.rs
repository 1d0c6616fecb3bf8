//! Deleting records.

use super::{
    Clerk, RecordsBackend,
    actor::{ago, delete, one, refusal, treatment, update, visit, won, worker},
};
use crate::{
    OutgoingRecord,
    conformance::{Scene, Verdict, fresh},
};
use fieldpost_domain::records::{RecordOutcome, RecordRefusalCode};

/// Given a record, when it is deleted, however often, then it is gone, and each delete is won.
pub async fn a_delete_is_idempotent(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let id = ada.created("workers", worker("Moss")).await;
    let change = delete("workers", id);
    for again in [change.clone(), change, delete("workers", id)] {
        assert_eq!(won(&ada.push_one(&again).await), (id, None));
    }
    assert_eq!(ada.load(&["workers"]).await.rows, []);
    assert_eq!(ada.push_one(&update("workers", id, one("phone", "1"))).await, RecordOutcome::Missing);
    Ok(())
}

/// Given an id that no row ever had, then deleting it is won.
pub async fn deleting_what_was_never_there_is_won(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let id = fresh::record_id();
    assert_eq!(won(&ada.push_one(&delete("workers", id)).await), (id, None));
    Ok(())
}

/// Given a record that somebody has changed since, then deleting it is won: a delete is not compared.
pub async fn a_delete_is_not_compared(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (Clerk::medic(backend, &scene, 0).await, Clerk::medic(backend, &scene, 1).await);
    let id = ada.created_ago(3600, "workers", worker("Moss")).await;
    ben.updated_ago(60, "workers", id, one("phone", "1")).await;
    let early = OutgoingRecord { modified: ago(600), ..delete("workers", id) };
    assert_eq!(won(&ada.push_one(&early).await), (id, None));
    assert_eq!(ben.row("workers", id).await, None);
    Ok(())
}

/// Given a create, an update and a delete in one batch, then nothing is left, and all are won.
pub async fn a_record_may_live_for_one_batch(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let create = ada.create("workers", worker("Moss"));
    let id = create.record_id;
    let change = OutgoingRecord { after: Some(create.id), ..update("workers", id, one("phone", "1")) };
    let batch = [create, change, delete("workers", id)];
    let there: Vec<_> = ada.push(&batch).await.iter().map(|result| won(&result.outcome).1.is_some()).collect();
    assert_eq!(there, [true, true, false]);
    // The whole batch again, as after a lost answer: it comes to the same.
    let again = ada.push(&batch).await;
    assert_eq!(won(&again[0].outcome).1, None, "created and deleted since");
    assert_eq!((&again[1].outcome, won(&again[2].outcome).1), (&RecordOutcome::Missing, None));
    assert_eq!(ada.load(&["workers"]).await.rows, []);
    Ok(())
}

/// Given a row that a policy shows her and does not let her delete, then the delete is forbidden and the row stays.
pub async fn a_delete_that_a_policy_forbids_is_forbidden(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (Clerk::medic(backend, &scene, 0).await, Clerk::medic(backend, &scene, 1).await);
    let admin = Clerk::admin(backend, &scene).await;
    for table in ["workers", "visits"] {
        let fields = || if table == "workers" { worker("Moss") } else { visit("Hall A") };
        let (first, second) = (ada.created(table, fields()).await, ada.created(table, fields()).await);
        let outcome = ben.push_one(&delete(table, first)).await;
        assert_eq!(refusal(&outcome).code, RecordRefusalCode::Forbidden, "{table}");
        assert!(ada.row(table, first).await.is_some());
        assert_eq!(won(&ada.push_one(&delete(table, first)).await), (first, None), "its author may");
        assert_eq!(won(&admin.push_one(&delete(table, second)).await), (second, None), "an admin may");
        assert_eq!(ada.load(&[table]).await.rows, []);
    }
    Ok(())
}

/// Given a row that another one refers to, then deleting it is refused in the database's words.
pub async fn a_delete_of_what_others_need_is_refused(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let worker_id = ada.created("workers", worker("Moss")).await;
    let treatment_id = ada.created("treatments", treatment(worker_id, scene.medic_id(0))).await;
    let refused = refusal(&ada.push_one(&delete("workers", worker_id)).await);
    assert_eq!(refused.code, RecordRefusalCode::Refused);
    assert!(refused.detail.as_deref().is_some_and(|detail| detail.ends_with("(23503)")), "{refused:?}");
    let both = [delete("treatments", treatment_id), delete("workers", worker_id)];
    assert!(ada.push(&both).await.iter().all(|result| won(&result.outcome).1.is_none()));
    assert_eq!(ada.load(&["workers", "treatments"]).await.rows, []);
    Ok(())
}
