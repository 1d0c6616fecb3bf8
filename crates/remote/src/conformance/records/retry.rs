//! Changes that must be sent again.

use super::{
    Clerk, RecordAction, RecordsBackend,
    actor::{one, text, update, won, worker},
};
use crate::{
    OutgoingRecord,
    conformance::{Scene, Verdict},
};
use fieldpost_domain::{RetryCode, records::RecordOutcome};

/// Given a collision in one record, then its later changes wait, and those of others are applied.
pub async fn a_retry_holds_back_its_record_and_no_other(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let (server_id, client_id) = ada.older_app_inserts("workers", worker("Moss")).await?;
    let other = ada.created_ago(60, "workers", worker("Okafor")).await;
    ada.perform(RecordAction::RetryNextRecord { record_id: server_id, code: RetryCode::Conflict }).await?;
    let change = |id, phone: &str| update("workers", id, one("phone", phone));
    let batch = [change(client_id, "1"), change(other, "1"), change(server_id, "2"), change(other, "2")];
    let outcomes: Vec<_> = ada.push(&batch).await.into_iter().map(|result| result.outcome).collect();
    assert_eq!(outcomes[0], RecordOutcome::Retry(RetryCode::Conflict));
    assert_eq!(outcomes[2], RecordOutcome::Retry(RetryCode::AfterRetry), "by either of its ids");
    won(&outcomes[1]);
    assert_eq!(text(&ada.row("workers", server_id).await.expect("it is there"), "phone"), None);
    Ok(())
}

/// Given a create that must be retried, then its updates wait for it; sent again, all are applied in order.
pub async fn a_held_batch_is_applied_in_order_when_sent_again(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let create = ada.create("workers", worker("Moss"));
    let record_id = create.record_id;
    let first = OutgoingRecord { after: Some(create.id), ..update("workers", record_id, one("phone", "1")) };
    let second = OutgoingRecord { after: Some(first.id), ..update("workers", record_id, one("phone", "2")) };
    let batch = [create, first, second];
    ada.perform(RecordAction::RetryNextRecord { record_id, code: RetryCode::Busy }).await?;
    let held: Vec<_> = ada.push(&batch).await.into_iter().map(|result| result.outcome).collect();
    assert_eq!(held, [RetryCode::Busy, RetryCode::AfterRetry, RetryCode::AfterRetry].map(RecordOutcome::Retry));
    assert_eq!(ada.row("workers", record_id).await, None);
    assert!(ada.push(&batch).await.iter().all(|result| matches!(result.outcome, RecordOutcome::Won { .. })));
    assert_eq!(text(&ada.row("workers", record_id).await.expect("it is there"), "phone"), Some("2"));
    Ok(())
}

/// Given a row that another transaction has locked, then changes of other records are applied meanwhile, and one of the
/// row once it is free.
pub async fn a_locked_row_holds_no_other(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let id = ada.created_ago(60, "workers", worker("Moss")).await;
    let (table, fields) = (super::backend::table("workers"), one("company", "Tower Ltd"));
    let held = backend.hold(RecordAction::UpdateRecord { table, id, fields }).await?;
    let batch = [ada.create("workers", worker("Okafor")), update("workers", id, one("phone", "1"))];
    let push = ada.push(&batch[..1]).await;
    won(&push[0].outcome);
    held.commit().await;
    // It was made after the other transaction had begun, and so it is the later one.
    won(&ada.push_one(&batch[1]).await);
    let row = ada.row("workers", id).await.expect("it is there");
    assert_eq!((text(&row, "company"), text(&row, "phone")), (Some("Tower Ltd"), Some("1")));
    Ok(())
}
