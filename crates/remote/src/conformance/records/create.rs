//! Creating records.

use super::{
    Clerk, RecordsBackend,
    actor::{delete, one, stamped, text, update, visit, won, worker},
};
use crate::{
    OutgoingRecord,
    conformance::{Scene, Verdict},
};
use fieldpost_domain::{Time, records::Fields};
use serde_json::{Value, json};

/// Given a new record, when it is sent, then the row has the id that the device made, and everything that was sent.
pub async fn a_created_record_has_the_id_that_its_device_made(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (Clerk::medic(backend, &scene, 0).await, Clerk::admin(backend, &scene).await);
    let create = ada.create("workers", worker("Moss"));
    let outcome = ada.push_one(&create).await;
    let (server_id, version) = won(&outcome);
    assert_eq!(server_id, create.record_id);

    let row = admin.row("workers", server_id).await.expect("a colleague sees it");
    assert_eq!((row.client_id, row.org_id), (Some(create.record_id), scene.world.org_id));
    assert_eq!((Some(row.version), row.modified_at), (version, stamped(&outcome)));
    assert_eq!(row.last_mutation_id, Some(create.id));
    assert!(row.created_at.is_some(), "the table says when");
    for (column, value) in create.fields.iter() {
        assert_eq!(row.fields.get(column).unwrap_or(&Value::Null), value, "{column}");
    }
    Ok(())
}

/// Given a column of every kind, then each value comes back as it was sent.
pub async fn a_value_of_every_kind_comes_back(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let worker_id = ada.created("workers", worker("Moss")).await;
    let fields = visit("Hall \"A\"\\ – Ünï 🦺")
        .with("worker_id", worker_id.to_string())
        .with("minutes", 2_147_483_647)
        .with("rating", -0.5)
        .with("started_at", "2026-01-31T08:15:00.123456Z")
        .with("day", "2024-02-29")
        .with("notes", json!({"lists": [1, "two", null, {"deep": [[true]]}], "": ""}))
        .with("done", false);
    let id = ada.created("visits", fields.clone()).await;
    let row = ada.row("visits", id).await.expect("it is there");
    for (column, value) in fields.iter().filter(|(column, _)| *column != "started_at") {
        assert_eq!(row.fields.get(column), Some(value), "{column}");
    }
    let moment = |text: &str| text.parse::<Time>().expect("a time");
    let started = text(&row, "started_at").map(moment);
    assert_eq!(started, Some(moment("2026-01-31T08:15:00.123456Z")), "to the microsecond");
    assert!(row.fields.get("follows_id").is_none_or(Value::is_null), "what was not sent has no value");
    Ok(())
}

/// Given a create whose answer was lost, when it is sent again, then it is won and nothing has changed.
pub async fn a_create_that_is_sent_again_changes_nothing(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let create = ada.create("workers", worker("Moss"));
    let first = ada.push_one(&create).await;
    assert_eq!(ada.push_one(&create).await, first);
    assert_eq!(ada.load(&["workers"]).await.rows.len(), 1);

    // Somebody has changed it meanwhile: the attempt is late, not an update.
    ada.stranger_updates("workers", create.record_id, one("last_name", "Okafor")).await?;
    let again = ada.push_one(&create).await;
    let row = ada.row("workers", create.record_id).await.expect("it is there");
    assert_eq!(text(&row, "last_name"), Some("Okafor"));
    assert_eq!((won(&again).1, stamped(&again)), (Some(row.version), row.modified_at));
    assert!(won(&again).1 > won(&first).1);
    Ok(())
}

/// Given two changes that create one record, then the first one counts.
pub async fn a_second_create_of_one_record_changes_nothing(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (Clerk::medic(backend, &scene, 0).await, Clerk::medic(backend, &scene, 1).await);
    let first = ada.create("workers", worker("Moss"));
    let second = OutgoingRecord { record_id: first.record_id, ..ben.create("workers", worker("Okafor")) };
    let outcome = ada.push_one(&first).await;
    assert_eq!(ben.push_one(&second).await, outcome);
    let row = ada.row("workers", first.record_id).await.expect("it is there");
    assert_eq!((text(&row, "last_name"), row.last_mutation_id), (Some("Moss"), Some(first.id)));
    Ok(())
}

/// Given a record that an older app has stored under another primary key, when it is created again, then that row is
/// it, and its primary key is told.
pub async fn a_row_of_an_older_app_is_the_record(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let (server_id, client_id) = ada.older_app_inserts("workers", worker("Moss")).await?;
    let create = OutgoingRecord { record_id: client_id, ..ada.create("workers", worker("Late")) };
    assert_eq!(won(&ada.push_one(&create).await).0, server_id);
    let row = ada.row("workers", server_id).await.expect("it is there");
    assert_eq!((text(&row, "last_name"), row.client_id), (Some("Moss"), Some(client_id)), "nothing has changed");

    let change = update("workers", client_id, one("last_name", "Okafor"));
    assert_eq!(won(&ada.push_one(&change).await).0, server_id, "a change finds it by the client's id");
    let rows = ada.load(&["workers"]).await.rows;
    assert_eq!(rows.iter().map(|row| text(row, "last_name")).collect::<Vec<_>>(), [Some("Okafor")]);
    won(&Clerk::admin(backend, &scene).await.push_one(&delete("workers", client_id)).await);
    assert_eq!(ada.load(&["workers"]).await.rows, []);
    Ok(())
}

/// Given a row that another client has stored under this very id, when it is created, then that row is the record.
pub async fn a_row_with_the_id_is_the_record(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let id = ada.stranger_inserts("workers", worker("Moss")).await?;
    let before = ada.row("workers", id).await.expect("it is there");
    assert_eq!((before.client_id, before.last_mutation_id), (None, None));
    let create = OutgoingRecord { record_id: id, ..ada.create("workers", worker("Late")) };
    assert_eq!(won(&ada.push_one(&create).await), (id, Some(before.version)));
    assert_eq!(ada.row("workers", id).await, Some(before));
    Ok(())
}

/// Given a record that somebody has deleted, when a late attempt to create it arrives, then it stays deleted.
pub async fn a_late_create_does_not_bring_a_record_back(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let create = ada.create("workers", worker("Moss"));
    won(&ada.push_one(&create).await);
    ada.stranger_deletes("workers", create.record_id).await?;
    assert_eq!(won(&ada.push_one(&create).await), (create.record_id, None));
    assert_eq!(ada.load(&["workers"]).await.rows, []);
    Ok(())
}

/// Given fields that the table has no columns for, then the rest is stored and they are named.
pub async fn unknown_fields_are_named_and_not_stored(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let create = ada.create("visits", visit("Hall A").with("weather", "rain").with("colour", json!({"a": 1})));
    let result = ada.push(std::slice::from_ref(&create)).await.remove(0);
    let mut ignored = result.ignored;
    ignored.sort();
    assert_eq!(ignored, ["colour", "weather"]);
    won(&result.outcome);
    let row = ada.row("visits", create.record_id).await.expect("it is there");
    assert_eq!((text(&row, "site"), row.fields.get("weather")), (Some("Hall A"), None));

    let change = update("visits", create.record_id, one("weather", "sun").with("minutes", 5));
    let result = ada.push(&[change]).await.remove(0);
    assert_eq!(result.ignored, ["weather"]);
    won(&result.outcome);
    assert_eq!(ada.push(&[update("visits", create.record_id, one("minutes", 6))]).await[0].ignored, [""; 0]);
    Ok(())
}

/// Given fields in the names of the columns that the server keeps, then no client can write those.
pub async fn the_columns_that_the_server_keeps_cannot_be_written(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let other = Scene::with_medics(backend, 0).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    let forged = || -> Fields {
        let stranger = super::actor::change(
            fieldpost_domain::records::RecordOperation::Update,
            "visits",
            crate::conformance::fresh::record_id(),
            Fields::new(),
        );
        Fields::new()
            .with("id", stranger.record_id.to_string())
            .with("client_id", stranger.record_id.to_string())
            .with("org_id", other.world.org_id.to_string())
            .with("version", 99_000)
            .with("sync_xid", "1")
            .with("last_mutation_id", stranger.id.to_string())
            .with("client_modified_at", "2099-01-01T00:00:00Z")
    };
    let mut fields = forged();
    fields.merge(&visit("Hall A"));
    let create = ada.create("visits", fields);
    let result = ada.push(std::slice::from_ref(&create)).await.remove(0);
    assert_eq!((won(&result.outcome).0, result.ignored.len()), (create.record_id, 7), "{:?}", result.ignored);

    let mut fields = forged();
    fields.merge(&one("minutes", 5));
    let change = update("visits", create.record_id, fields);
    let result = ada.push(std::slice::from_ref(&change)).await.remove(0);
    assert_eq!(result.ignored.len(), 7, "{:?}", result.ignored);
    let row = ada.row("visits", create.record_id).await.expect("it is still in her org");
    assert_eq!((row.client_id, row.org_id), (Some(create.record_id), scene.world.org_id));
    assert_eq!((row.last_mutation_id, Some(row.version)), (Some(change.id), won(&result.outcome).1));
    assert!(row.version.get() < 1000 && row.modified_at <= ada.server_time().await);
    Ok(())
}
