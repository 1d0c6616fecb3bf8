//! What a person sets for a conversation: hers alone, field by field, on all her devices.

use crate::planted_bugs::{
    bug::{Bug, bug, drop_trigger, replace, sql},
    proofs::{ARCHIVED, MARKED_UNREAD, SET, SETTINGS_LEAVE, SETTINGS_REFUSED},
};

const WRITE: &str = "fieldpost.write_settings";
const BEFORE: &str = "fieldpost.settings_before_write";
const FEED: &str = "fieldpost.feed_settings";
const JUDGE: &str = "fieldpost.judge_settings";

/// What counts of two changes, who is told, what marks take back, and who may change what.
pub(super) fn settings() -> Vec<Bug> {
    vec![
        bug(
            "whoever changes one setting takes back the others",
            SET,
            [replace(
                WRITE,
                "pinned_at = case when m ? 'pinned_at' then excluded.pinned_at else k.pinned_at end",
                "pinned_at = excluded.pinned_at",
            )],
        ),
        bug(
            "a setting cannot be taken back",
            SET,
            [replace(
                WRITE,
                "pinned_at = case when m ? 'pinned_at' then excluded.pinned_at else k.pinned_at end",
                "pinned_at = coalesce(excluded.pinned_at, k.pinned_at)",
            )],
        ),
        bug(
            "a change that comes again is a change",
            SET,
            [replace(BEFORE, "if v_same is distinct from old then", "if true then")],
        ),
        bug(
            "a direct change of settings is told to no device",
            SET,
            [replace(BEFORE, "if v_same is distinct from old then", "if false then")],
        ),
        bug(
            "others are told what somebody has set",
            SET,
            [replace(FEED, "where q.user_id = s.user_id and q.sync_xid", "where q.sync_xid")],
        ),
        bug(
            "a first load brings what others have set",
            SET,
            [replace(
                "fieldpost.settings_for",
                "where s.user_id = p_user and s.conversation_id",
                "where s.conversation_id",
            )],
        ),
        bug(
            "what is marked unread is not counted",
            MARKED_UNREAD,
            [replace("fieldpost.unread_above", "s.unread_from - 1", "null::bigint")],
        ),
        bug(
            "whoever reads on leaves what she marked unread",
            MARKED_UNREAD,
            [replace("fieldpost.take_back_unread", "and s.unread_from is not null", "and false")],
        ),
        bug(
            "a conversation is archived after messages that are yet to come",
            ARCHIVED,
            [replace(
                BEFORE,
                "least(greatest(coalesce(new.archived_seq, v_last), 0), v_last)",
                "coalesce(new.archived_seq, v_last)",
            )],
        ),
        bug(
            "whoever says only when has archived nothing of today",
            ARCHIVED,
            [replace(BEFORE, "new.archived_seq := v_last;  -- by somebody", "null;  -- by somebody")],
        ),
        bug(
            "somebody sets something for a conversation that she does not see",
            SETTINGS_REFUSED,
            [replace(JUDGE, " and (c.org_id = any (s.admin_orgs) or c.id = any (s.conversations))", "")],
        ),
        bug(
            "a direct writer sets something for somebody else",
            SETTINGS_REFUSED,
            [
                sql("drop policy fieldpost_insert on public.conversation_settings"),
                sql("drop policy fieldpost_only_insert on public.conversation_settings"),
                sql(
                    "create policy fieldpost_insert on public.conversation_settings for insert to authenticated with check (true)",
                ),
            ],
        ),
        bug(
            "settings stay when their conversation is deleted",
            SETTINGS_LEAVE,
            [drop_trigger("conversations", "settings_gone")],
        ),
        bug(
            "settings do not come again with a grant",
            SETTINGS_LEAVE,
            [replace("fieldpost.settings_for", "s.conversation_id = any (p_conversations)", "false")],
        ),
    ]
}
