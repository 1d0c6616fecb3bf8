//! Triggers, policies and indexes, each one dropped.

use crate::planted_bugs::{
    bug::{Bug, bug, drop_trigger, replace, sql},
    proofs::{
        COPIED, HOT, OLD_KEY, ORGANIZATIONS, POLICIES, SCALE, STRANGER_COLUMNS, STRANGER_EDITS, STRANGER_OPENS,
        STRANGER_READS, STRANGER_ROWS,
    },
};

/// Triggers that other clients rely on, one by one.
pub(super) fn triggers() -> Vec<Bug> {
    [
        ("messages", "before_insert", COPIED),
        ("messages", "before_insert_client", STRANGER_COLUMNS),
        ("messages", "after_insert", STRANGER_ROWS),
        ("messages", "before_update_client", STRANGER_EDITS),
        ("messages", "after_update", STRANGER_EDITS),
        ("conversations", "before_insert_client", STRANGER_OPENS),
        ("conversations", "after_insert", STRANGER_OPENS),
        ("conversations", "before_update_client", STRANGER_COLUMNS),
        ("conversation_read_status", "before_write", STRANGER_READS),
    ]
    .into_iter()
    .map(|(table, name, proof)| bug(&format!("trigger {name} of {table} dropped"), proof, [drop_trigger(table, name)]))
    .collect()
}

/// Each policy in turn, except `fieldpost_delete`: it permits nothing, like the absence of a policy.
pub(super) fn policies() -> Vec<Bug> {
    let tables = ["conversations", "messages", "message_recipients", "conversation_read_status"];
    let names = ["select", "insert", "update", "only_select", "only_insert", "only_update", "only_delete"];
    let ours = tables.into_iter().flat_map(|table| names.map(|name| (table, format!("fieldpost_{name}"))));
    let theirs =
        [("medics", "fieldpost_select"), ("profiles", "fieldpost_select"), ("organizations", "fieldpost_select")];
    ours.chain(theirs.map(|(table, name)| (table, name.to_owned())))
        .map(|(table, policy)| {
            bug(
                &format!("policy {policy} of {table} dropped"),
                POLICIES,
                [sql(&format!("drop policy {policy} on public.{table}"))],
            )
        })
        .collect()
}

/// Each hot index in turn, and a scan that starts at its first row.
pub(super) fn indexes() -> Vec<Bug> {
    let names = [
        "public.fieldpost_messages_seq",
        "public.fieldpost_messages_feed_conversation",
        "public.fieldpost_messages_feed_org",
        "public.fieldpost_markers_feed_org",
        "fieldpost.tombstones_feed_org",
        "fieldpost.tombstones_feed_conversation",
        "fieldpost.people_feed",
        "fieldpost.access_log_feed",
    ];
    let mut list: Vec<_> = names
        .into_iter()
        .map(|name| bug(&format!("index {name} dropped"), SCALE, [sql(&format!("drop index {name}"))]))
        .collect();
    list.extend(
        ["public.fieldpost_conversations_feed", "public.fieldpost_markers_feed_conversation"]
            .map(|name| bug(&format!("index {name} dropped"), ORGANIZATIONS, [sql(&format!("drop index {name}"))])),
    );
    list.push(bug(
        "index public.fieldpost_messages_key dropped",
        OLD_KEY,
        [sql("drop index public.fieldpost_messages_key")],
    ));
    list.push(bug(
        "an index names last_seq",
        HOT,
        [sql("create index planted on public.conversations (id) where last_seq is null")],
    ));
    list.push(bug(
        "a pull's index scan begins at the first row that there ever was",
        SCALE,
        [replace(
            "fieldpost.feed_messages",
            "and q.seq is not null\n        order by q.sync_xid, q.id limit f.rows\n      ) m\n      union all",
            "and q.seq is not null and (q.sync_xid, q.id) > (f.xid, f.a)\n        \
             order by q.sync_xid, q.id limit f.rows\n      ) m\n      union all",
        )],
    ));
    list
}
