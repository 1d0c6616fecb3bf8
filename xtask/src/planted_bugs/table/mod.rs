//! The bugs of the SQL, and the test that catches each.

mod addressed;
mod deletions;
mod edits;
mod erasing;
mod feed;
mod guests;
mod histories;
mod leaving;
mod live;
mod privacy;
mod quiet;
mod reactions;
mod receipts;
mod record_tables;
mod records;
mod reports;
mod schema;
mod searching;
mod settings;
mod writing;

use super::bug::Bug;

pub(super) fn bugs() -> Vec<Bug> {
    [
        feed::feed(),
        feed::numbers(),
        writing::push(),
        writing::first_load(),
        edits::edits(),
        deletions::deletions(),
        erasing::retention(),
        erasing::erasing(),
        addressed::addressed(),
        reactions::reactions(),
        reports::reports(),
        receipts::receipts(),
        settings::settings(),
        quiet::quiet(),
        leaving::deletes(),
        leaving::epochs(),
        histories::histories(),
        privacy::privacy(),
        guests::rows(),
        guests::policies(),
        guests::projects(),
        guests::organizations(),
        records::winners(),
        records::batches(),
        record_tables::feed(),
        record_tables::tables(),
        searching::searching(),
        live::hints(),
        live::guests(),
        schema::triggers(),
        schema::policies(),
        schema::indexes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
