//! Two people change one record: the later change wins, by the server's clock.

use super::{
    Clerk, RecordsBackend,
    actor::{ago, lost, one, stamped, text, update, visit, won, worker},
};
use crate::{
    OutgoingRecord,
    conformance::{Scene, Verdict, fresh},
};
use chrono::TimeDelta;
use fieldpost_domain::{
    MutationId,
    records::{ConflictRule, Modified, RecordOutcome},
};
use uuid::Uuid;

/// An hour in seconds.
const HOUR: u64 = 3600;

/// Given a record, when somebody sets one field, then the others stay, and everybody sees a higher version.
pub async fn an_update_sets_its_fields_alone(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (Clerk::medic(backend, &scene, 0).await, Clerk::medic(backend, &scene, 1).await);
    let id = ada.created("workers", worker("Moss").with("phone", "1").with("allergies", "nuts")).await;
    let before = ada.row("workers", id).await.expect("it is there");
    let change = update("workers", id, one("phone", "2").with("allergies", serde_json::Value::Null));
    let outcome = ben.push_one(&change).await;
    let row = ada.row("workers", id).await.expect("it is there");
    assert_eq!(
        (text(&row, "last_name"), text(&row, "phone"), text(&row, "allergies")),
        (Some("Moss"), Some("2"), None)
    );
    assert_eq!(won(&outcome), (id, Some(row.version)));
    assert_eq!((stamped(&outcome), row.last_mutation_id), (row.modified_at, Some(change.id)));
    assert!(row.version > before.version && row.created_at == before.created_at);
    Ok(())
}

/// Given a record, when an edit of 10:00 is synced at 12:00 and one of 11:00 at 12:05, then the one of 11:00 stands.
pub async fn the_later_edit_wins_when_it_is_synced_later(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (Clerk::medic(backend, &scene, 0).await, Clerk::medic(backend, &scene, 1).await);
    let id = ada.created_ago(3 * HOUR, "workers", worker("Moss")).await;
    ada.updated_ago(2 * HOUR, "workers", id, one("phone", "of 10:00")).await;
    ben.updated_ago(HOUR + 300, "workers", id, one("phone", "of 11:00")).await;
    assert_eq!(text(&ada.row("workers", id).await.expect("it is there"), "phone"), Some("of 11:00"));
    Ok(())
}

/// Given the same two edits, when the one of 11:00 is synced first, then the one of 10:00 loses and gets the winner.
pub async fn the_earlier_edit_loses_when_it_is_synced_later(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (Clerk::medic(backend, &scene, 0).await, Clerk::medic(backend, &scene, 1).await);
    let id = ada.created_ago(3 * HOUR, "workers", worker("Moss")).await;
    ben.updated_ago(HOUR, "workers", id, one("phone", "of 11:00")).await;
    let late = OutgoingRecord { modified: ago(2 * HOUR), ..update("workers", id, one("phone", "of 10:00")) };
    let winner = lost(&ada.push_one(&late).await);
    let row = ada.row("workers", id).await.expect("it is there");
    assert_eq!((text(&winner, "phone"), &winner), (Some("of 11:00"), &row), "the whole row");
    assert_eq!(lost(&ada.push_one(&late).await), row, "asking again is answered the same");
    Ok(())
}

/// Given times of the server's clock, then they are compared as ages are.
pub async fn a_time_of_the_server_is_compared_with_an_age(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let now = ada.server_time().await;
    let at = |hours: i64| Modified::At(now - TimeDelta::hours(hours));
    let create = OutgoingRecord { modified: at(3), ..ada.create("workers", worker("Moss")) };
    let id = create.record_id;
    assert_eq!(stamped(&ada.push_one(&create).await), now - TimeDelta::hours(3), "to the microsecond");
    ada.updated_ago(2 * HOUR, "workers", id, one("phone", "of 10:00")).await;
    let later = OutgoingRecord { modified: at(1), ..update("workers", id, one("phone", "of 11:00")) };
    assert_eq!(stamped(&ada.push_one(&later).await), now - TimeDelta::hours(1));
    let early = OutgoingRecord { modified: ago(HOUR + 60), ..update("workers", id, one("phone", "of 10:59")) };
    assert_eq!(text(&lost(&ada.push_one(&early).await), "phone"), Some("of 11:00"));
    Ok(())
}

/// Given two edits of one moment, then the one with the larger mutation id stands, in whatever order they come.
pub async fn a_tie_is_decided_by_the_mutations_id(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let at = Modified::At(ada.server_time().await - TimeDelta::minutes(1));
    let random = fresh::mutation_id().as_uuid().as_u128() >> 4;
    let [small, large] = [0_u128, 0xf << 124].map(|top| MutationId::from_uuid(Uuid::from_u128(top | random)));
    for order in [[small, large], [large, small]] {
        let id = ada.created_ago(HOUR, "workers", worker("Moss")).await;
        let change = |mutation: MutationId| OutgoingRecord {
            id: mutation,
            modified: at,
            ..update("workers", id, one("phone", mutation.to_string()))
        };
        won(&ada.push_one(&change(order[0])).await);
        let second = ada.push_one(&change(order[1])).await;
        assert_eq!(matches!(second, RecordOutcome::Lost { .. }), order[1] == small);
        let row = ada.row("workers", id).await.expect("it is there");
        assert_eq!(text(&row, "phone"), Some(&*large.to_string()));
    }
    Ok(())
}

/// Given a clock that runs ahead, then an edit of the future counts as one of now, and a later one beats it.
pub async fn an_edit_of_the_future_counts_as_now(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (Clerk::medic(backend, &scene, 0).await, Clerk::medic(backend, &scene, 1).await);
    let id = ada.created_ago(HOUR, "workers", worker("Moss")).await;
    let before = ada.server_time().await;
    let ahead = OutgoingRecord {
        modified: Modified::At(before + TimeDelta::days(400)),
        ..update("workers", id, one("phone", "ahead"))
    };
    let stamp = stamped(&ada.push_one(&ahead).await);
    assert!(before <= stamp && stamp <= ada.server_time().await, "{stamp}");
    ben.updated_ago(0, "workers", id, one("phone", "now")).await;
    assert_eq!(text(&ada.row("workers", id).await.expect("it is there"), "phone"), Some("now"));
    Ok(())
}

/// Given a time or an age of another century, then it is an early one and no error.
pub async fn an_edit_of_another_century_is_early(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let id = ada.created("workers", worker("Moss")).await;
    let epoch = chrono::DateTime::<chrono::Utc>::UNIX_EPOCH;
    for modified in [Modified::At(epoch), ago(u64::from(u32::MAX)), ago(9_000_000_000_000)] {
        let early = OutgoingRecord { modified, ..update("workers", id, one("phone", "early")) };
        assert_eq!(lost(&ada.push_one(&early).await).id, id);
        let create = OutgoingRecord { modified, ..ada.create("workers", worker("Okafor")) };
        let stamp = stamped(&ada.push_one(&create).await);
        assert_eq!(stamp.to_rfc3339(), "2000-01-01T00:00:00+00:00", "{modified:?}");
    }
    Ok(())
}

/// Given an update whose answer was lost, when it is sent again, then it is won and nothing has changed.
pub async fn an_update_that_is_sent_again_changes_nothing(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (Clerk::medic(backend, &scene, 0).await, Clerk::medic(backend, &scene, 1).await);
    let id = ada.created_ago(HOUR, "workers", worker("Moss")).await;
    let change = OutgoingRecord { modified: ago(600), ..update("workers", id, one("phone", "Ada's")) };
    let first = ada.push_one(&change).await;
    for seconds in [601, 599] {
        let again = OutgoingRecord { modified: ago(seconds), ..change.clone() };
        assert_eq!(ada.push_one(&again).await, first, "whatever it says of its time: the row had it last");
    }

    ben.updated_ago(60, "workers", id, one("phone", "Ben's")).await;
    assert_eq!(text(&lost(&ada.push_one(&change).await), "phone"), Some("Ben's"), "somebody has come between");
    Ok(())
}

/// Given a dashboard that writes the table itself, then its change is one of the moment at which it was made.
pub async fn a_change_of_another_client_is_one_of_its_moment(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let id = ada.created_ago(2 * HOUR, "workers", worker("Moss")).await;
    let before = ada.server_time().await;
    ada.stranger_updates("workers", id, one("phone", "dashboard")).await?;
    let row = ada.row("workers", id).await.expect("it is there");
    assert_eq!(row.last_mutation_id, None);
    assert!(before <= row.modified_at && row.modified_at <= ada.server_time().await);

    let earlier = OutgoingRecord { modified: ago(HOUR), ..update("workers", id, one("phone", "offline")) };
    assert_eq!(lost(&ada.push_one(&earlier).await), row);
    let version = ada.updated_ago(0, "workers", id, one("phone", "later")).await;
    assert!(version > row.version);
    Ok(())
}

/// Given a change that was slow to arrive, when its device sends the next one, which was made meanwhile, then that one
/// is later, although the arrival says otherwise.
pub async fn what_follows_an_own_change_is_later(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (Clerk::medic(backend, &scene, 0).await, Clerk::medic(backend, &scene, 1).await);
    let id = ada.created_ago(HOUR, "workers", worker("Moss")).await;
    let slow = OutgoingRecord { modified: ago(60), ..update("workers", id, one("phone", "1")) };
    let arrived = stamped(&ada.push_one(&slow).await);
    let next = |phone: &str| OutgoingRecord { modified: ago(90), ..update("workers", id, one("phone", phone)) };
    lost(&ada.push_one(&next("unlinked")).await);

    let follower = OutgoingRecord { after: Some(slow.id), ..next("2") };
    let outcome = ada.push_one(&follower).await;
    assert!(stamped(&outcome) >= arrived, "the row's time never goes back");
    assert_eq!(text(&ada.row("workers", id).await.expect("it is there"), "phone"), Some("2"));

    // Ben's edit is later than both: he has come between.
    ben.updated_ago(30, "workers", id, one("phone", "Ben's")).await;
    let third = OutgoingRecord { after: Some(follower.id), ..next("3") };
    assert_eq!(text(&lost(&ada.push_one(&third).await), "phone"), Some("Ben's"));
    Ok(())
}

/// Given a create and its update in one batch, of one moment, then the update follows the create.
pub async fn a_batch_may_create_and_update_a_record(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    for _ in 0..4 {
        let create = ada.create("workers", worker("Moss"));
        let id = create.record_id;
        let first = OutgoingRecord { after: Some(create.id), ..update("workers", id, one("phone", "1")) };
        let second = OutgoingRecord { after: Some(first.id), ..update("workers", id, one("phone", "2")) };
        let results = ada.push(&[create, first, second.clone()]).await;
        let versions: Vec<_> = results.iter().map(|result| won(&result.outcome).1).collect();
        assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
        let row = ada.row("workers", id).await.expect("it is there");
        assert_eq!((text(&row, "phone"), row.last_mutation_id), (Some("2"), Some(second.id)));
    }
    Ok(())
}

/// The answer to a batch is lost: sent again, none of its changes is lost to the one after it.
pub async fn a_batch_that_is_sent_again_loses_to_nobody(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let create = OutgoingRecord { modified: ago(60), ..ada.create("workers", worker("Moss")) };
    let id = create.record_id;
    let first = OutgoingRecord { modified: ago(50), ..update("workers", id, one("phone", "1")) };
    let second = OutgoingRecord { modified: ago(40), ..update("workers", id, one("company", "Hoist Ltd")) };
    let batch = [create, first, second];
    ada.push(&batch).await;
    let row = ada.row("workers", id).await.expect("it is there");
    let created = row.created_at.expect("the table says when");
    assert!(row.modified_at - created >= TimeDelta::seconds(19), "it was made when its device made it");
    for result in ada.push(&batch).await {
        assert_eq!(won(&result.outcome), (id, Some(row.version)), "each is told of the row as it is");
    }
    assert_eq!(ada.row("workers", id).await, Some(row), "and nothing is changed");
    Ok(())
}

/// Given a table whose rule is that the last arrival wins, then an early edit that arrives late stands.
pub async fn the_last_arrival_wins_where_that_is_declared(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let id = ada.created("visits", visit("Hall A")).await;
    let rule = ConflictRule::LastArrivalWins;
    let late = OutgoingRecord { modified: ago(HOUR), rule, ..update("visits", id, one("minutes", 5)) };
    let outcome = ada.push_one(&late).await;
    won(&outcome);
    assert_eq!(ada.push_one(&late).await, outcome, "sent again, it changes nothing");
    let row = ada.row("visits", id).await.expect("it is there");
    assert_eq!(row.fields.get("minutes"), Some(&5.into()));
    Ok(())
}

/// Given an id that no row has, or had, then an update is missing.
pub async fn an_update_of_nothing_is_missing(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let never = update("workers", fresh::record_id(), one("phone", "1"));
    assert_eq!(ada.push_one(&never).await, RecordOutcome::Missing);
    let id = ada.created("workers", worker("Moss")).await;
    ada.stranger_deletes("workers", id).await?;
    assert_eq!(ada.push_one(&update("workers", id, one("phone", "1"))).await, RecordOutcome::Missing);
    assert_eq!(ada.load(&["workers"]).await.rows, [], "and creates nothing");
    Ok(())
}

/// Given an update without fields, then it is one like any other.
pub async fn an_update_of_no_field_is_no_fault(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let id = ada.created_ago(HOUR, "workers", worker("Moss")).await;
    won(&ada.push_one(&update("workers", id, fieldpost_domain::records::Fields::new())).await);
    assert_eq!(text(&ada.row("workers", id).await.expect("it is there"), "last_name"), Some("Moss"));
    Ok(())
}
