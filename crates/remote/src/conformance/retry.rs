//! Which mutations must be retried, and in which order.

use super::{
    Action, Backend, Scene, Verdict,
    actor::{mutation, opened, send, sent},
    fresh,
};
use fieldpost_domain::{Intent, OpenDirect, PushOutcome, RetryCode};

/// Given a collision in one conversation, then its later mutations wait, and those of the other are applied.
pub async fn a_retry_holds_back_its_conversation_and_no_other(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let admin = scene.admin().await;
    let org = scene.world.org_id;
    let (a, b) = (admin.open_with(scene.medic_id(0), org).await.id, admin.open_with(scene.medic_id(1), org).await.id);
    scene.perform(Action::RetryNext { conversation_id: a, code: RetryCode::Conflict }).await?;
    let batch = [(a, "1"), (b, "1"), (a, "2"), (b, "2")].map(|(id, text)| send(admin.draft(id, text)));
    let outcomes = admin.push(&batch).await;
    assert_eq!(outcomes[0], PushOutcome::Retry(RetryCode::Conflict));
    assert_eq!(outcomes[2], PushOutcome::Retry(RetryCode::AfterRetry));
    assert_eq!((sent(&outcomes[1]).seq.get(), sent(&outcomes[3]).seq.get()), (1, 2));
    Ok(())
}

/// Given a batch that was held back, when it is resent, then it is applied in order.
pub async fn a_held_batch_is_applied_in_order_when_sent_again(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let batch: Vec<_> = ["1", "2", "3"].iter().map(|text| send(ada.draft(own, text))).collect();
    scene.perform(Action::RetryNext { conversation_id: own, code: RetryCode::Busy }).await?;
    let held = ada.push(&batch).await;
    assert_eq!(held[0], PushOutcome::Retry(RetryCode::Busy));
    let numbers: Vec<_> = ada.push(&batch).await.iter().map(|outcome| sent(outcome).seq.get()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    Ok(())
}

/// Given an opening that must be retried, then its messages wait for it instead of being refused.
pub async fn a_retried_opening_holds_back_its_messages(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let conversation_id = fresh::conversation_id();
    scene.perform(Action::RetryNext { conversation_id, code: RetryCode::Conflict }).await?;
    let opening = mutation(Intent::OpenDirect(OpenDirect { conversation_id, medic_id: None, org_id: None }));
    let batch = [opening, send(ada.draft(conversation_id, "1"))];
    let held = ada.push(&batch).await;
    let expected = [RetryCode::Conflict, RetryCode::AfterRetry].map(PushOutcome::Retry);
    assert_eq!(held, expected);
    let applied = ada.push(&batch).await;
    assert_eq!((opened(&applied[0]).id, sent(&applied[1]).seq.get()), (conversation_id, 1));
    Ok(())
}
