//! Access decisions of the functions, which bypass the policies.

use crate::planted_bugs::{
    bug::{Bug, bug, replace, replace_in_block},
    proofs::{ATTACKS, CLOSED, EVERY_CODE, HISTORY, OWN_COLUMNS, WRONG_CALLS},
};

pub(super) fn privacy() -> Vec<Bug> {
    vec![
        bug(
            "history of any conversation",
            HISTORY,
            [replace(
                "fieldpost.history_picks",
                "    and (c.org_id = any (s.admin_orgs) or c.id = any (s.conversations));",
                "    and true;",
            )],
        ),
        bug(
            "a medic is shown all direct conversations of the org",
            ATTACKS,
            [replace(
                "fieldpost.scope_of",
                "where c.medic_id = any (s.medic_ids) and c.org_id = any (s.medic_orgs) and c.type = 'direct';",
                "where c.org_id = any (s.medic_orgs) and c.type = 'direct';",
            )],
        ),
        bug(
            "a first load takes the ids in next_after on trust",
            ATTACKS,
            [replace(
                "fieldpost.bootstrap_conversations",
                "join public.conversations c on c.id = l.id\n    where c.org_id = any (s.admin_orgs) or c.id = any (s.conversations)\n",
                "join public.conversations c on c.id = l.id\n",
            )],
        ),
        bug(
            "a push writes wherever its author can read",
            EVERY_CODE,
            [replace(
                "fieldpost.read_batch",
                "when not (c.org_id = any (s.admin_orgs) or c.id = any (s.directs)) then",
                "when false then",
            )],
        ),
        bug(
            "the functions are left to everybody",
            CLOSED,
            [replace_in_block(
                "execute format('revoke all on function %s from public, anon, service_role', v_function);",
                "",
            )],
        ),
        bug(
            "a member edits another's words",
            OWN_COLUMNS,
            [replace("fieldpost.messages_before_update", "      new.content := old.content;\n", "")],
        ),
        bug(
            "nobody is refused for not being signed in",
            WRONG_CALLS,
            [replace("fieldpost.refused", "if fieldpost.uid() is null then", "if false then")],
        ),
    ]
}
