//! Declaring tables.

use super::build::{change, column, field, load_page, moment, new_visit, record_id, row_with, table, tables, visits};
use super::given::{batch, counts, created, loaded, pulled, queue, ready, seen, updated, visit};
use super::{Phone, RecordDevice};
use crate::conformance::{
    build::{cursor, mutation_id},
    given::mutations,
};
use crate::records::{RecordEntryState, RecordStore};
use crate::{ChangeSet, StorageErrorKind};
use fieldpost_domain::records::{Column, ColumnKind, Fields, RecordState, RecordTable};

/// `Records::declared`: by name.
pub async fn declared_tables_are_listed(store: &dyn RecordStore) {
    let declared = store.declared().await.unwrap();
    assert_eq!(declared, [super::build::sites(), visits()]);
}

/// `Records::declare`, rule 3.
pub async fn declaring_again_changes_nothing(store: &dyn RecordStore) {
    loaded(store, vec![row_with(1, 1, field("weather", "rain"))]).await;
    created(store, 2).await;
    let before = (visit(store, 1).await, visit(store, 2).await, store.record_state().await.unwrap());

    let mut heard = store.record_changes();
    store.declare(&tables()).await.unwrap();

    assert_eq!(heard.take(), ChangeSet::nothing());
    assert_eq!((visit(store, 1).await, visit(store, 2).await, store.record_state().await.unwrap()), before);
}

/// `Records::declare`, rule 1: what was kept and fits moves into the column.
pub async fn a_new_column_takes_what_was_kept(store: &dyn RecordStore) {
    let odd = Fields::new().with("weather", "rain").with("depth", "deep");
    loaded(store, vec![row_with(1, 1, odd)]).await;
    let wider = visits()
        .column(Column::new(column("sky"), ColumnKind::Text).on_server(column("weather")).indexed())
        .column(Column::new(column("depth"), ColumnKind::Integer));

    store.declare(&[wider, super::build::sites()]).await.unwrap();

    let seen = visit(store, 1).await;
    assert_eq!(seen.fields, Fields::new().with("place", "Place 1").with("sky", "rain"));
    assert_eq!(seen.extra, field("depth", "deep"), "what does not fit stays where it is");
    let fixed = updated(store, 5, 1, Fields::new().with("depth", 7).with("sky", "sun")).await;
    assert_eq!(fixed.fields.get("depth"), Some(&7.into()));
}

/// `Records::declare`, rule 2: a table.
pub async fn what_is_no_longer_declared_is_kept(store: &dyn RecordStore) {
    loaded(store, vec![row_with(1, 1, field("weather", "rain"))]).await;
    updated(store, 5, 1, field("place", "Roof")).await;
    created(store, 2).await;

    store.declare(&[super::build::sites()]).await.unwrap();

    let error = store.record(&table("visits"), record_id(1)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::NotFound);
    assert!(batch(store).await.is_empty(), "it is not sent");
    let states: Vec<_> = queue(store).await.into_iter().map(|entry| entry.state).collect();
    assert_eq!(states, [RecordEntryState::NotDeclared, RecordEntryState::NotDeclared]);
    let waiting = counts(store, 600).await;
    assert_eq!((waiting.pending, waiting.next_at), (2, None));

    store.declare(&tables()).await.unwrap();
    assert_eq!(visit(store, 1).await.fields, field("place", "Roof"));
    assert_eq!(visit(store, 1).await.extra, field("weather", "rain"));
    assert_eq!(batch(store).await, mutations([5, 2]));
}

/// `Records::declare`, rule 2: a column.
pub async fn a_column_that_is_no_longer_declared_is_kept(store: &dyn RecordStore) {
    loaded(store, vec![row_with(1, 1, field("badge", record_id(9).to_string()))]).await;
    updated(store, 5, 1, Fields::new().with("share", 0.5)).await;
    let narrow = RecordTable { columns: visits().columns.into_iter().take(2).collect(), ..visits() };
    let narrow = RecordTable { priority: Default::default(), ..narrow };

    store.declare(&[narrow]).await.unwrap();

    assert_eq!(visit(store, 1).await.fields, field("place", "Place 1"));
    let sent = super::given::taken(store, super::build::everything()).await;
    assert_eq!(sent[0].fields, field("share", 0.5), "the change is sent as it was made");
    let error = store.update_record(mutation_id(6), change(1, field("share", 0.7), moment(6))).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::InvalidRecord);

    store.declare(&tables()).await.unwrap();
    let all = field("place", "Place 1").with("badge", record_id(9).to_string()).with("share", 0.5);
    assert_eq!(visit(store, 1).await.fields, all);
}

/// `Records::declare`, rule 4.
pub async fn a_new_table_loads_again(store: &dyn RecordStore) {
    store.declare(&[visits(), super::build::sites()]).await.unwrap();
    loaded(store, vec![super::build::row(1, 1)]).await;
    assert_eq!(store.record_state().await.unwrap().cursor, Some(cursor("0")));

    let tools = RecordTable::new(table("tools"));
    store.declare(&[visits(), super::build::sites(), tools.clone()]).await.unwrap();

    assert_eq!(store.record_state().await.unwrap().cursor, None);
    assert!(seen(store, 1).await.is_some(), "the rows stay until the load has ended");
    let error = store.apply_records(Some(cursor("0")), &load_page("1", vec![])).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Superseded, "an answer to a request of before is none for these tables");
    let row = fieldpost_domain::records::RecordRow { table: table("tools"), ..super::build::row(7, 1) };
    loaded(store, vec![super::build::row(1, 1), row]).await;
    assert_eq!(store.count_records(&table("tools")).await.unwrap(), 1);

    store.declare(&[visits(), super::build::sites(), tools.on_server(table("crew_tools"))]).await.unwrap();
    assert_eq!(store.record_state().await.unwrap().cursor, None, "the table has another name on the server");
}

/// `Records::declare`: the errors.
pub async fn a_faulty_declaration_changes_nothing(store: &dyn RecordStore) {
    let nowhere = visits().column(Column::new(column("tool"), ColumnKind::Reference(table("tools"))));
    let mut other_kind = visits();
    other_kind.columns[1].kind = ColumnKind::Text;
    for faulty in [vec![nowhere], vec![visits(), visits()], vec![other_kind.clone(), super::build::sites()]] {
        let error = store.declare(&faulty).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (StorageErrorKind::Declaration, "declare"));
        assert_eq!(store.declared().await.unwrap(), [super::build::sites(), visits()]);
    }
    let without = RecordTable { columns: visits().columns.into_iter().take(1).collect(), ..visits() };
    store.declare(&[RecordTable { priority: Default::default(), ..without }]).await.unwrap();
    let error = store.declare(&[other_kind, super::build::sites()]).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Declaration, "the column still has its data");
}

/// A table that was never declared is unknown to every method.
pub async fn an_undeclared_table_is_not_found(store: &dyn RecordStore) {
    let tools = table("tools");
    let new = fieldpost_domain::records::NewRecord { table: tools.clone(), ..new_visit(1) };
    let changed =
        fieldpost_domain::records::RecordChange { table: tools.clone(), ..change(1, Fields::new(), moment(1)) };
    let query = fieldpost_domain::records::RecordQuery::new(tools.clone());
    let kinds = [
        store.create_record(mutation_id(1), new).await.unwrap_err().kind(),
        store.update_record(mutation_id(1), changed).await.unwrap_err().kind(),
        store.delete_record(mutation_id(1), tools.clone(), record_id(1), moment(1)).await.unwrap_err().kind(),
        store.record(&tools, record_id(1)).await.unwrap_err().kind(),
        store.records(&query).await.unwrap_err().kind(),
        store.count_records(&tools).await.unwrap_err().kind(),
    ];
    assert_eq!(kinds, [StorageErrorKind::NotFound; 6]);
    pulled(store, vec![fieldpost_domain::records::RecordRow { table: tools, ..super::build::row(1, 1) }]).await;
    assert!(queue(store).await.is_empty());
}

/// Tables are declared in the file: the next process has them, and so has another one.
pub async fn declarations_survive_a_restart(device: &dyn RecordDevice) {
    let Phone { records, store } = device.open().await;
    assert!(records.declared().await.unwrap().is_empty());
    ready(&Phone { records: records.clone(), store: store.clone() }).await;
    created(&*records, 1).await;
    let other = device.open().await;
    assert_eq!(visit(&*other.records, 1).await.state, RecordState::Queued);
    store.close().await.unwrap();
    assert_eq!(device.open().await.records.declared().await.unwrap().len(), 2);
}

/// `Records::declare`, rule 4: what the server has of a new column was never sent of the rows that are here.
pub async fn a_new_column_loads_again(store: &dyn RecordStore) {
    loaded(store, vec![super::build::row(1, 3)]).await;
    let risk = Column::new(column("risk"), ColumnKind::Text);
    let narrow = super::build::sites();
    let wide = narrow.clone().column(Column::new(column("colour"), ColumnKind::Text));
    store.declare(&[visits(), wide.clone()]).await.unwrap();
    assert_eq!(store.record_state().await.unwrap().cursor, Some(cursor("0")), "there is no site");

    store.declare(&[visits().column(risk.clone()), wide.clone()]).await.unwrap();
    assert_eq!(store.record_state().await.unwrap().cursor, None);
    assert!(seen(store, 1).await.is_some(), "the rows stay until the load has ended");
    loaded(store, vec![row_with(1, 3, field("risk", "low"))]).await;
    assert_eq!(visit(store, 1).await.fields.get("risk"), Some(&"low".into()), "of the version that is here already");

    let indexed = visits().column(risk.clone().indexed());
    store.declare(&[indexed, wide.clone()]).await.unwrap();
    assert_eq!(store.record_state().await.unwrap().cursor, Some(cursor("0")), "the column is none the less the same");
    let renamed = visits().column(risk.on_server(column("danger")));
    store.declare(&[renamed, wide]).await.unwrap();
    assert_eq!(store.record_state().await.unwrap().cursor, None, "the column has another name on the server");
}
