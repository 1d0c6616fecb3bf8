//! What the report has, in its order.

/// What the work of a bench is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Work of many messages: shown as a rate.
    Messages,
    /// Single calls: shown as the time of one.
    Calls,
}

/// One bench in the report.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) bench: &'static str,
    pub(super) title: &'static str,
    pub(super) text: &'static str,
    pub(super) unit: Unit,
}

pub(super) const SECTIONS: [Section; 10] = [
    Section {
        bench: "apply",
        title: "Applying pages",
        text: "Pages of a pull through the storage trait: messages, their conversations, unread counts, full-text index and \
               cursor, each page one transaction. Raw SQLite writes the same rows into the same tables through prepared \
               statements, row by row and in batches, knowing all derived values beforehand; the bench fails if the two \
               files differ afterwards.",
        unit: Unit::Messages,
    },
    Section {
        bench: "load",
        title: "Loading an empty file",
        text: "So many messages in pages of 2,000, until they can be read. PowerSync's Rust SDK (crate `powersync` 0.2.0 with \
               core 0.5.4) gets the same messages in BSON from a stream that costs nothing, in lines of 1,000; it keeps \
               them without conversations, unread counts and full-text index, which Fieldpost and raw SQLite have in these \
               figures.",
        unit: Unit::Messages,
    },
    Section {
        bench: "send",
        title: "Sending",
        text: "`Client::send` until it returns: the message is on the disk with `synchronous=FULL`. Raw SQLite commits either \
               one inserted row or all rows that a send leaves behind (mutation, local echo, conversation), with the same \
               durability.",
        unit: Unit::Calls,
    },
    Section {
        bench: "list",
        title: "Conversation list",
        text: "50 of 10,000 conversations, newest activity first, with names, previews and unread counts.",
        unit: Unit::Calls,
    },
    Section {
        bench: "window",
        title: "Thread window",
        text: "The last 50 messages of a thread, in a file of a million, with the names of their senders.",
        unit: Unit::Calls,
    },
    Section {
        bench: "memory",
        title: "Memory of a first sync",
        text: "Peak resident memory over that of an open, empty store, in a process of its own.",
        unit: Unit::Messages,
    },
    Section {
        bench: "pull",
        title: "First pull",
        text: "A new device of an admin, from the first request to the last row on the device, each client a process of its \
               own, all through one line to the same Supabase Lite over PostgreSQL; then again with the recorded answers, \
               so that the server costs nothing. *Usable* is when the latest message of each of the first 20 conversations \
               can be read. The seed algorithm runs on WatermelonDB with its LokiJS adapter, RxDB with its plugin \
               `replication-supabase` on memory storage: the quickest that either has on Node. Fieldpost writes a file.",
        unit: Unit::Messages,
    },
    Section {
        bench: "again",
        title: "A sync that finds nothing",
        text: "The same clients once more when nothing is new.",
        unit: Unit::Calls,
    },
    Section {
        bench: "drain",
        title: "Draining the outbox",
        text: "Messages that were written without a network, in five conversations, until the last is acknowledged, over \
               lines of different length; and with every tenth answer to a write lost after the server has done what was \
               asked, the first one included. Of the peers, which send one message after the other, at most 100 are measured, \
               10 on slow lines (RxDB 500). *Lost* and *doubled* are counted in the database; its triggers know the \
               idempotency keys of the seed algorithm, which its own server did not.",
        unit: Unit::Messages,
    },
    Section {
        bench: "serve",
        title: "The server",
        text: "`fieldpost_push` and `fieldpost_pull` on PostgreSQL, called by SQL as a signed-in admin, beside one INSERT or \
               SELECT of the same rows in a plain table with the same indexes and without triggers and policies, both from \
               and to JSON. 16 calls a round, shared among the clients.",
        unit: Unit::Messages,
    },
];
