//! What a profile shows where a goal is missed.

pub(super) const UNKNOWN: &str = "not profiled yet.";
pub(super) const SQLX: &str = "timed statement by statement (in a build made for that), most of a page is the insert of its messages; next come the \
    statements that bring ranges, unread counts and newest messages up to date, and the upsert of its conversations. Raw is \
    given all of that beforehand. How much of the insert itself is binding and the way to SQLite's thread is not measured yet.";
pub(super) const THREAD: &str = "not profiled yet. Likely the way to SQLite's thread and back, once for each of the statements of a call, which raw, \
    on the calling thread, does not go; wall times here also hold what else ran on the machine.";
pub(super) const TRIGGERS: &str = "of the processor time of a push on the server, a fifth is the foreign keys of `messages`, which the plain table does not have, \
    and another fifth the rows and their indexes, which is what the plain INSERT does. A third is what makes a push of it: an eighth \
    reads and judges the mutations, as much takes locks, numbers and acknowledges, the rest is the trigger that checks numbers and \
    tombstones and brings conversations up to date; what is left is JSON, in and out. Beside many clients on the same conversations \
    the insert and the answer, three quarters of a push, run one after another under the locks that keep the numbers without holes, \
    where plain INSERTs run on all cores.";
pub(super) const WIRE: &str = "all clients wait for the same server; the same case without a server's cost, in the table, shows the client alone. \
    The server's share is not profiled yet.";

pub(super) const USABLE: &str = "the first page of the bootstrap is applied whole before any of it is shown. A smaller first page would be shown \
    sooner and cost more requests; that is not tried yet.";
pub(super) const GROWTH: &str =
    "raw SQLite, in the same tables, slows down too: compare its rows in the section. Why is not profiled yet.";
pub(super) const POWER: &str = "not profiled yet. The work differs: Fieldpost also keeps conversations, unread counts and a full-text index, \
    PowerSync also keeps its log of operations. Messages come round robin over the conversations, the worst order for an index.";
