//! The sections of the report, in order.

/// The unit of a bench's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Work of many messages: shown as a rate.
    Messages,
    /// Seeds of the simulator: shown as a rate.
    Seeds,
    /// Single calls: shown as the time of one.
    Calls,
    /// Single calls: shown as the instructions of one.
    Instructions,
}

impl Unit {
    /// The title of the column with the figures.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Messages => "messages/s",
            Self::Seeds => "seeds/s",
            Self::Calls => "time of a call",
            Self::Instructions => "instructions of a call",
        }
    }

    /// The title of the column with the comparison.
    pub(super) const fn comparison(self) -> &'static str {
        match self {
            Self::Messages | Self::Seeds | Self::Calls => "speed of fieldpost ÷ its",
            Self::Instructions => "its ÷ those of fieldpost",
        }
    }
}

/// A bench's need of the stack, in the order of measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stack {
    /// Nothing.
    Unused,
    /// Tables that no other bench has filled yet: RxDB pages by a time that has no index, through the rows of all
    /// tenants.
    Clean,
    /// Tables of any size.
    Used,
}

/// One bench in the report.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) bench: &'static str,
    pub(super) title: &'static str,
    pub(super) text: &'static str,
    pub(super) unit: Unit,
    pub(super) stack: Stack,
    /// The approximate duration in seconds; after it the bench starts no new round. Faster benches are measured first.
    pub(super) seconds: u64,
}

pub(super) const SECTIONS: [Section; 21] = [
    Section {
        bench: "apply",
        title: "Applying pages",
        text: "Pages of a pull through the storage trait: messages, their conversations, unread counts and \
               cursor, each page one transaction. Raw SQLite writes the same rows into the same tables through prepared \
               statements, row by row and in batches, knowing all derived values beforehand; the bench fails if the two \
               files differ afterwards.",
        unit: Unit::Messages,
        stack: Stack::Unused,
        seconds: 65,
    },
    Section {
        bench: "decode",
        title: "Reading and applying a recorded answer",
        text: "What a real server (PostgreSQL behind Supabase Lite) sent to a device in the same run, kept on its way: the client's \
               own reading of the bytes, then the storage trait, each page one transaction. Beside it serde alone \
               (`#[derive(Deserialize)]`, into typed fields that nobody checks) and then raw SQLite, which writes what is known \
               beforehand to be in the page; the bench fails if the files differ afterwards.",
        unit: Unit::Messages,
        stack: Stack::Used,
        seconds: 30,
    },
    Section {
        bench: "load",
        title: "Loading an empty file",
        text: "So many messages in pages of 2,000, until they can be read. PowerSync's Rust SDK (crate `powersync` 0.2.0 with \
               core 0.5.4) gets the same messages in BSON from a stream that costs nothing, in lines of 1,000; it keeps \
               them without conversations and unread counts, which Fieldpost and raw SQLite have in these \
               figures.",
        unit: Unit::Messages,
        stack: Stack::Unused,
        seconds: 45,
    },
    Section {
        bench: "send",
        title: "Sending",
        text: "`Conversation::send` until it returns: the message is on the disk with `synchronous=FULL`. Raw SQLite commits either \
               one inserted row or all rows that a send leaves behind (mutation, local echo, conversation), with the same \
               durability. *Until an observer has it*: from the call until the stream of the thread on the screen \
               (`Conversation::watch`, 50 messages) has brought the message; raw SQLite, which has no observers, commits the same \
               rows and runs the query of the window again.",
        unit: Unit::Calls,
        stack: Stack::Unused,
        seconds: 30,
    },
    Section {
        bench: "watch",
        title: "Watching",
        text: "A message is written, or comes in by a page of one, while the list (all conversations, at most 10,000), its thread \
               (50 messages) and the badge are watched: from the call until all of them have told it. Beside it the same call \
               with nobody looking. The difference is what the watchers cost; it does not grow with the conversations.",
        unit: Unit::Calls,
        stack: Stack::Unused,
        seconds: 60,
    },
    Section {
        bench: "hear",
        title: "Live hints",
        text: "From `send()` on one phone until the server has acknowledged it, and until it is on the screen of another one, by a live \
               hint. Each phone has a line of its own to a devserver on loopback, which answers requests later; a hint takes no longer \
               there, so half a round trip is to be added to what the other one sees. Without hints the timer brings it, by default \
               within 30 seconds. *Cold*: the sender's connections for requests have just been closed, and a new one takes two round \
               trips more, for TCP and TLS (no TLS is spoken, and no name is looked up). Beside it two clients of supabase-js 2.109.0, the \
               last one for Node 20, in one process: one calls `rpc(\"fieldpost_push\")`, the other one has joined her private topic and \
               calls `rpc(\"fieldpost_pull\")` when she hears. That is the floor of the transport: supabase-js has no local file, no outbox \
               and no order, and what it has not sent is lost with the process. It does not insert \
               into tables and listen to `postgres_changes`: the devserver has neither, and supabase-js closes a channel that asks for \
               them. *Requests* are those of the sender for a message; of her own hint she hears whose it is, and does not pull \
               for it.",
        unit: Unit::Calls,
        stack: Stack::Unused,
        seconds: 230,
    },
    Section {
        bench: "crowd",
        title: "A crowd of live devices",
        text: "Real clients, one of each member of an organization, in one process, live on a devserver in another. *A device comes*: it opens \
               an empty file (or a store in memory), signs in, loads, and listens; beside it what one device takes, there and at the \
               server. The other cases are one write each: the time until the last device shows a message, or until the server has \
               what was read or given; the hints that the server gave to its connections by kind of topic; the topics, each of which is a row \
               of `realtime.messages`; both together, as Realtime counts messages; and the requests that followed. The timer is off, so every pull is due to a hint. *Its deliveries* \
               are what follows when devices tell, 5 s later, that a message has arrived; the time is that until all are silent. *Ten \
               an hour*: twenty seconds of direct messages of medics and admins in turn, at that pace; the counts are those of one.",
        unit: Unit::Calls,
        stack: Stack::Unused,
        seconds: 420,
    },
    Section {
        bench: "list",
        title: "Conversation list",
        text: "50 of 10,000 conversations, newest activity first, with names, previews and unread counts. The others are lists of \
               100,000 by filters, half of them in the archive, one of a hundred unread, one of two hundred muted; a name that \
               nobody has is the one question that looks at every row.",
        unit: Unit::Calls,
        stack: Stack::Unused,
        seconds: 20,
    },
    Section {
        bench: "window",
        title: "Thread window",
        text: "The last 50 messages of a thread, in a file of a million, with the names of their senders.",
        unit: Unit::Calls,
        stack: Stack::Unused,
        seconds: 110,
    },
    Section {
        bench: "search",
        title: "Searching",
        text: "50 hits, as an app shows them while somebody types, in a file of a million messages (a tenth with --quick) of 30,000 words, \
               some as common as \"the\". The last word is the beginning of one, unless white space ends it. Beside it what the index costs: \
               it is built behind the pages, so its time is compared with theirs (*apply and index ÷ apply*), and its bytes are those by \
               which the file grows.",
        unit: Unit::Calls,
        stack: Stack::Unused,
        seconds: 120,
    },
    Section {
        bench: "timeline",
        title: "Timeline",
        text: "`Conversation::timeline` at the newest 50 messages of a thread, in a file of a million: with day dividers, groups and \
               the unread marker. *A message comes in*: a page of one, until the timeline on the screen has told it, and the same \
               with nobody looking; the difference is what a timeline costs per committed change.",
        unit: Unit::Calls,
        stack: Stack::Unused,
        seconds: 110,
    },
    Section {
        bench: "memory",
        title: "Memory of a first sync",
        text: "Peak resident memory over that of an open, empty store, in a process of its own.",
        unit: Unit::Messages,
        stack: Stack::Unused,
        seconds: 45,
    },
    Section {
        bench: "import",
        title: "Importing a file of the older app",
        text: "A WatermelonDB file with 100,000 messages becomes a database of Fieldpost, in a process of its own: copied, \
               converted, checked and written out.",
        unit: Unit::Messages,
        stack: Stack::Unused,
        seconds: 45,
    },
    Section {
        bench: "instructions",
        title: "Instructions",
        text: "Counted by callgrind over all threads, for one call more of many; starting, opening the file and ending are not in \
               it. It does not depend on the machine's speed, nor on what else it does, and leaves out what waiting for the disk \
               costs. The file has 20,000 messages in 200 conversations.",
        unit: Unit::Instructions,
        stack: Stack::Unused,
        seconds: 100,
    },
    Section {
        bench: "simulate",
        title: "The simulator",
        text: "Devices, a network and a server that meet with everything that can go wrong, from seeds, one process on each core. \
               Reported; there is nothing to compare it with.",
        unit: Unit::Seeds,
        stack: Stack::Unused,
        seconds: 15,
    },
    Section {
        bench: "pull",
        title: "First pull",
        text: "A new device of an admin, from the first request to the last row on the device, each client a process of its \
               own, all through one line to the same Supabase Lite over PostgreSQL; then again with the recorded answers, \
               so that the server costs nothing. Fieldpost and the seed algorithm bring the last 100 messages of each conversation, \
               RxDB brings all; whoever is not done in 60 s is stopped, and what it has by then is what it is credited with. *All \
               of them* is Fieldpost alone: a device that is a million messages behind, and a server that makes them up. *Usable* is \
               when the latest message of each of the first 20 conversations can be read: by an app that observes the list, from \
               when it is given that list (looking for the messages comes after the time is taken); of the seed algorithm, when \
               it has written them; of RxDB, at its end. The seed algorithm runs on WatermelonDB with its LokiJS adapter, RxDB with its plugin \
               `replication-supabase` on memory storage: the quickest that either has on Node. Fieldpost writes a file.",
        unit: Unit::Messages,
        stack: Stack::Clean,
        seconds: 570,
    },
    Section {
        bench: "again",
        title: "A sync that finds nothing",
        text: "The same clients once more when nothing is new. With a hundred thousand messages on the server the seed algorithm and RxDB in \
               small batches, with a million all peers, are left out: their first pull alone would take minutes. In the last \
               case the device has a million messages too.",
        unit: Unit::Calls,
        stack: Stack::Used,
        seconds: 370,
    },
    Section {
        bench: "drain",
        title: "Draining the outbox",
        text: "Messages that were written without a network, in five conversations, from the start of a sync until the \
               acknowledgement of the last is stored: of Fieldpost, until `SentMessage::delivered` says so; of the seed \
               algorithm, until its row is marked as sent; of RxDB, until its push handler has returned. What a sync still does \
               after that is not in the time. The lines are of different length; and one loses every tenth answer to a write \
               after the server has done what was asked, the first one included. Of the peers, which send each message in a \
               request of its own, at most 30 are measured, 5 on slow \
               lines, 50 with lost answers (RxDB 200); 5,000 is Fieldpost alone. *Lost* and *doubled* are counted in the \
               database; its triggers know the idempotency keys of the seed algorithm, which its own server did not. Whoever is \
               not done in 30 s is stopped: RxDB sends a batch of 100 again as a whole when an answer in it is lost, and with \
               every tenth lost that is always.",
        unit: Unit::Messages,
        stack: Stack::Clean,
        seconds: 246,
    },
    Section {
        bench: "meanwhile",
        title: "Sending while a first load runs",
        text: "A new device loads 200 conversations with 100 messages each, over a line of 200 ms. As soon as it has the first of \
               them, a person sends four messages, one after the other: from the call of `send` until the acknowledgement is \
               stored, which is when `SentMessage::delivered` says so (of RxDB: when its push handler has got the answer for that \
               document, in memory). The connection is open and somebody is signed in. Each client checks before and after each \
               message that its load still runs; without that there is no figure. *Recorded* is until `send` has returned, \
               *server* the server's own time for a message, in which it also makes a page. The seed algorithm, which sends \
               only once its pull is over, is left out.",
        unit: Unit::Calls,
        stack: Stack::Clean,
        seconds: 60,
    },
    Section {
        bench: "records",
        title: "Draining the clinical queue",
        text: "500 treatments of one worker, written offline, until the server has them and the device knows. The seed algorithm is \
               that of the app before: one INSERT for each, with its idempotency key as `client_id`, then the id written back, on \
               WatermelonDB in memory; at 200 ms it sends 20, which predicts the rest. Fieldpost syncs everything in that time: the \
               queue, its pull, the audit log, and the messages.",
        unit: Unit::Messages,
        stack: Stack::Used,
        seconds: 60,
    },
    Section {
        bench: "serve",
        title: "The server",
        text: "`fieldpost_push` and `fieldpost_pull` on PostgreSQL, called by SQL as a signed-in admin, beside one INSERT or \
               SELECT of the same rows in a plain table with the same indexes and without triggers and policies, both from \
               and to JSON. 16 calls a round, shared among the clients.",
        unit: Unit::Messages,
        stack: Stack::Used,
        seconds: 60,
    },
];
