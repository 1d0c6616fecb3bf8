//! The first load, in pages.

use super::{
    Clerk, RecordsBackend,
    actor::{asked, delete, ids, one, sorted, text, treatment, unknown_table, update, visit, won, worker},
};
use crate::{
    RecordPullRequest, RemoteErrorKind,
    conformance::{Scene, Verdict, actor::failure},
};

const TABLES: [&str; 3] = ["workers", "treatments", "visits"];

/// Given an org without records, then the load is one page, which says that it is one.
pub async fn an_empty_load_is_one_page(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let page = ada.page(asked(&TABLES, None)).await.expect("a page");
    assert_eq!((page.rows, page.tombstones, page.unknown_tables), (vec![], vec![], vec![]));
    assert_eq!((page.more, page.loading), (false, true));
    assert!(page.epoch.is_some_and(|epoch| !epoch.as_str().is_empty()));
    let pass = ada.catch_up(&TABLES, &page.cursor).await;
    assert_eq!(pass.sizes, [0], "and the same cursor continues with what is committed since");
    Ok(())
}

/// Given records in several tables, when they are loaded in pages of any size, then each row comes once.
pub async fn a_load_in_pages_brings_every_row_once(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let mut all = Vec::new();
    for name in ["Moss", "Okafor", "Hale"] {
        let worker_id = ada.created("workers", worker(name)).await;
        all.extend([worker_id, ada.created("treatments", treatment(worker_id, scene.medic_id(0))).await]);
    }
    all.push(ada.stranger_inserts("visits", visit("Hall A")).await?);
    for (limit, pages) in [(None, 1), (Some(7), 1), (Some(3), 3), (Some(1), 7)] {
        let load = ada.load_by(&TABLES, limit).await;
        assert_eq!(ids(&load.rows), sorted(all.clone()), "{limit:?}");
        assert!(load.sizes.iter().all(|size| limit.is_none_or(|limit| *size <= limit as usize)), "{:?}", load.sizes);
        assert!(load.sizes.len() == pages || load.sizes.len() == pages + 1, "{limit:?}: {:?}", load.sizes);
    }
    let one = ada.load(&["treatments"]).await.rows;
    assert!(one.len() == 3 && one.iter().all(|row| row.table.as_str() == "treatments"));
    Ok(())
}

/// Given a limit in bytes, then pages are small, and each has a row at least.
pub async fn a_page_heeds_its_bytes(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    for _ in 0..4 {
        ada.created("visits", visit("Hall A").with("notes", "n".repeat(10_000))).await;
    }
    let by = async |bytes| {
        let request = RecordPullRequest { bytes: Some(bytes), ..asked(&["visits"], None) };
        let load = ada.pass(request, true).await;
        assert_eq!(ids(&load.rows).len(), 4);
        load.sizes.into_iter().filter(|size| *size > 0).collect::<Vec<_>>()
    };
    assert_eq!(by(1).await, [1, 1, 1, 1]);
    let sizes = by(25_000).await;
    assert!(sizes.iter().all(|size| *size <= 3) && sizes.len() >= 2, "{sizes:?}");
    assert_eq!(by(500_000).await, [4]);
    Ok(())
}

/// Given a limit of no rows, then the request is refused; a limit above the server's counts as the server's.
pub async fn a_page_of_no_rows_is_a_bad_request(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    ada.created("workers", worker("Moss")).await;
    let limited = |limit| RecordPullRequest { limit: Some(limit), ..asked(&["workers"], None) };
    assert_eq!(failure(ada.page(limited(0)).await), RemoteErrorKind::BadRequest);
    assert_eq!(ada.page(limited(1_000_000)).await.expect("a page").rows.len(), 1);
    Ok(())
}

/// Given a load in pages, when rows change, appear and leave meanwhile, then the load and the pass after it come to what
/// is there.
pub async fn what_changes_during_a_load_is_in_the_pass_after_it(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (Clerk::medic(backend, &scene, 0).await, Clerk::medic(backend, &scene, 1).await);
    let mut workers = Vec::new();
    for name in ["A", "B", "C", "D"] {
        workers.push(ben.created_ago(60, "workers", worker(name)).await);
    }
    let first =
        ada.page(RecordPullRequest { limit: Some(2), ..asked(&["workers"], None) }).await.expect("the first page");
    assert!(first.more && first.loading && first.rows.len() == 2);
    let (changed, gone) = (first.rows[0].id, first.rows[1].id);
    let later: Vec<_> = workers.iter().copied().filter(|id| *id != changed && *id != gone).collect();
    won(&ben.push_one(&update("workers", changed, one("phone", "1"))).await);
    for id in [gone, later[0]] {
        won(&ben.push_one(&delete("workers", id)).await);
    }
    let new = ben.created("workers", worker("E")).await;

    let rest = RecordPullRequest { cursor: Some(first.cursor), limit: Some(2), ..asked(&["workers"], None) };
    let rest = ada.pass(rest, true).await;
    assert!(rest.row(later[0]).is_none() && rest.row(later[1]).is_some());
    // A load may go on with what has changed since it began. Then the pass after it need not repeat that.
    let pass = ada.catch_up(&["workers"], &rest.cursor).await;
    let row = |id| pass.row(id).or_else(|| rest.rows.iter().rfind(|row| row.id == id));
    assert_eq!(text(row(changed).expect("it has changed"), "phone"), Some("1"));
    assert!(row(new).is_some());
    let gone_since: Vec<_> = rest.tombstones.iter().chain(&pass.tombstones).map(|row| row.id).collect();
    assert!(gone_since.contains(&gone) && gone_since.contains(&later[0]), "{gone_since:?}");
    Ok(())
}

/// Given tables that the server does not offer, then they are named, and the others are served.
pub async fn unknown_tables_are_named_and_skipped(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let id = ada.created("workers", worker("Moss")).await;
    // A table that exists and that nobody has offered is as unknown as one that does not exist.
    let hidden = super::backend::table("messages");
    let tables = vec![unknown_table(), asked(&["workers"], None).tables.remove(0), hidden.clone()];
    let request = RecordPullRequest { tables, ..asked(&[], None) };
    let page = ada.page(request.clone()).await.expect("a page");
    assert_eq!(ids(&page.rows), [id]);
    let mut unknown = page.unknown_tables;
    unknown.sort();
    assert_eq!(unknown, [unknown_table(), hidden]);

    let pass = ada.page(RecordPullRequest { cursor: Some(page.cursor), ..request }).await.expect("a page");
    assert_eq!((pass.rows, pass.unknown_tables.len()), (vec![], 2), "on every page");
    let none = ada.page(RecordPullRequest { tables: vec![unknown_table()], ..asked(&[], None) }).await.expect("a page");
    assert_eq!((none.rows, none.more, none.unknown_tables), (vec![], false, vec![unknown_table()]));
    Ok(())
}

/// Given no tables, then the page is empty.
pub async fn a_load_of_no_tables_is_empty(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    ada.created("workers", worker("Moss")).await;
    let load = ada.load(&[]).await;
    assert_eq!((load.rows, load.sizes), (vec![], vec![0]));
    Ok(())
}
