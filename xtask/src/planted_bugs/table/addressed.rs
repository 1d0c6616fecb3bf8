//! Whom a message addresses: replies and mentions.

use crate::planted_bugs::{
    bug::{Bug, bug, replace},
    proofs::{
        CHANGE_NAMED, DIRECT_ADDRESSED, MENTION_STRANGER, MENTIONS_COUNTED, REPLY_GONE, REPLY_HIDDEN, REPLY_NAMES,
    },
};

const JUDGE: &str = "fieldpost.judge_addressed";
const TARGET: &str = "fieldpost.reply_target";

/// What may be answered, who may be mentioned, and how mentions are counted.
pub(super) fn addressed() -> Vec<Bug> {
    vec![
        bug(
            "a reply names a message of another conversation",
            REPLY_NAMES,
            [replace(TARGET, "m.id = p_reply_to and m.conversation_id = p_conversation", "m.id = p_reply_to")],
        ),
        bug(
            "a reply to what is not there is accepted",
            REPLY_NAMES,
            [replace(JUDGE, "v_item.result := fieldpost.rejected('reply_not_found');", "null;")],
        ),
        bug(
            "a message of the same batch cannot be answered",
            REPLY_NAMES,
            [replace(JUDGE, "v_sent := v_sent || concat(v_item.conversation_id, v_item.message_id);", "null;")],
        ),
        bug(
            "what was deleted for good cannot be answered",
            REPLY_GONE,
            [replace(TARGET, "where t.entity = 'message' and", "where false and")],
        ),
        bug(
            "what an older app sent cannot be answered",
            REPLY_GONE,
            [replace(TARGET, "m.client_key = p_reply_to::text and", "false and")],
        ),
        bug(
            "what a policy hides can be answered",
            REPLY_HIDDEN,
            [replace("fieldpost.hidden_replies_as_caller", "where i.result is null and", "where false and")],
        ),
        bug(
            "whoever is of the org can be mentioned",
            MENTION_STRANGER,
            [replace("fieldpost.strangers_to", "m.role = 'org_admin' or c.type", "true or c.type")],
        ),
        bug(
            "an edit mentions whom a message may not",
            MENTION_STRANGER,
            [replace("fieldpost.names_strangers", "return v_new <> '{}' and", "return false and")],
        ),
        bug(
            "a message that was stored is refused when it comes again",
            MENTION_STRANGER,
            [replace(JUDGE, "if v_item.message_id = any (v_known) then", "if false then")],
        ),
        bug(
            "a direct writer mentions anybody",
            DIRECT_ADDRESSED,
            [replace(
                "fieldpost.messages_before_insert",
                "fieldpost.mentions_kept(new.conversation_id, new.mentions)",
                "new.mentions",
            )],
        ),
        bug(
            "a direct writer answers anything",
            DIRECT_ADDRESSED,
            [replace(
                "fieldpost.messages_before_insert",
                "fieldpost.reply_target(new.conversation_id, new.sender_id, new.reply_to)",
                "new.reply_to",
            )],
        ),
        bug(
            "every unread message counts as a mention",
            MENTIONS_COUNTED,
            [replace("fieldpost.conversation_json", "p_user = any (m.mentions)", "true")],
        ),
        bug(
            "the id that a change named is not repeated",
            CHANGE_NAMED,
            [replace("fieldpost.naming", "p_mutation ->> 'message_id' <>", "null <>")],
        ),
    ]
}
