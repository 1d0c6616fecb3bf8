//! Retention and erasure: what goes, what stays, and who waits for whom.

use crate::planted_bugs::{
    bug::{Bug, bug, replace, sql},
    proofs::{
        ERASED, ERASED_CLIENT, ERASED_HELD, ERASED_KEEP, ERASED_MEMBER, ERASED_STORED, EXPIRED, EXPIRED_BATCH,
        EXPIRED_HELD, EXPIRED_INDEX, EXPIRED_KEPT, EXPIRED_PREVIEW, EXPIRED_REFUSED, EXPIRED_REPORTS, OPERATORS,
    },
};

const EXPIRE: &str = "fieldpost.expire_messages";
const PICKED: &str = "fieldpost.expired_messages";
const REPORTS: &str = "fieldpost.expire_reports";
const ERASE: &str = "fieldpost.erase_person";
const SOME: &str = "fieldpost.erase_some";
const GIVES_WAY: &str = "exception when lock_not_available or deadlock_detected then";
const FAILS: &str = "exception when division_by_zero then";
const SHORT: &str = "set lock_timeout = '500ms'";

/// Messages that are older than an age.
pub(super) fn retention() -> Vec<Bug> {
    vec![
        bug(
            "what is young expires with what is old",
            EXPIRED,
            [replace(PICKED, "exit when v_message.created_at >= p_before;", "")],
        ),
        bug("messages of every org expire", EXPIRED, [replace(PICKED, "where c.org_id = p_org and (", "where (")]),
        bug(
            "what an impossible date said outlasts its message",
            EXPIRED,
            [replace(EXPIRE, "delete from fieldpost.redated d where d.message_id = any (v_held);", "")],
        ),
        bug(
            "everything expires at once",
            EXPIRED_REFUSED,
            [replace(EXPIRE, "or v_before > now() - interval '1 day' then", "then")],
        ),
        bug("a preview deletes", EXPIRED_PREVIEW, [replace(EXPIRE, "elsif p_preview then", "elsif false then")]),
        bug(
            "a preview counts what is young",
            EXPIRED_PREVIEW,
            [replace("fieldpost.expire_preview", "m.created_at < p_before and m.seq", "m.seq")],
        ),
        bug(
            "evidence goes while the report is open",
            EXPIRED_REPORTS,
            [replace(REPORTS, "and r.resolved_at is not null and r.reported_at", "and r.reported_at")],
        ),
        bug(
            "the words of a young report go",
            EXPIRED_REPORTS,
            [replace(REPORTS, "and r.reported_at < p_before", "and r.reported_at < now()")],
        ),
        bug(
            "what a message said stays in its report for ever",
            EXPIRED_REPORTS,
            [replace(REPORTS, "delete from fieldpost.reported_texts t where t.report_id = any (v_reports);", "")],
        ),
        bug(
            "the note of a report stays for ever",
            EXPIRED_REPORTS,
            [replace(
                REPORTS,
                "update public.message_reports r set note = null where r.id = any (v_reports) and r.note is not null;",
                "",
            )],
        ),
        bug(
            "one conversation that somebody holds stops a retention",
            EXPIRED_HELD,
            [replace("fieldpost.hold_conversations", "for no key update skip locked", "for no key update")],
        ),
        bug(
            "one message that somebody holds stops a retention",
            EXPIRED_HELD,
            [replace("fieldpost.hold_messages", "for update skip locked", "for update")],
        ),
        bug("a retention waits without end", EXPIRED_HELD, [replace(EXPIRE, SHORT, "")]),
        bug("what somebody holds fails a retention", EXPIRED_HELD, [replace(EXPIRE, GIVES_WAY, FAILS)]),
        bug(
            "what somebody held is forgotten",
            EXPIRED_HELD,
            [replace(EXPIRE, "v_due <> '{}' and exists", "v_held <> '{}' and exists")],
        ),
        bug(
            "a batch does not count recipients",
            EXPIRED_BATCH,
            [replace(PICKED, "case when v_conversation.for_all then fieldpost.rows_of(v_message.id) else 1 end", "1")],
        ),
        bug(
            "a batch that deletes nothing is one of calls without end",
            EXPIRED_KEPT,
            [replace(EXPIRE, "if v_count = 0 and v_held <> '{}' then", "if false then")],
        ),
        bug(
            "a retention reads what is young",
            EXPIRED_INDEX,
            [replace(
                PICKED,
                "select m.created_at from public.messages m where m.conversation_id = c.id and m.seq is not null order by m.seq limit 1)",
                "select min(m.created_at) from public.messages m where m.conversation_id = c.id)",
            )],
        ),
        bug(
            "people may call a retention",
            OPERATORS,
            [sql("grant execute on function fieldpost.expire_messages(uuid, interval, int, boolean) to authenticated")],
        ),
    ]
}

/// A person's data.
pub(super) fn erasing() -> Vec<Bug> {
    vec![
        bug(
            "a member is erased",
            ERASED_MEMBER,
            [replace(ERASE, "elsif exists (select from fieldpost.memberships(p_user)) then", "elsif false then")],
        ),
        bug(
            "a name outlasts its person",
            ERASED,
            [replace(ERASE, "set first_name = null, last_name = null, medic_id = null,", "set medic_id = null,")],
        ),
        bug(
            "what a person said stays in reports",
            ERASED,
            [replace(
                ERASE,
                "delete from fieldpost.reported_texts t using public.message_reports r where r.id = t.report_id and r.sender_id = p_user;",
                "",
            )],
        ),
        bug(
            "what others said about a person goes",
            ERASED,
            [replace(
                ERASE,
                "where r.reporter_id = p_user and r.note",
                "where p_user in (r.reporter_id, r.sender_id) and r.note",
            )],
        ),
        bug(
            "a person's notes stay in reports",
            ERASED,
            [replace(ERASE, "where r.reporter_id = p_user and r.note", "where false and r.note")],
        ),
        bug(
            "a person's receipts stay",
            ERASED,
            [replace("fieldpost.erase_receipts", "where x.recipient_id = p_user limit", "where false limit")],
        ),
        bug(
            "a person's reactions stay",
            ERASED,
            [replace("fieldpost.erase_reactions", "where r.person_id = p_user and not", "where false and not")],
        ),
        bug(
            "when a person read stays",
            ERASED,
            [sql("drop trigger zz_fieldpost_erased on public.conversation_read_status")],
        ),
        bug(
            "no device hears that the times of a marker are gone",
            ERASED,
            [replace("fieldpost.markers_erased", "new.sync_xid := pg_current_xact_id();", "")],
        ),
        bug(
            "when others read goes with her",
            ERASED,
            [replace(
                "fieldpost.erase_markers",
                "where r.user_id = p_user and r.conversation_id",
                "where r.conversation_id",
            )],
        ),
        bug(
            "an erasure says too early that nothing is left",
            ERASED,
            [replace(ERASE, "when 'erase' then 'messages with content' when", "when")],
        ),
        bug(
            "messages that are to be removed are only erased",
            ERASED,
            [replace("fieldpost.erase_messages", "if p_messages = 'erase' then", "if true then")],
        ),
        bug(
            "an erasure that keeps messages takes reactions back",
            ERASED_KEEP,
            [replace(SOME, "if p_messages <> 'keep' then", "if true then")],
        ),
        bug(
            "a client takes the times out of its marker",
            ERASED_CLIENT,
            [sql("create or replace trigger zz_fieldpost_erased before update on public.conversation_read_status \
                  for each row when (current_setting('fieldpost.erasing', true) = 'on') \
                  execute function fieldpost.markers_erased()")],
        ),
        bug("an erasure waits without end", ERASED_HELD, [replace(ERASE, SHORT, "")]),
        bug("what somebody holds fails an erasure", ERASED_HELD, [replace(SOME, GIVES_WAY, FAILS)]),
        bug(
            "what was deleted is counted as stored",
            ERASED_STORED,
            [replace(
                "fieldpost.stored_of",
                "where m.sender_id = p_user and m.deleted_at is null",
                "where m.sender_id = p_user",
            )],
        ),
    ]
}
