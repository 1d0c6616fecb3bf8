//! `fieldpost_pull`: what was committed since a cursor.

use super::{
    cursor::{Position, unreadable},
    feed::Place,
    page::{Budget, Page},
    state::State,
    viewer::Viewer,
};
use crate::{PullRequest, RemoteResult};
use fieldpost_domain::{PersonId, PullPage};

const OPERATION: &str = "pull";

pub(super) fn pull(state: &State, caller: PersonId, request: &PullRequest) -> RemoteResult<PullPage> {
    let viewer = Viewer::of(&state.tables, caller);
    let position = Position::read(request.cursor.as_str()).ok_or(unreadable(OPERATION))?;
    position.check(state, &viewer.fingerprint(), OPERATION)?;

    let (to, after) = position.pass.unwrap_or((state.feed.last_commit(), Place::end_of(position.from)));
    let budget = Budget::new(&state.options.limits, request.limit, OPERATION)?;
    let mut page = Page::new(&state.tables, &viewer);
    let (mut rows, mut last, mut more) = (0, after, false);
    for (place, key) in state.feed.between(after, to) {
        if !viewer.sees_row(&state.tables, &key) {
            continue;
        }
        // The rows that a page brings along because its messages name them do not count, or a page of one would stand still.
        if rows > 0 && (rows >= budget.rows || page.bytes() >= budget.bytes) {
            more = true;
            break;
        }
        page.add(&key);
        rows += 1;
        last = place;
    }
    let (from, pass) = if more { (position.from, Some((to, last))) } else { (to.max(position.from), None) };
    let next = Position { epoch: state.epoch, fingerprint: viewer.fingerprint(), from, pass };
    Ok(PullPage {
        changes: page.finish(),
        cursor: next.write().ok_or(unreadable(OPERATION))?,
        more,
        digest: (!more).then(|| state.digest(&viewer)),
        server_time: state.now(),
        limits: state.options.limits,
    })
}
