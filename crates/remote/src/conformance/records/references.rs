//! Records that refer to others, by whichever id a device knows.

use super::{
    Clerk, RecordsBackend,
    actor::{one, refusal, text, treatment, update, visit, won, worker},
};
use crate::{
    OutgoingRecord,
    conformance::{Scene, Verdict, fresh},
};
use fieldpost_domain::records::{RecordId, RecordRefusalCode};

fn to(column: &str, id: RecordId) -> fieldpost_domain::records::Fields {
    one(column, id.to_string())
}

/// Given a worker and her treatment, made offline, when both are sent in one batch, then the treatment names the worker.
pub async fn a_reference_may_follow_its_record_in_one_batch(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let moss = ada.create("workers", worker("Moss"));
    let treated = ada.create("treatments", treatment(moss.record_id, scene.medic_id(0)));
    let outcomes = ada.push(&[moss.clone(), treated.clone()]).await;
    assert!(outcomes.iter().all(|result| won(&result.outcome).1.is_some()));
    let row = ada.row("treatments", treated.record_id).await.expect("it is there");
    assert_eq!(text(&row, "worker_id"), Some(&*moss.record_id.to_string()));
    Ok(())
}

/// Given a worker whose row has another primary key than the id that the device made, then a reference by that id
/// becomes the primary key, in a create and in an update.
pub async fn a_reference_by_the_clients_id_becomes_the_primary_key(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let (first, by_first) = ada.older_app_inserts("workers", worker("Moss")).await?;
    let (second, by_second) = ada.older_app_inserts("workers", worker("Okafor")).await?;
    let id = ada.created_ago(60, "treatments", treatment(by_first, scene.medic_id(0))).await;
    let named = async || text(&ada.row("treatments", id).await.expect("it is there"), "worker_id").map(str::to_owned);
    assert_eq!(named().await, Some(first.to_string()));
    ada.updated_ago(0, "treatments", id, to("worker_id", by_second)).await;
    assert_eq!(named().await, Some(second.to_string()));
    Ok(())
}

/// Given a record that another one in the batch needs and that is refused, then that one is refused in the database's
/// words, and can be sent again.
pub async fn a_reference_to_a_refused_record_is_refused(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let bad = ada.create("visits", visit("closed"));
    let follower = ada.create("visits", visit("Hall A").with("follows_id", bad.record_id.to_string()));
    let outcomes = ada.push(&[bad.clone(), follower.clone()]).await;
    let refused = refusal(&outcomes[1].outcome);
    assert_eq!(refused.code, RecordRefusalCode::Refused);
    assert!(refused.detail.as_deref().is_some_and(|detail| detail.ends_with("(23503)")), "{refused:?}");
    let mended = OutgoingRecord { fields: visit("Hall B"), ..bad };
    assert!(ada.push(&[mended, follower]).await.iter().all(|result| won(&result.outcome).1.is_some()));
    Ok(())
}

/// Given a row that she may not see, then naming it is refused in the same words as naming nothing; a reference that a
/// row has already is not looked at again.
pub async fn a_reference_to_what_is_hidden_is_one_to_nothing(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let other = Scene::with_medics(backend, 0).await;
    let (ada, admin) = (Clerk::medic(backend, &scene, 0).await, Clerk::admin(backend, &scene).await);
    let foreign = Clerk::admin(backend, &other).await.created("visits", visit("Elsewhere")).await;
    let private = admin.created("visits", visit("Office").with("private", true)).await;
    let own = ada.created_ago(60, "visits", visit("Hall A")).await;
    let mut words = Vec::new();
    for id in [fresh::record_id(), private, foreign] {
        let create = ada.create("visits", visit("Hall B").with("follows_id", id.to_string()));
        let change = update("visits", own, to("follows_id", id));
        words.push([refusal(&ada.push_one(&create).await), refusal(&ada.push_one(&change).await)]);
    }
    assert!(words[0][0].detail.as_deref().is_some_and(|detail| detail.ends_with("(23503)")), "{words:?}");
    assert_eq!((&words[1], &words[2]), (&words[0], &words[0]));

    admin.updated_ago(30, "visits", own, to("follows_id", private)).await;
    let whole = to("follows_id", private).with("site", "Hall A").with("minutes", 5);
    ada.updated_ago(0, "visits", own, whole).await;
    Ok(())
}
