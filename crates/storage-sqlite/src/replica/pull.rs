//! A page of a pull: its rows, the cursor it leads to, and what derives from them, in one transaction.

use crate::{
    derived,
    error::Res,
    replica::{
        apply, digest, marks,
        position::{self, Standing, superseded},
    },
    search,
    sql::Tx,
};
use fieldpost_domain::{Cursor, PullPage};
use fieldpost_storage::{ApplyReport, MutationIds, SyncPosition};

pub(super) async fn apply(tx: &Tx, ids: &dyn MutationIds, from: &Cursor, page: PullPage) -> Res<ApplyReport> {
    if !matches!(position::read(tx).await?, SyncPosition::Following(cursor) if cursor == *from) {
        return Err(superseded());
    }
    let standing = Standing::read(tx).await?;
    let many = search::leave_many(tx, &page.changes).await?;
    if many {
        search::begin_many(tx).await?;
    }
    let read = marks::read_as_told(tx, &page.changes, false).await?;
    let mut applied = apply::rows(tx, &standing, page.changes).await?;
    if many {
        search::end_many(tx).await?;
    }
    marks::discount(tx, &read).await?;
    derived::refresh(tx, &applied.touched).await?;
    applied.report.marked_again = marks::again(tx, ids, &read, page.server_time).await?;
    position::follow(tx, &page.cursor, page.more).await?;
    position::note_server(tx, &page.server).await?;
    let digest_matches = digest::matches(tx, page.digest.as_ref()).await?;
    Ok(ApplyReport { digest_matches, ..applied.report })
}
