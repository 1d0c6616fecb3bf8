//! The audit log.

use super::{
    Clerk, RecordsBackend, StoredAudit,
    actor::{ago, read_of, worker},
};
use crate::{
    OutgoingAudit, RemoteErrorKind,
    conformance::{Scene, Verdict, actor::failure},
};
use chrono::TimeDelta;
use fieldpost_domain::records::{AuditOperation, Modified};

/// Given entries, when they are uploaded twice, then each is stored once, as the caller's.
pub async fn an_entry_is_stored_once(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let record_id = ada.created("workers", worker("Moss")).await;
    let operations = [AuditOperation::Read, AuditOperation::Create, AuditOperation::Update, AuditOperation::Delete];
    let entries = operations.map(|operation| OutgoingAudit { operation, ..read_of("workers", record_id) });
    let sent: Vec<_> = entries.iter().map(|entry| entry.id).collect();
    for _ in 0..2 {
        let answer = ada.try_audit(&entries).await.expect("an answer");
        assert_eq!((answer.stored, answer.refused), (sent.clone(), vec![]));
    }
    for entry in &entries {
        let stored = backend.stored_audit(entry.id).await?.expect("it is stored");
        let expected = StoredAudit {
            person_id: ada.id(),
            table: "workers".to_owned(),
            record_id,
            operation: entry.operation.clone(),
            context: entry.context.clone(),
            at: stored.at,
        };
        assert_eq!(stored, expected);
    }
    Ok(())
}

/// Given an entry that was written offline, then it is stored with the time of what was done.
pub async fn an_entry_has_the_time_of_what_was_done(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let record_id = ada.created("workers", worker("Moss")).await;
    let before = ada.server_time().await;
    let at = |modified| OutgoingAudit { at: modified, ..read_of("workers", record_id) };
    let known = before - TimeDelta::minutes(90);
    let entries = [at(ago(7200)), at(Modified::At(known)), at(Modified::At(before + TimeDelta::days(2)))];
    assert_eq!(ada.try_audit(&entries).await.expect("an answer").stored.len(), 3);
    let after = ada.server_time().await;
    let mut times = Vec::new();
    for entry in &entries {
        times.push(backend.stored_audit(entry.id).await?.expect("it is stored").at);
    }
    let hours = TimeDelta::hours(2);
    assert!(before - hours <= times[0] && times[0] <= after - hours, "{times:?}");
    assert_eq!(times[1], known);
    assert!(before <= times[2] && times[2] <= after, "the future counts as now: {times:?}");
    Ok(())
}

/// Given an entry that cannot be stored, then it is refused for good, with why, and the others are stored.
pub async fn a_bad_entry_takes_no_other_along(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let record_id = ada.created("workers", worker("Moss")).await;
    let entry = || read_of("workers", record_id);
    let entries = [
        entry(),
        OutgoingAudit { context: Some("é".repeat(501)), ..entry() },
        OutgoingAudit { operation: AuditOperation::from("PRINT"), ..entry() },
        OutgoingAudit { context: Some("é".repeat(500)), ..entry() },
        OutgoingAudit { context: None, ..entry() },
    ];
    let answer = ada.try_audit(&entries).await.expect("an answer");
    assert_eq!(answer.stored, [0, 3, 4].map(|index| entries[index].id));
    let refused = [(entries[1].id, "context".to_owned()), (entries[2].id, "operation".to_owned())];
    assert_eq!(answer.refused, refused);
    assert_eq!(backend.stored_audit(entries[1].id).await?, None);
    assert_eq!(backend.stored_audit(entries[4].id).await?.and_then(|entry| entry.context), None);
    Ok(())
}

/// Given the id of an entry of somebody else's, then it cannot be written again, by anybody.
pub async fn nobody_writes_the_entry_of_another(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (Clerk::medic(backend, &scene, 0).await, Clerk::medic(backend, &scene, 1).await);
    let record_id = ada.created("workers", worker("Moss")).await;
    let entry = read_of("workers", record_id);
    ada.try_audit(std::slice::from_ref(&entry)).await.expect("an answer");
    let before = backend.stored_audit(entry.id).await?;
    let forged = OutgoingAudit { context: Some("forged".to_owned()), ..entry.clone() };
    let answer = ben.try_audit(std::slice::from_ref(&forged)).await.expect("an answer");
    assert_eq!((answer.stored, answer.refused), (vec![], vec![(entry.id, "id_taken".to_owned())]));
    let answer = ada.try_audit(&[forged]).await.expect("an answer");
    assert_eq!(answer.stored, [entry.id], "her own is there already");
    assert_eq!(backend.stored_audit(entry.id).await?, before);
    Ok(())
}

/// Given more entries than a batch may have, then none is stored; without entries, the answer is empty.
pub async fn too_many_entries_are_too_large(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let record_id = ada.created("workers", worker("Moss")).await;
    let rows = ada.try_push(&[]).await.expect("an empty batch is answered").limits.push_rows as usize;
    let entries: Vec<_> = (0..=rows).map(|_| read_of("workers", record_id)).collect();
    assert_eq!(failure(ada.try_audit(&entries).await), RemoteErrorKind::TooLarge);
    assert_eq!(backend.stored_audit(entries[0].id).await?, None);
    assert_eq!(ada.try_audit(&entries[..rows]).await.expect("an answer").stored.len(), rows);
    let none = ada.try_audit(&[]).await.expect("an answer");
    assert_eq!((none.stored, none.refused), (vec![], vec![]));
    Ok(())
}
