//! What a profile shows where a goal is missed.

pub(super) const UNKNOWN: &str = "not profiled yet.";
pub(super) const SQLX: &str = "timed statement by statement (in a build made for that), a page of 500 messages in 200 conversations \
    takes 8.3 ms: 2.9 insert the messages, 3.5 are three updates of the conversations (what the server says of them, what is new in \
    them, what a list shows), 1.1 look at what is stored, most of the rest goes over to SQLite's thread and back. Of 16.5 ms for 2,000, \
    10.8 insert. Raw is given all of that beforehand and writes the conversations once. The next step would be one update instead of \
    three. Counted by callgrind, merging the full-text index is 22 of 100 instructions of a page (raw has it too), handing values over \
    by SeaORM and sqlx 6.";
pub(super) const THREAD: &str = "each statement goes to SQLite's thread and back, which wakes two threads, 25 to 50 µs where cores are shared; raw runs on the \
    calling thread. A list, a window and a count are one trip, and so is a send: a script of BEGIN, four statements and COMMIT. A send \
    also writes three times as many rows as one row (mutation, local echo with its full-text index, conversation); raw with the same \
    rows shows that share.";
pub(super) const TRIGGERS: &str = "of the 25 ms that a push of 500 spends in its function on PostgreSQL 15, 4.5 read and judge the \
    mutations, 9 write the rows and their indexes, which is what the plain INSERT does, 8 check the foreign keys of `messages`, which \
    the plain table does not have, and 3 are the trigger that checks numbers and tombstones and brings conversations up to date. JSON, \
    in and out, takes another 5; while the answer was jsonb it took 8 more. Beside many clients on the same conversations the insert and \
    the answer, three quarters of a push, run one after another under the locks that keep the numbers without holes, where plain INSERTs \
    run on all cores.";
pub(super) const WIRE: &str = "most of it is the server's share. A page of 2,500 messages (930 KiB) takes PostgreSQL 32 ms: 22 collect the rows, of which 9 make \
    their text, the rest joins the answer and checks it as JSON. It took 87 when rows were jsonb. Supabase Lite took another 31 in an earlier \
    timing; the client applies one page while the next is made.";

pub(super) const USABLE: &str = "one first screen (20 conversations with their last messages) comes before anything else: 24 KiB, 6 ms of \
    PostgreSQL's processor time and 14 to 18 ms over Supabase Lite, where a call that is refused at once took 6 to 11; the seed needs 23 \
    small requests. The client adds 7 to 11 ms, more than half of that SQLite preparing each statement for the first time.";
pub(super) const GROWTH: &str = "on a file system in memory the same bench grows by 1.3 (2,000) and 1.4 (500) up to 100,000 messages, \
    and loading a million by 1.4; what grows beside that is writing to the disk's file system. Messages come round robin over the \
    conversations, so that each page changes a page of the index for every conversation; what moves the log into the file rewrites them \
    all over it, every 8,000 pages.";
pub(super) const POWER: &str = "raw SQLite in batches, in the same tables and given everything that is derived, is itself only 1.6 (100,000) and 2.5 \
    (20,000) × PowerSync in the run of 2026-11-23, so that 3 × is out of reach of these tables. Fieldpost also keeps \
    conversations, unread counts and a full-text index, PowerSync also keeps its log of operations. Messages come round \
    robin over the conversations, the worst order for an index.";
