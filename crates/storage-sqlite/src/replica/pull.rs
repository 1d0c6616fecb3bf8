//! A page of a pull: its rows, the cursor it leads to, and what derives from them, in one transaction.

use crate::{
    derived,
    error::Res,
    replica::{
        apply,
        context::PageContext,
        digest, marks,
        position::{self, superseded},
    },
    search::erase,
    sql::Tx,
};
use fieldpost_domain::{Cursor, PullPage};
use fieldpost_storage::{ApplyReport, MutationIds, SyncPosition};

pub(super) async fn apply(tx: &Tx, ids: &dyn MutationIds, from: &Cursor, page: PullPage) -> Res<ApplyReport> {
    let mut context = PageContext::read(tx).await?;
    if !matches!(context.position()?, SyncPosition::Following(cursor) if cursor == *from) {
        return Err(superseded());
    }
    let many = erase::leave_many(tx, &page.changes).await?;
    if many {
        erase::begin_many(tx).await?;
    }
    let read = marks::read_as_told(&context, &page.changes, false);
    let mut applied = apply::rows(tx, &mut context, page.changes).await?;
    if many {
        erase::end_many(tx).await?;
    }
    if read.is_empty() {
        derived::settle(tx, &applied.touched).await?;
    } else {
        marks::discount(tx, &context, &read).await?;
        derived::refresh(tx, &applied.touched).await?;
        applied.report.marked_again = marks::requeue_read_marks(tx, ids, &context, &read, page.server_time).await?;
    }
    position::follow(tx, &page.cursor, page.more).await?;
    position::note_server(tx, &context.state, &page.server).await?;
    applied.report.delivered = marks::note_arrived(tx, ids, &context, &applied.touched, page.server_time).await?;
    let digest_matches = digest::matches(tx, page.digest.as_ref()).await?;
    Ok(ApplyReport { digest_matches, ..applied.report })
}
