//! Other orgs neither see a record, nor touch it, nor learn of it; and neither does somebody who was removed.

use super::{
    Clerk, RecordsBackend,
    actor::{asked, delete, one, refused, treatment, update, visit, won, worker},
};
use crate::{
    ExpiredReason, OutgoingRecord, RemoteErrorKind,
    conformance::{Action, Scene, Verdict, actor::failure, fresh},
};
use fieldpost_domain::records::{RecordOutcome, RecordRefusalCode as Code};

/// Given records of one org, then the loads and pulls of another bring none of them.
pub async fn another_org_sees_nothing(backend: &dyn RecordsBackend) -> Verdict {
    let (here, there) = (Scene::with_medics(backend, 1).await, Scene::with_medics(backend, 1).await);
    let ada = Clerk::medic(backend, &here, 0).await;
    let strangers = [Clerk::medic(backend, &there, 0).await, Clerk::admin(backend, &there).await];
    let tables = ["workers", "treatments", "visits"];
    let id = ada.created("workers", worker("Moss")).await;
    ada.created("treatments", treatment(id, here.medic_id(0))).await;
    for stranger in strangers {
        let load = stranger.load(&tables).await;
        assert_eq!((load.rows, load.tombstones), (vec![], vec![]));
        let visit_id = ada.created("visits", visit("Hall A")).await;
        let gone = ada.created("visits", visit("Hall B")).await;
        won(&ada.push_one(&delete("visits", gone)).await);
        ada.stranger_updates("visits", visit_id, one("minutes", 5)).await?;
        let pass = stranger.catch_up(&tables, &load.cursor).await;
        assert_eq!((pass.rows, pass.tombstones), (vec![], vec![]));
    }
    Ok(())
}

/// Given a record of another org, then each answer about it is the one about an id that was never used, and the record
/// stays as it is. Only its id cannot be used again.
pub async fn another_org_touches_and_learns_nothing(backend: &dyn RecordsBackend) -> Verdict {
    let (here, there) = (Scene::with_medics(backend, 1).await, Scene::with_medics(backend, 1).await);
    let ada = Clerk::medic(backend, &here, 0).await;
    let id = ada.created("workers", worker("Moss")).await;
    let gone = ada.created("workers", worker("Gone")).await;
    won(&ada.push_one(&delete("workers", gone)).await);
    let before = ada.row("workers", id).await.expect("it is there");
    for stranger in [Clerk::medic(backend, &there, 0).await, Clerk::admin(backend, &there).await] {
        for id in [id, gone, fresh::record_id()] {
            let change = update("workers", id, one("phone", "1"));
            assert_eq!(stranger.push_one(&change).await, RecordOutcome::Missing);
            assert_eq!(won(&stranger.push_one(&delete("workers", id)).await), (id, None));
        }
        for id in [id, gone] {
            let taken = OutgoingRecord { record_id: id, ..stranger.create("workers", worker("Mine")) };
            assert_eq!(refused(&stranger.push_one(&taken).await), Code::IdTaken);
        }
    }
    assert_eq!(ada.row("workers", id).await, Some(before));
    Ok(())
}

/// Given another org, then nothing can be created in it, whether it exists or not.
pub async fn nothing_is_created_in_another_org(backend: &dyn RecordsBackend) -> Verdict {
    let (here, there) = (Scene::with_medics(backend, 1).await, Scene::with_medics(backend, 1).await);
    let (ada, stranger) = (Clerk::medic(backend, &here, 0).await, Clerk::admin(backend, &there).await);
    let nowhere = fieldpost_domain::OrgId::from_uuid(fresh::record_id().as_uuid());
    for org in [there.world.org_id, nowhere] {
        let create = OutgoingRecord { org_id: Some(org), ..ada.create("workers", worker("Moss")) };
        assert_eq!(refused(&ada.push_one(&create).await), Code::Forbidden);
    }
    assert_eq!(stranger.load(&["workers"]).await.rows, []);
    Ok(())
}

/// Given a member who is removed, then every change is forbidden, her cursor has expired, and a new load is empty.
pub async fn a_removed_member_has_nothing_left(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (Clerk::medic(backend, &scene, 0).await, Clerk::admin(backend, &scene).await);
    let id = ada.created("workers", worker("Moss")).await;
    let late = ada.create("workers", worker("Late"));
    let load = ada.load(&["workers"]).await;
    scene.perform(Action::RemoveMember { person_id: ada.id() }).await?;

    let batch = [late, update("workers", id, one("phone", "1")), delete("workers", id)];
    for result in ada.push(&batch).await {
        assert!(matches!(refused(&result.outcome), Code::Forbidden | Code::AfterRefused), "{result:?}");
    }
    for change in &batch {
        assert_eq!(refused(&ada.push_one(change).await), Code::Forbidden);
    }
    let expired = RemoteErrorKind::CursorExpired(ExpiredReason::Access);
    assert_eq!(failure(ada.page(asked(&["workers"], Some(&load.cursor))).await), expired);
    let again = ada.load(&["workers"]).await;
    assert_eq!((again.rows, again.tombstones), (vec![], vec![]));
    let rows = admin.load(&["workers"]).await.rows;
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [id], "and the record stays");
    Ok(())
}

/// Given records that a policy hides from a medic, then she gets none of them, and an admin gets all.
pub async fn what_a_policy_hides_is_not_sent(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (Clerk::medic(backend, &scene, 0).await, Clerk::admin(backend, &scene).await);
    let start = ada.load(&["visits"]).await;
    admin.created("visits", visit("Office").with("private", true)).await;
    let open = admin.created("visits", visit("Hall A")).await;
    let pass = ada.catch_up(&["visits"], &start.cursor).await;
    assert_eq!(pass.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [open]);
    assert_eq!(ada.load(&["visits"]).await.rows.len(), 1);
    assert_eq!(admin.load(&["visits"]).await.rows.len(), 2);
    Ok(())
}
