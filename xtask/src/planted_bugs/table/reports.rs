//! Reports: one for each person and message, known again by its mutation, for admins of the org alone.

use crate::planted_bugs::{
    bug::{Bug, Plant, bug, replace, sql},
    proofs::{REPORT_DIRECT, REPORT_INDEX, REPORT_NARROWED, REPORT_ONCE, REPORT_PRIVATE, REPORT_REFUSED, REPORT_TEXT},
};

/// Who reports what, how often it counts, and who is told.
pub(super) fn reports() -> Vec<Bug> {
    vec![
        bug(
            "a report that is sent again opens what was dealt with",
            REPORT_ONCE,
            [replace("fieldpost.write_report", "if v_mutation = any (v_before.mutation_ids) then", "if false then")],
        ),
        bug(
            "a report that is sent again counts twice",
            REPORT_ONCE,
            [
                sql("alter table public.message_reports drop constraint message_reports_one_of_each"),
                replace("fieldpost.write_report", "if v_mutation = any (v_before.mutation_ids) then", "if false then"),
                replace(
                    "fieldpost.write_report",
                    "on conflict (message_id, reporter_id) do update set",
                    "on conflict (id) do update set",
                ),
            ],
        ),
        bug(
            "what a message said is read when the report is, not when it was made",
            REPORT_TEXT,
            [replace(
                "fieldpost.report_json",
                "(select t.content from fieldpost.reported_texts t where t.report_id = r.id)",
                "(select m.content from public.messages m where m.id = r.message_id)",
            )],
        ),
        bug("a report is carried out after the deletion of its message", REPORT_TEXT, [later()]),
        bug(
            "a report of a message of a conversation that is hidden",
            REPORT_REFUSED,
            [replace(
                "fieldpost.judge_report",
                "m.id = v_named and m.conversation_id = v_conversation;",
                "m.id = v_named;",
            )],
        ),
        bug(
            "somebody reports her own message",
            REPORT_REFUSED,
            [replace("fieldpost.judge_report", "elsif v_sender = s.user_id then", "elsif false then")],
        ),
        bug("a medic reads others' reports, by the call", REPORT_PRIVATE, [everybody()]),
        bug(
            "a medic reads others' reports, by the table",
            REPORT_PRIVATE,
            [
                sql("drop policy fieldpost_only_select on public.message_reports"),
                sql(
                    "create policy planted on public.message_reports for select to authenticated using (conversation_id in (select fieldpost.my_medic_conversations()))",
                ),
            ],
        ),
        bug(
            "an admin resolves reports of other orgs",
            REPORT_PRIVATE,
            [replace(
                "fieldpost.resolve_report",
                "and r.org_id = any ((fieldpost.scope_of(fieldpost.uid())).admin_orgs)",
                "",
            )],
        ),
        bug(
            "reports stay when their conversation is deleted",
            REPORT_PRIVATE,
            [sql("drop trigger zz_fieldpost_reports_gone on public.conversations")],
        ),
        bug(
            "a client says when its report was made, and that it is resolved",
            REPORT_DIRECT,
            [replace("fieldpost.reports_before_insert", "if v_client then\n    new.id", "if false then\n    new.id")],
        ),
        bug(
            "a reporter resolves her own report",
            REPORT_DIRECT,
            [replace("fieldpost.reports_before_update", "and fieldpost.is_admin_of(old.org_id) then", "then")],
        ),
        bug(
            "a report of a message that the project hides",
            REPORT_NARROWED,
            [replace(
                "fieldpost.report_as_caller",
                "if j.message_id is not null and not exists",
                "if false and not exists",
            )],
        ),
        bug(
            "an admin is told of a report of a message that the project hides",
            REPORT_NARROWED,
            [replace("fieldpost.reports", "and not (p.r).message_id = any (p_hidden)", "")],
        ),
        bug("the index of open reports dropped", REPORT_INDEX, [sql("drop index public.message_reports_open")]),
    ]
}

fn later() -> Plant {
    replace(
        "fieldpost.later_kinds",
        "'report_message', 'delete_message', 'mark_delivered'",
        "'delete_message', 'report_message', 'mark_delivered'",
    )
}

/// Members are taken for admins of their orgs.
fn everybody() -> Plant {
    sql("do $plant$ declare v record; begin
      for v in select pg_get_functiondef(p.oid) as text from pg_proc p where p.pronamespace = 'fieldpost'::regnamespace and p.proname in ('reports', 'reports_refused') loop
        execute replace(v.text, '(fieldpost.scope_of(fieldpost.uid())).admin_orgs', '((fieldpost.scope_of(fieldpost.uid())).admin_orgs || (fieldpost.scope_of(fieldpost.uid())).medic_orgs)');
      end loop; end $plant$")
}
