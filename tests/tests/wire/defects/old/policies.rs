//! The old server's row level security for messages (defect 11): both policies look at the org alone.

/// Who calls. Every row of the scenario belongs to org 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OldCaller {
    pub(crate) org: u32,
}

/// A row: whose conversation it is in, who wrote it by its `sender_id`, and its text.
type Row = (&'static str, &'static str, &'static str);

/// `using (org_id = caller's org)`.
pub(crate) fn select(rows: &[Row], caller: OldCaller) -> Vec<Row> {
    if caller.org == 1 { rows.to_vec() } else { Vec::new() }
}

/// `with check (org_id = caller's org)`: the row says who sent it.
pub(crate) fn insert(rows: &mut Vec<Row>, caller: OldCaller, row: Row) {
    if caller.org == 1 {
        rows.push(row);
    }
}
