//! What a profile shows where a goal is missed.

pub(super) const UNKNOWN: &str = "not profiled yet.";
pub(super) const SQLX: &str = "nine tenths of the processor time of a page is spent on SQLite's thread, not on binding or on the way there. Timed \
    statement by statement (in a build made for that), most of it is the insert of the messages; next come the statements \
    that bring unread counts and newest messages up to date, the look at what is stored, and the update of the \
    conversations, which cost the same for 500 messages of 200 conversations as for 2,000. Raw is given all of that \
    beforehand. Counted by callgrind, four pages of 1,000: four fifths of the instructions are on SQLite's thread; merging \
    the full-text index is 14 of 100 (raw has it too), handing values over by SeaORM and sqlx 6, and taking apart the JSON \
    in which sets are handed over at least 5, which the next step would bind as rows instead.";
pub(super) const THREAD: &str = "each statement goes to SQLite's thread and back, which wakes two threads, 25 to 50 µs where cores are shared; raw runs on the \
    calling thread. A list, a window and a count are one trip, and so is a send: a script of BEGIN, four statements and COMMIT. A send \
    also writes three times as many rows as one row (mutation, local echo with its full-text index, conversation); raw with the same \
    rows shows that share.";
pub(super) const TRIGGERS: &str = "of the processor time of a push on the server, a fifth is the foreign keys of `messages`, which the plain table does not have, \
    and another fifth the rows and their indexes, which is what the plain INSERT does. A third is what makes a push of it: an eighth \
    reads and judges the mutations, as much takes locks, numbers and acknowledges, the rest is the trigger that checks numbers and \
    tombstones and brings conversations up to date; what is left is JSON, in and out. Beside many clients on the same conversations \
    the insert and the answer, three quarters of a push, run one after another under the locks that keep the numbers without holes, \
    where plain INSERTs run on all cores.";
pub(super) const WIRE: &str = "most of it is the server's share. A page of 2,500 messages (930 KiB) takes PostgreSQL 32 ms: 22 collect the rows, of which 9 make \
    their text, the rest joins the answer and checks it as JSON. It took 87 when rows were jsonb. Supabase Lite took another 31 in an earlier \
    timing; the client applies one page while the next is made.";

pub(super) const USABLE: &str = "one glimpse (20 conversations with their last messages) comes before anything else: 24 KiB, 6 ms of PostgreSQL's processor time \
    and 19 to 31 ms over Supabase Lite, where a call that is refused at once took 6 to 11; the seed needs 23 small requests. A glimpse of 50 \
    conversations with three messages each costs PostgreSQL twice as much. What the client adds is not profiled.";
pub(super) const GROWTH: &str = "in an experiment with the same tables in raw SQLite, the full-text index cost the same at any size, and so did the cache; what grows is \
    moving the log into the file, which rewrites the pages that have changed all over it. With a checkpoint every 8,000 pages instead of \
    every 1,000, which is what the files have here, time per message at 75,000 to 300,000 messages was what it was at none.";
pub(super) const POWER: &str = "raw SQLite in batches, in the same tables and given everything that is derived, is itself only 1.6 (100,000) and 2.5 \
    (20,000) × PowerSync in the run of 2026-11-23, so that 3 × is out of reach of these tables. Fieldpost also keeps \
    conversations, unread counts and a full-text index, PowerSync also keeps its log of operations. Messages come round \
    robin over the conversations, the worst order for an index.";
