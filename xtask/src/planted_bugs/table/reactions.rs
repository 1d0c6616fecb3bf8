//! Reactions: one for each person, told to whom they may be told, off deleted messages.

use crate::planted_bugs::{
    bug::{Bug, bug, drop_trigger, replace, sql},
    proofs::{REACTED, REACTED_IN_BROADCAST, REACTIONS_LEAVE, REACTIONS_LIMIT, REACTIONS_REFUSED},
};

const JUDGE: &str = "fieldpost.judge_reaction";

/// Who reacts to what, how often it counts, and who is told.
pub(super) fn reactions() -> Vec<Bug> {
    vec![
        bug(
            "a reaction to a message of a conversation that is hidden",
            REACTIONS_REFUSED,
            [replace(JUDGE, "m.id = v_named and m.conversation_id = v_conversation;", "m.id = v_named;")],
        ),
        bug(
            "a deleted message takes reactions",
            REACTIONS_REFUSED,
            [
                replace(JUDGE, "if v_row.deleted_at is not null then", "if false then"),
                replace("fieldpost.reactions_after_write", "where m.deleted_at is not null)", "where false)"),
            ],
        ),
        bug(
            "a direct writer reacts for somebody else",
            REACTIONS_REFUSED,
            [
                sql("drop policy fieldpost_insert on public.message_reactions"),
                sql("drop policy fieldpost_only_insert on public.message_reactions"),
                sql(
                    "create policy fieldpost_insert on public.message_reactions for insert to authenticated with check (true)",
                ),
            ],
        ),
        bug("there is no limit to one person's reactions", REACTIONS_LIMIT, [replace(JUDGE, "v_given >= 20", "false")]),
        bug(
            "a reaction that is sent again counts again",
            REACTED,
            [replace("fieldpost.react", "if coalesce(v_before, false) = not j.removed then", "if false then")],
        ),
        bug(
            "a reaction that was taken back is not told",
            REACTED,
            [replace("fieldpost.reaction_text", "case when r.removed then", "case when false then")],
        ),
        bug(
            "a medic is told who has reacted in a broadcast, by pull",
            REACTED_IN_BROADCAST,
            [replace(
                "fieldpost.feed_reactions",
                "where q.person_id = s.user_id and q.conversation_id",
                "where q.conversation_id",
            )],
        ),
        bug(
            "a medic is told who has reacted in a broadcast, by a first load and history",
            REACTED_IN_BROADCAST,
            [replace("fieldpost.reactions_to", "or r.person_id = s.user_id)", "or true)")],
        ),
        bug(
            "what is taken back goes on counting",
            REACTED_IN_BROADCAST,
            [replace(
                "fieldpost.reactions_after_write",
                "case when n.removed then -1 else 1 end",
                "case when n.removed then 0 else 1 end",
            )],
        ),
        bug("deleted messages keep their reactions", REACTIONS_LEAVE, [drop_trigger("messages", "reactions")]),
        bug(
            "whoever reacts does not wait for who deletes",
            REACTIONS_LEAVE,
            [replace(
                "fieldpost.reactions_before_insert",
                "where c.id = new.conversation_id for no key update",
                "where c.id = new.conversation_id",
            )],
        ),
    ]
}
