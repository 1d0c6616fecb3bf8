//! The tests that catch the bugs, by subject.

use super::bug::Proof;

pub(super) const LOAD: Proof = proof("feed.test.mjs", "8 writers, transactions held open");
pub(super) const IDLE: Proof = proof("feed.test.mjs", "a transaction that idles elsewhere");
pub(super) const OPPOSITE: Proof = proof("feed.test.mjs", "concurrent statements that touch the same conversations");
pub(super) const MID_PASS: Proof = proof("first_load.test.mjs", "a row that changes in the middle of a pass");
pub(super) const BETWEEN_PAGES: Proof =
    proof("first_load.test.mjs", "a conversation that gets a message between two pages");
pub(super) const WRONG_CALLS: Proof = proof("first_load.test.mjs", "what is wrong with a call");
pub(super) const HISTORY: Proof = proof("first_load.test.mjs", "history covers its range whole");
pub(super) const ONCE: Proof = proof("push.test.mjs", "a batch is applied once");
pub(super) const DELETED_ID: Proof = proof("push.test.mjs", "an id that was deleted stays deleted");
pub(super) const TOO_LARGE: Proof = proof("push.test.mjs", "batches of the wrong size");
pub(super) const ONE_REFUSED: Proof = proof("push.test.mjs", "a trigger of the project that refuses one message");
pub(super) const MARKERS: Proof = proof("push.test.mjs", "sending never moves the sender's own marker");
pub(super) const INJECTED: Proof = scratch("turmoil.test.mjs", "a lock, deadlock, serialization or space failure");
pub(super) const DROPPED: Proof = scratch("turmoil.test.mjs", "a trigger of the project that drops a message");
pub(super) const COPIED: Proof = scratch("turmoil.test.mjs", "a row that a back end copies");
pub(super) const HOT: Proof = scratch("turmoil.test.mjs", "a message makes no new entry in the indexes");
pub(super) const OPENED: Proof = proof("push.test.mjs", "opening a direct conversation twice");
pub(super) const POLICIES: Proof = scratch("policies.test.mjs", "every policy lets its own through");
pub(super) const TRUNCATE: Proof = scratch("install.test.mjs", "TRUNCATE, and a restored epoch row");
pub(super) const DUMP: Proof = scratch("clusters/clusters.test.mjs", "a dump restored into a new cluster");
pub(super) const BACKUP: Proof = scratch("clusters/clusters.test.mjs", "an older physical backup restored in place");
pub(super) const POINT_IN_TIME: Proof = scratch("clusters/clusters.test.mjs", "recovery to a point in time");
pub(super) const STANDBY: Proof = scratch("clusters/clusters.test.mjs", "pulls that a standby serves");
pub(super) const ELSEWHERE: Proof =
    scratch("clusters/clusters.test.mjs", "a transaction that idles in another database");
pub(super) const CRASH: Proof = scratch("clusters/clusters.test.mjs", "a crash gives numbers out again");
pub(super) const PUT_BACK: Proof = scratch("clusters/clusters.test.mjs", "a copy of the files put back");
pub(super) const RESTART: Proof = scratch("clusters/clusters.test.mjs", "a restart, and a crash that lost nothing");
pub(super) const ACCOUNT: Proof = proof("accounts.test.mjs", "a conversation whose creator");
pub(super) const HARD_DELETE: Proof = proof("access.test.mjs", "a hard delete is a tombstone");
pub(super) const DELETED_CONVERSATION: Proof =
    proof("access.test.mjs", "the delete of a conversation is one tombstone");
pub(super) const HANDED_OVER: Proof = proof("access.test.mjs", "a conversation that is handed to another medic");
pub(super) const REMOVED: Proof = proof("access.test.mjs", "a member who is removed loses everything");
pub(super) const ROLE: Proof = proof("access.test.mjs", "a change of role or organization");
pub(super) const TIE: Proof = proof("access.test.mjs", "a medic who loses or gains her account's tie");
pub(super) const COMPACTED: Proof = proof("access.test.mjs", "compacted tombstones expire the cursors");
pub(super) const STRANGER_ROWS: Proof = proof("strangers.test.mjs", "rows that a stranger writes");
pub(super) const STRANGER_EDITS: Proof = proof("strangers.test.mjs", "an edit raises the version");
pub(super) const STRANGER_OPENS: Proof = proof("strangers.test.mjs", "opening directly gives one conversation");
pub(super) const STRANGER_READS: Proof = proof("strangers.test.mjs", "a web client's read time");
pub(super) const OLD_KEY: Proof = proof("push.test.mjs", "a message that an older version of the app sent");
pub(super) const EVERY_CODE: Proof = proof("push.test.mjs", "every code of rejection");
pub(super) const CLOSED: Proof = proof("install.test.mjs", "every function is commented");
pub(super) const ATTACKS: Proof = proof("matrix.test.mjs", "whoever has no business there");
pub(super) const OWN_COLUMNS: Proof = proof("matrix.test.mjs", "people who belong there change");
pub(super) const SCALE: Proof = scratch("scale.test.mjs", "a pull, a push and a page of history cost the same");
pub(super) const STRANGER_COLUMNS: Proof = proof("strangers.test.mjs", "the columns of a client's insert");
pub(super) const LIMITS: Proof = scratch("rows.test.mjs", "a row above a limit travels");
pub(super) const BIG_SUBJECT: Proof = scratch("rows.test.mjs", "a subject of 34 MB");
pub(super) const LIMITS_OF_OWN: Proof = scratch("rows.test.mjs", "tables that Fieldpost made refuse");
pub(super) const IMPOSSIBLE_TIMES: Proof = scratch("rows.test.mjs", "impossible times order and date nothing");
pub(super) const KEYS: Proof = scratch("rows.test.mjs", "what nobody wrote is shown to everybody");
pub(super) const WORDS: Proof = scratch("rows.test.mjs", "what a project's triggers make of a message");
pub(super) const RENAMED: Proof = proof("access.test.mjs", "a medic who is renamed");
pub(super) const HIDDEN: Proof = scratch("narrowing.test.mjs", "what a policy hides is in no bootstrap");
pub(super) const WITHDRAWN: Proof = scratch("narrowing.test.mjs", "a message that a change hides");
pub(super) const WRITES_REFUSED: Proof = scratch("narrowing.test.mjs", "a policy that refuses writes");
pub(super) const CONVERSATION_POLICY: Proof = scratch("narrowing.test.mjs", "a policy that hides a conversation");
pub(super) const GRANTS: Proof = scratch("guest.test.mjs", "grants, row level security and constraints");
pub(super) const RLS_OFF: Proof = scratch("guest.test.mjs", "where row level security is off");
pub(super) const PREFLIGHT: Proof = scratch("guest.test.mjs", "preflight says in sentences");
pub(super) const OWN_FUNCTIONS: Proof = scratch("guest.test.mjs", "a project's own memberships and roster");
pub(super) const GUARD: Proof = scratch("guest.test.mjs", "people cannot make themselves members");
pub(super) const ANON: Proof = scratch("guest.test.mjs", "a grant to anon opens nothing");
pub(super) const UPGRADED: Proof = scratch("guest.test.mjs", "version 1 becomes version 2");
pub(super) const TWO_ORGS: Proof = scratch("guest.test.mjs", "somebody of two organizations");
pub(super) const RESTORED: Proof = scratch("restoring.test.mjs", "a dump of data goes into");
pub(super) const EPOCH_BEGUN: Proof = scratch("restoring.test.mjs", "rows that came past the triggers");
pub(super) const ORGANIZATIONS: Proof = scratch("organizations.test.mjs", "a pull of nothing, a push, a glimpse");
pub(super) const DIGESTS: Proof = scratch("digest.test.mjs", "in every snapshot the digest");
pub(super) const IMPORT: Proof = scratch("imports.test.mjs", "an import of many people in one statement");
pub(super) const EDITED: Proof = proof("edit.test.mjs", "an edit changes text and mentions");
pub(super) const EDITED_AGAIN: Proof = proof("edit.test.mjs", "an edit that comes again");
pub(super) const EDIT_REFUSED: Proof = proof("edit.test.mjs", "every refusal of an edit has its code");
pub(super) const EDIT_FOUND: Proof = proof("edit.test.mjs", "the message is found under every id");
pub(super) const EDIT_KEPT: Proof = proof("edit.test.mjs", "a success stays one");
pub(super) const EDITED_DIRECTLY: Proof = proof("edit.test.mjs", "a direct update by its author");
pub(super) const EDIT_WAITS: Proof = proof("edit.test.mjs", "a push waits for nobody");
pub(super) const EDIT_NARROWED: Proof = scratch("edit.test.mjs", "where policies of a project narrow");
pub(super) const REPLY_NAMES: Proof = proof("replies.test.mjs", "a reply names a message");
pub(super) const REPLY_GONE: Proof =
    proof("replies.test.mjs", "what was deleted, softly or for good, can still be answered");
pub(super) const REPLY_HIDDEN: Proof = proof("replies.test.mjs", "where policies of a project narrow");
pub(super) const MENTION_STRANGER: Proof = proof("replies.test.mjs", "nobody is mentioned who");
pub(super) const DIRECT_ADDRESSED: Proof = proof("replies.test.mjs", "a direct writer's row");
pub(super) const MENTIONS_COUNTED: Proof = proof("replies.test.mjs", "a conversation says how many");
pub(super) const CHANGE_NAMED: Proof = proof("replies.test.mjs", "a change of what an older app sent");
pub(super) const REACTED: Proof = proof("reactions.test.mjs", "people react by push and by the table");
pub(super) const REACTED_IN_BROADCAST: Proof = proof("reactions.test.mjs", "in a broadcast a medic is told");
pub(super) const REACTIONS_REFUSED: Proof = proof("reactions.test.mjs", "every refusal has its code");
pub(super) const REACTIONS_LIMIT: Proof = proof("reactions.test.mjs", "one person gives a message twenty");
pub(super) const REACTIONS_LEAVE: Proof = proof("reactions.test.mjs", "the reactions of a message leave with it");
pub(super) const DELETED: Proof = proof("delete.test.mjs", "a deletion takes the content");
pub(super) const DELETE_REFUSED: Proof = proof("delete.test.mjs", "every refusal of a deletion");
pub(super) const DELETE_BEATS: Proof = proof("delete.test.mjs", "delete beats edit");
pub(super) const DELETE_GONE: Proof = proof("delete.test.mjs", "what is gone for good");
pub(super) const DELETE_KEPT: Proof = proof("delete.test.mjs", "a success stays one");
pub(super) const DELETE_WAITS: Proof = proof("delete.test.mjs", "a message that somebody holds");
pub(super) const RECEIPTS: Proof = proof("receipts.test.mjs", "a message goes from sent to delivered");
pub(super) const RECEIPT_FAULTS: Proof = proof("receipts.test.mjs", "a device's mark is refused");
pub(super) const RECEIPT_TIMES: Proof = proof("receipts.test.mjs", "a stranger's last_read_at");
pub(super) const RECEIPT_ROWS: Proof = proof("receipts.test.mjs", "a stranger who writes her recipient row");
pub(super) const RECIPIENTS: Proof = proof("receipts.test.mjs", "a broadcast that an old app writes");
pub(super) const RECEIPT_CLAIMS: Proof = proof("receipts.test.mjs", "whoever calls itself the deriving one");
pub(super) const RECEIPT_COST: Proof = proof("receipts.test.mjs", "in a broadcast to a thousand");
pub(super) const RECORD_FAULTS: Proof = scratch("records_tables.test.mjs", "a table that cannot be offered");
pub(super) const RECORD_GRANTS: Proof = scratch("records_tables.test.mjs", "offering a table rewrites nothing");
pub(super) const RECORD_WAIT: Proof = scratch("records_tables.test.mjs", "whoever holds a table keeps");
pub(super) const RECORD_OFFERS: Proof = scratch("records_tables.test.mjs", "a table that was dropped, renamed");
pub(super) const RECORD_KINDS: Proof = scratch("records_tables.test.mjs", "columns of every kind");
pub(super) const RECORD_HOUSE: Proof = scratch("records_tables.test.mjs", "housekeeping forgets old deletions");
pub(super) const RECORD_LATER: Proof = scratch("records_push.test.mjs", "of two people the one who changed");
pub(super) const RECORD_TIE: Proof = scratch("records_push.test.mjs", "what is equally late");
pub(super) const RECORD_FUTURE: Proof = scratch("records_push.test.mjs", "a time after now counts as now");
pub(super) const RECORD_DIRECT: Proof = scratch("records_push.test.mjs", "a direct writer's change counts");
pub(super) const RECORD_BEFORE: Proof = scratch("records_push.test.mjs", "rows from before have");
pub(super) const RECORD_ARRIVAL: Proof = scratch("records_push.test.mjs", "with the rule that the last arrival");
pub(super) const RECORD_FOLLOWS: Proof = scratch("records_push.test.mjs", "a change that follows another");
pub(super) const RECORD_AGAIN: Proof = scratch("records_push.test.mjs", "a batch whose answer was lost");
pub(super) const RECORD_SAME: Proof = scratch("records_push.test.mjs", "a record is the same by its id");
pub(super) const RECORD_ORDER: Proof = scratch("records_push.test.mjs", "what refers to another is stored");
pub(super) const RECORD_NAMING: Proof = scratch("records_push.test.mjs", "naming what one may not see");
pub(super) const RECORD_FOREIGN: Proof = scratch("records_push.test.mjs", "ids of other organizations");
pub(super) const RECORD_NOBODY: Proof = scratch("records_push.test.mjs", "whoever has no membership");
pub(super) const RECORD_POLICY: Proof = scratch("records_push.test.mjs", "policies decide: what they forbid");
pub(super) const RECORD_BLIND: Proof = scratch("records_push.test.mjs", "whoever may write and not read");
pub(super) const RECORD_FAILS: Proof = scratch("records_push.test.mjs", "a lock, deadlock or space failure");
pub(super) const RECORD_DROPPED: Proof = scratch("records_push.test.mjs", "what a trigger drops is refused");
pub(super) const RECORD_BESIDE: Proof = scratch("records_push.test.mjs", "what triggers write beside");
pub(super) const RECORD_DEFERRED: Proof = scratch("records_push.test.mjs", "a constraint that waits for the end");
pub(super) const RECORD_READ: Proof = scratch("records_push.test.mjs", "what cannot be read is refused");
pub(super) const RECORD_CLIENT: Proof = scratch("records_push.test.mjs", "a client cannot change what is");
pub(super) const RECORD_RACE: Proof = scratch("records_push.test.mjs", "a change that waits for another's transaction");
pub(super) const RECORD_FEW: Proof = scratch("records_push.test.mjs", "five hundred creates are few");
pub(super) const RECORD_BYTES: Proof = scratch("records_feed.test.mjs", "a first load brings every row once");
pub(super) const RECORD_MANY: Proof = scratch("records_feed.test.mjs", "a pull of many calls has");
pub(super) const RECORD_MOVING: Proof = scratch("records_feed.test.mjs", "what changes while a load");
pub(super) const RECORD_CHANGED: Proof = scratch("records_feed.test.mjs", "a pull brings what was changed");
pub(super) const RECORD_HIDDEN: Proof = scratch("records_feed.test.mjs", "what a policy hides is not sent");
pub(super) const RECORD_EXPIRES: Proof = scratch("records_feed.test.mjs", "a change of policies, of memberships");
pub(super) const RECORD_COLUMNS: Proof = scratch("records_feed.test.mjs", "a change of what columns a table has");
pub(super) const RECORD_CURSOR: Proof = scratch("records_feed.test.mjs", "a cursor that is none of ours");
pub(super) const RECORD_ENDS: Proof = scratch("records_feed.test.mjs", "a page of hidden rows ends");
pub(super) const RECORD_FIRE: Proof = scratch("records_feed.test.mjs", "under eight writers");
pub(super) const RECORD_SCALE: Proof = scratch("records_scale.test.mjs", "a pull and a push of records cost");
pub(super) const SEARCHED: Proof = scratch("search.test.mjs", "everybody finds what a pull would bring");
pub(super) const SEARCHED_UNDER_POLICIES: Proof = scratch("search.test.mjs", "a project's own policies decide too");
pub(super) const SEARCHED_CHANGES: Proof = scratch("search.test.mjs", "an edit is found by its new text only");
pub(super) const SEARCHED_PAGES: Proof = scratch("search.test.mjs", "filters, pages and months");
pub(super) const SEARCHED_CHEAPLY: Proof = scratch("search.test.mjs", "a search costs about the same");
pub(super) const AUDIT: Proof = scratch("clinical.test.mjs", "the audit log takes");
pub(super) const NO_AUDIT: Proof = scratch("clinical.test.mjs", "without the table, or with one");

const fn proof(file: &'static str, test: &'static str) -> Proof {
    Proof { file, test, own_database: false }
}

/// A test that creates its databases itself, and needs only the cluster.
const fn scratch(file: &'static str, test: &'static str) -> Proof {
    Proof { file, test, own_database: true }
}
