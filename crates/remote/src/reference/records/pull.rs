//! `fieldpost_records_pull`: a page of a first load, or of what was committed since a cursor.

use super::{
    RecordKey,
    cursor::{Position, Stage},
    visibility::Told,
};
use crate::{
    RecordPullRequest, RemoteResult,
    reference::{
        cursor::unreadable,
        feed::{Place, RowKey},
        page::Budget,
        snapshot::Snapshot,
        state::State,
        viewer::Viewer,
    },
};
use fieldpost_domain::{
    PersonId, ServerEpoch, Transfer,
    records::{RecordPage, RecordRow, RecordTombstone, TableName},
};
use std::{collections::BTreeSet, ops::Bound};

const OPERATION: &str = "pull_records";

/// About what the envelope of a row costs as JSON.
const FRAME: usize = 350;

pub(super) fn pull(state: &State, caller: PersonId, request: &RecordPullRequest) -> RemoteResult<RecordPage> {
    let viewer = Viewer::of(&state.tables, caller);
    let (tables, unknown_tables) = offered(state, &request.tables);
    let fingerprint = format!("{}-{}", viewer.fingerprint(), state.tables.records.policies);
    let position = match &request.cursor {
        Some(cursor) => Position::read(cursor.as_str()).ok_or(unreadable(OPERATION))?,
        None => Position {
            epoch: state.epoch,
            fingerprint: fingerprint.clone(),
            tables: tables.clone(),
            from: state.feed.snapshot(),
            stage: Stage::Loading(None),
        },
    };
    position.check(state, &tables, &fingerprint, OPERATION)?;
    let budget = Budget::new(&state.options.limits, (request.limit, request.bytes), OPERATION)?;
    let mut page = Page { budget, rows: Vec::new(), tombstones: Vec::new(), bytes: 0 };
    let loading = matches!(position.stage, Stage::Loading(_));
    let next = match position.stage.clone() {
        Stage::Loading(after) => load(state, &viewer, &position, after, &mut page),
        Stage::Resting => pass(state, &viewer, &position, None, &mut page),
        Stage::Passing(to, at) => pass(state, &viewer, &position, Some((to, at)), &mut page),
    };
    Ok(RecordPage {
        transfer: Transfer { bytes: u32::try_from(page.bytes).unwrap_or(u32::MAX), ..Transfer::default() },
        rows: page.rows,
        tombstones: page.tombstones,
        unreadable: 0,
        more: next.stage != Stage::Resting,
        cursor: next.write().ok_or(unreadable(OPERATION))?,
        loading,
        unknown_tables,
        epoch: Some(ServerEpoch::new(format!("{:x}", state.epoch))),
        server_time: state.now(),
    })
}

/// The numbers of the offered tables among these, and the names of the others.
fn offered(state: &State, names: &[TableName]) -> (BTreeSet<usize>, Vec<TableName>) {
    let number = |name: &&TableName| state.tables.records.number(name);
    let unknown: BTreeSet<_> = names.iter().filter(|name| number(name).is_none()).cloned().collect();
    (names.iter().filter_map(|name| number(&name)).collect(), unknown.into_iter().collect())
}

/// The rows of the tables in the order of their keys. What changes behind the place is in the pass after the load.
fn load(state: &State, viewer: &Viewer, position: &Position, after: Option<RecordKey>, page: &mut Page) -> Position {
    let (mut last, records) = (after, &state.tables.records);
    let start = after.map_or(Bound::Unbounded, Bound::Excluded);
    for (key, stored) in records.rows.range((start, Bound::Unbounded)) {
        if !position.tables.contains(&key.table) || !viewer.sees_record(&state.tables, &stored.row) {
            continue;
        }
        if page.is_full() {
            return Position { stage: Stage::Loading(last), ..position.clone() };
        }
        page.add(Told::Row(stored.row.clone()));
        last = Some(*key);
    }
    Position { stage: Stage::Resting, ..position.clone() }
}

/// What became visible between two snapshots.
fn pass(
    state: &State,
    viewer: &Viewer,
    position: &Position,
    running: Option<(Snapshot, Place)>,
    page: &mut Page,
) -> Position {
    let (to, mut at) = running.unwrap_or((state.feed.snapshot(), Place::start_of(0)));
    for (place, key) in state.feed.between(at, &position.from, &to) {
        let told = match key {
            RowKey::Record(key) if position.tables.contains(&key.table) => viewer.told_of_record(&state.tables, key),
            RowKey::RecordTombstone(key, org) if position.tables.contains(&key.table) => {
                viewer.told_of_tombstone(&state.tables, key, org)
            }
            _ => None,
        };
        let Some(told) = told else { continue };
        if page.is_full() {
            return Position { stage: Stage::Passing(to.clone(), at), ..position.clone() };
        }
        page.add(told);
        at = place.next();
    }
    Position { from: to, stage: Stage::Resting, ..position.clone() }
}

/// A page under construction. It has one row at least.
struct Page {
    budget: Budget,
    rows: Vec<RecordRow>,
    tombstones: Vec<RecordTombstone>,
    bytes: usize,
}

impl Page {
    fn is_full(&self) -> bool {
        let rows = self.rows.len() + self.tombstones.len();
        rows > 0 && (rows >= self.budget.rows || self.bytes >= self.budget.bytes)
    }

    fn add(&mut self, told: Told) {
        self.bytes += FRAME;
        match told {
            Told::Row(row) => {
                self.bytes += row.fields.json_size();
                self.rows.push(row);
            }
            Told::Tombstone(tombstone) => self.tombstones.push(tombstone),
        }
    }
}
