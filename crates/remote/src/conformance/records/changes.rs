//! What a pull brings after the first load.

use super::{
    Clerk, RecordAction, RecordsBackend,
    actor::{asked, delete, ids, one, sorted, text, treatment, update, visit, won, worker},
    backend::table,
};
use crate::{
    ExpiredReason, RecordPullRequest, RemoteErrorKind,
    conformance::{Action, Scene, Verdict, actor::failure, fresh},
};
use fieldpost_domain::{Cursor, Role};

/// Given a device that has caught up, when nothing happens, then a pull is one empty page that belongs to no load.
pub async fn nothing_new_is_an_empty_page(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    ada.created("workers", worker("Moss")).await;
    let load = ada.load(&["workers"]).await;
    let page = ada.page(asked(&["workers"], Some(&load.cursor))).await.expect("a page");
    assert_eq!((page.rows, page.tombstones), (vec![], vec![]));
    assert_eq!((page.more, page.loading), (false, false));
    let id = ada.created("workers", worker("Okafor")).await;
    assert_eq!(ids(&ada.catch_up(&["workers"], &page.cursor).await.rows), [id]);
    Ok(())
}

/// Given two devices of an org, when one creates, changes and deletes, and a dashboard too, then the other gets it all.
pub async fn two_devices_of_an_org_converge(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (Clerk::medic(backend, &scene, 0).await, Clerk::medic(backend, &scene, 1).await);
    let tables = ["workers", "treatments"];
    let changed = ben.created_ago(60, "workers", worker("Moss")).await;
    let deleted = ben.created("workers", worker("Okafor")).await;
    let load = ada.load(&tables).await;

    let new = ben.created("treatments", treatment(changed, scene.medic_id(1))).await;
    let version = ben.updated_ago(0, "workers", changed, one("phone", "1")).await;
    won(&ben.push_one(&delete("workers", deleted)).await);
    let strange = ben.stranger_inserts("workers", worker("Hale")).await?;
    let pass = ada.catch_up(&tables, &load.cursor).await;
    assert_eq!(ids(&pass.rows), sorted([new, changed, strange]));
    let row = pass.row(changed).expect("the change");
    assert_eq!((text(row, "phone"), row.version), (Some("1"), version));
    let stranger = pass.row(strange).expect("the dashboard's row");
    assert_eq!((stranger.client_id, stranger.last_mutation_id), (None, None));
    let [tombstone] = &pass.tombstones[..] else { panic!("one tombstone, got {:?}", pass.tombstones) };
    assert_eq!((tombstone.table.as_str(), tombstone.id, tombstone.client_id), ("workers", deleted, Some(deleted)));
    assert!(tombstone.version > load.row(deleted).expect("it was loaded").version);
    assert_eq!(ada.catch_up(&tables, &pass.cursor).await.sizes, [0], "once");
    Ok(())
}

/// Given her own change, then her pull brings it as it was answered.
pub async fn an_own_change_comes_back_as_it_was_answered(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let load = ada.load(&["visits"]).await;
    let create = ada.create("visits", visit("Hall A"));
    let outcome = ada.push_one(&create).await;
    let pass = ada.catch_up(&["visits"], &load.cursor).await;
    let row = pass.row(create.record_id).expect("her own");
    assert_eq!((won(&outcome).1, row.last_mutation_id), (Some(row.version), Some(create.id)));
    Ok(())
}

/// Given many changes, when they are pulled in pages, then each row comes once, in its last state.
pub async fn a_pass_in_pages_brings_every_change_once(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let load = ada.load(&["visits"]).await;
    let mut all = Vec::new();
    for minutes in 0..7 {
        let id = ada.created_ago(60, "visits", visit("Hall A")).await;
        ada.updated_ago(0, "visits", id, one("minutes", minutes)).await;
        all.push(id);
    }
    let gone = all.remove(3);
    won(&ada.push_one(&delete("visits", gone)).await);
    for limit in [1, 2, 3, 100] {
        let request = RecordPullRequest { limit: Some(limit), ..asked(&["visits"], Some(&load.cursor)) };
        let pass = ada.pass(request, false).await;
        assert_eq!((ids(&pass.rows), pass.tombstones.len()), (sorted(all.clone()), 1), "{limit}");
        assert!(pass.sizes.iter().all(|size| *size <= limit as usize), "{:?}", pass.sizes);
        assert!(pass.rows.iter().all(|row| row.fields.get("minutes").is_some_and(|minutes| !minutes.is_null())));
    }
    let small = RecordPullRequest { bytes: Some(1), ..asked(&["visits"], Some(&load.cursor)) };
    assert_eq!(ada.pass(small, false).await.sizes.iter().filter(|size| **size == 1).count(), 7);
    Ok(())
}

/// Given a row that policies hide after it was delivered, then it is withdrawn; shown again, it comes with a higher
/// version.
pub async fn what_is_hidden_later_is_withdrawn(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (Clerk::medic(backend, &scene, 0).await, Clerk::admin(backend, &scene).await);
    let id = admin.created("visits", visit("Hall A")).await;
    let load = ada.load(&["visits"]).await;
    let known = load.row(id).expect("it was loaded").version;
    admin.stranger_updates("visits", id, one("private", true)).await?;
    let pass = ada.catch_up(&["visits"], &load.cursor).await;
    let [tombstone] = &pass.tombstones[..] else { panic!("one tombstone, got {pass:?}") };
    assert_eq!((tombstone.id, pass.rows.len()), (id, 0));
    let hidden = admin.row("visits", id).await.expect("it is there").version;
    assert!(known <= tombstone.version && tombstone.version < hidden, "it counts against the row that she has alone");
    admin.stranger_updates("visits", id, one("private", false)).await?;
    let back = ada.catch_up(&["visits"], &pass.cursor).await;
    assert!(back.row(id).is_some_and(|row| row.version > tombstone.version) && back.tombstones.is_empty());
    Ok(())
}

/// Given a row that moves to another org and back, then the org that it leaves gets a tombstone, the one that it joins
/// the row, and no version is below the one before.
pub async fn a_row_that_moves_leaves_one_org_and_joins_another(backend: &dyn RecordsBackend) -> Verdict {
    let (here, there) = (Scene::with_medics(backend, 0).await, Scene::with_medics(backend, 0).await);
    let (admin, other) = (Clerk::admin(backend, &here).await, Clerk::admin(backend, &there).await);
    let id = admin.created("visits", visit("Hall A")).await;
    let (mut mine, mut theirs) = (admin.load(&["visits"]).await.cursor, other.load(&["visits"]).await.cursor);
    let mut newest = admin.row("visits", id).await.expect("it is there").version;
    for (from, to, org) in [(&admin, &other, &there), (&other, &admin, &here)] {
        let org_id = org.world.org_id;
        from.perform(RecordAction::MoveRecord { table: table("visits"), id, org_id }).await?;
        let left = from.catch_up(&["visits"], &mine).await;
        let joined = to.catch_up(&["visits"], &theirs).await;
        let [tombstone] = &left.tombstones[..] else { panic!("one tombstone, got {left:?}") };
        assert_eq!((tombstone.id, tombstone.version >= newest, left.rows.len()), (id, true, 0));
        let row = joined.row(id).expect("the row");
        assert_eq!((row.org_id, row.version > newest, joined.tombstones.len()), (org_id, true, 0));
        newest = row.version.max(tombstone.version);
        (mine, theirs) = (joined.cursor, left.cursor);
    }
    Ok(())
}

/// Given a row that was deleted, when another client inserts it again, then its version is above the tombstone's.
pub async fn a_row_that_comes_back_is_above_its_tombstone(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let id = ada.created("visits", visit("Hall A")).await;
    let load = ada.load(&["visits"]).await;
    ada.stranger_updates("visits", id, one("minutes", 1)).await?;
    ada.stranger_deletes("visits", id).await?;
    let gone = ada.catch_up(&["visits"], &load.cursor).await;
    let [tombstone] = &gone.tombstones[..] else { panic!("one tombstone, got {gone:?}") };
    let (table, client_id, org_id) = (table("visits"), None, ada.org_id());
    ada.perform(RecordAction::InsertRecord { table, id, client_id, org_id, fields: visit("Hall B") }).await?;
    let back = ada.catch_up(&["visits"], &gone.cursor).await;
    assert_eq!(back.tombstones, []);
    assert!(back.row(id).is_some_and(|row| row.version > tombstone.version), "{back:?}");
    Ok(())
}

/// Given a transaction that began before a pull and commits after it, then the next pull brings its row, although later
/// ones were delivered before.
pub async fn what_commits_late_is_in_the_pull_after_its_commit(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let changed = ada.created("visits", visit("Hall A")).await;
    let gone = ada.created("visits", visit("Hall B")).await;
    let start = ada.load(&["visits"]).await;
    let slow = fresh::record_id();
    let (visits, client_id, org_id) = (table("visits"), None, ada.org_id());
    let insert =
        RecordAction::InsertRecord { table: visits.clone(), id: slow, client_id, org_id, fields: visit("Slow") };
    let change = RecordAction::UpdateRecord { table: visits.clone(), id: changed, fields: one("minutes", 5) };
    let delete = RecordAction::DeleteRecord { table: visits, id: gone };
    let held = [backend.hold(insert).await?, backend.hold(change).await?, backend.hold(delete).await?];

    let quick = ada.created("visits", visit("Quick")).await;
    let before = ada.catch_up(&["visits"], &start.cursor).await;
    assert_eq!((ids(&before.rows), before.tombstones.len()), (vec![quick], 0), "nobody sees what is not committed");
    let loading = RecordPullRequest { limit: Some(1), ..asked(&["visits"], None) };
    let first = ada.page(loading.clone()).await.expect("the first page of a load");
    for transaction in held {
        transaction.commit().await;
    }
    let after = ada.catch_up(&["visits"], &before.cursor).await;
    assert_eq!(ids(&after.rows), sorted([slow, changed]));
    assert_eq!(after.tombstones.iter().map(|row| row.id).collect::<Vec<_>>(), [gone]);

    let load = ada.pass(RecordPullRequest { cursor: Some(first.cursor), ..loading }, true).await;
    let pass = ada.catch_up(&["visits"], &load.cursor).await;
    assert!(pass.row(slow).is_some() && pass.row(changed).is_some(), "also a load that began before: {pass:?}");
    assert_eq!(pass.tombstones.iter().map(|row| row.id).collect::<Vec<_>>(), [gone]);
    Ok(())
}

/// Given a cursor, then it is good for the same tables in any order, and expired for others.
pub async fn a_cursor_of_other_tables_has_expired(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    for _ in 0..2 {
        ada.created("visits", visit("Hall A")).await;
    }
    let tables = ["workers", "visits"];
    let begun = RecordPullRequest { limit: Some(1), ..asked(&tables, None) };
    let cursors = [ada.load(&tables).await.cursor, ada.page(begun).await.expect("a page").cursor];
    for cursor in &cursors {
        assert!(ada.page(asked(&["visits", "workers", "visits"], Some(cursor))).await.is_ok());
        for other in [&["visits"][..], &["workers"], &["workers", "visits", "treatments"], &[]] {
            let kind = failure(ada.page(asked(other, Some(cursor))).await);
            assert_eq!(kind, RemoteErrorKind::CursorExpired(ExpiredReason::Tables), "{other:?}");
        }
    }
    Ok(())
}

/// Given a cursor, when the caller's role changes, then it has expired.
pub async fn a_change_of_role_expires_the_cursor(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let admin = Clerk::admin(backend, &scene).await;
    let private = admin.created("visits", visit("Office").with("private", true)).await;
    let load = ada.load(&["visits"]).await;
    assert_eq!(load.rows, []);
    scene.perform(Action::ChangeRole { person_id: ada.id(), role: Role::OrgAdmin }).await?;
    let kind = failure(ada.page(asked(&["visits"], Some(&load.cursor))).await);
    assert_eq!(kind, RemoteErrorKind::CursorExpired(ExpiredReason::Access));
    assert_eq!(ids(&ada.load(&["visits"]).await.rows), [private]);
    Ok(())
}

/// Given a cursor, when the policies of its tables change, then it has expired.
pub async fn a_change_of_policies_expires_the_cursor(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let load = ada.load(&["visits"]).await;
    ada.perform(RecordAction::ChangePolicies { table: table("visits") }).await?;
    let kind = failure(ada.page(asked(&["visits"], Some(&load.cursor))).await);
    assert_eq!(kind, RemoteErrorKind::CursorExpired(ExpiredReason::Access));
    Ok(())
}

/// Given a cursor, when the server's history is replaced, then it has expired, and the new load names another epoch.
pub async fn a_cursor_of_another_epoch_has_expired(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let before = ada.page(asked(&["workers"], None)).await.expect("a page");
    let same = ada.page(asked(&["workers"], Some(&before.cursor))).await.expect("a page");
    assert_eq!(same.epoch, before.epoch);
    scene.perform(Action::ChangeEpoch).await?;
    let kind = failure(ada.page(asked(&["workers"], Some(&before.cursor))).await);
    assert_eq!(kind, RemoteErrorKind::CursorExpired(ExpiredReason::Epoch));
    let after = ada.page(asked(&["workers"], None)).await.expect("a page");
    assert!(after.epoch.is_some() && after.epoch != before.epoch);
    Ok(())
}

/// Given a cursor that no server wrote, or one of messages, then the server asks for a new load.
pub async fn a_cursor_that_cannot_be_read_has_expired(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let messages = scene.medic(0).await.cursor().await;
    let made_up = ["made-up", "1.2.3.4.5", "../../etc/passwd", "'; drop table workers; --", "9:9:"];
    let made_up = made_up.map(|text| Cursor::new(text).expect("a cursor by form"));
    for cursor in made_up.into_iter().chain([messages]) {
        let kind = failure(ada.page(asked(&["workers"], Some(&cursor))).await);
        assert_eq!(kind, RemoteErrorKind::CursorExpired(ExpiredReason::Invalid), "{cursor:?}");
    }
    Ok(())
}

/// Given messages and records of one org, then neither's pull brings the other.
pub async fn records_and_messages_do_not_mix(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, records) = (scene.medic(0).await, Clerk::medic(backend, &scene, 0).await);
    let own = ada.open_own().await.id;
    let (messages, load) = (ada.cursor().await, records.load(&["workers"]).await);
    let id = records.created("workers", worker("Moss")).await;
    won(&records.push_one(&update("workers", id, one("phone", "1"))).await);
    assert!(ada.catch_up(&messages).await.changes.is_empty());
    ada.say(own, "Hello").await;
    assert_eq!(ids(&records.catch_up(&["workers"], &load.cursor).await.rows), [id]);
    Ok(())
}
