//! `fieldpost_pull`: the changes committed since a cursor.

use super::{
    cursor::{Position, unreadable},
    feed::Place,
    page::{Budget, Page},
    state::State,
    viewer::Viewer,
};
use crate::{PullRequest, RemoteResult};
use fieldpost_domain::{Capabilities, PersonId, PullPage, Transfer};

const OPERATION: &str = "pull";

pub(super) fn pull(
    state: &State,
    caller: PersonId,
    request: &PullRequest,
    speaks: &Capabilities,
) -> RemoteResult<PullPage> {
    let viewer = Viewer::of(&state.tables, caller);
    let position = Position::read(request.cursor.as_str()).ok_or(unreadable(OPERATION))?;
    position.check(state, &viewer.fingerprint(), OPERATION)?;

    let (to, mut at) = position.pass.unwrap_or((state.feed.snapshot(), Place::start_of(0)));
    let budget = Budget::new(&state.options.limits, (request.limit, request.bytes), OPERATION)?;
    let mut page = Page::new(&state.tables, &viewer, speaks);
    let (mut rows, mut more) = (0, false);
    for (place, key) in state.feed.between(at, &position.from, &to) {
        if !viewer.hears_of(&state.tables, &key) || viewer.filters(&state.tables, &key) {
            continue;
        }
        // Rows that come along only because a message references them do not count, or a page of one row would never
        // advance.
        if rows > 0 && (rows >= budget.rows || page.bytes() >= budget.bytes) {
            more = true;
            break;
        }
        page.add(&key);
        rows += 1;
        at = place.next();
    }
    let (from, pass) = if more { (position.from, Some((to, at))) } else { (to, None) };
    let next = Position { epoch: state.epoch, fingerprint: viewer.fingerprint(), from, pass };
    Ok(PullPage {
        transfer: Transfer { bytes: page.weight(), ..Transfer::default() },
        changes: page.finish(),
        cursor: next.write().ok_or(unreadable(OPERATION))?,
        more,
        digest: (!more).then(|| state.digest(&viewer, speaks)),
        server_time: state.now(),
        limits: state.options.limits,
        server: state.options.info.clone(),
    })
}
