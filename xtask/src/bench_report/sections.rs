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

pub(super) const SECTIONS: [Section; 4] = [
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
];
