//! The search over the server's history: who finds what, and what it costs.

use crate::planted_bugs::{
    bug::{Bug, bug, replace},
    proofs::{SEARCHED, SEARCHED_CHANGES, SEARCHED_CHEAPLY, SEARCHED_PAGES, SEARCHED_UNDER_POLICIES},
};

const PICKS: &str = "fieldpost.search_picks";

pub(super) fn searching() -> Vec<Bug> {
    vec![
        bug(
            "a search finds what the caller may not see",
            SEARCHED,
            [
                replace(PICKS, "'(' || v_places || ')'", "null"),
                replace(PICKS, "and (m.org_id = any (s.admin_orgs) or m.conversation_id = any (s.conversations))", ""),
            ],
        ),
        bug(
            "a search finds what a policy of the project hides",
            SEARCHED_UNDER_POLICIES,
            [replace("public.fieldpost_search", "case when fieldpost.narrowed('r') then", "case when false then")],
        ),
        bug(
            "a page that is short tells of what a policy hides",
            SEARCHED_UNDER_POLICIES,
            [replace("fieldpost.search_as_caller", "exit when v_read < 200 or", "exit when true or")],
        ),
        bug(
            "a search finds the text of a row that travels without it",
            SEARCHED_CHANGES,
            [
                replace("fieldpost.search_index", " and omitted is null", ""),
                replace(PICKS, " and m.omitted is null", ""),
            ],
        ),
        bug(
            "hits of one time come twice or never",
            SEARCHED_PAGES,
            [replace(PICKS, "(m.created_at, m.id) < (p_at, p_id)", "m.created_at < p_at")],
        ),
        bug(
            "a search asks the index for all months at once",
            SEARCHED_CHEAPLY,
            [replace(PICKS, "v_low := v_high - v_width + 1;", "v_low := 0;")],
        ),
    ]
}
