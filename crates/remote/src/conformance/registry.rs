//! From functions to tests.

use super::Verdict;
use std::io::Write;

/// Ends one test. A skipped one says so past the test harness, which keeps the output of tests that pass to itself: whoever
/// counts tests counts these lines as skipped.
pub fn conclude(test: &str, verdict: Verdict) {
    if let Err(unsupported) = verdict {
        let line = format!("SKIPPED {test}: this backend cannot {}\n", unsupported.0);
        // Nobody to tell is no reason to fail.
        let _ = std::io::stdout().write_all(line.as_bytes());
    }
}

/// Makes one `#[tokio::test]` of every function of the suite. The expression makes a [`super::Backend`]; it is evaluated
/// for each test, in an async context.
#[macro_export]
macro_rules! remote_conformance {
    ($backend:expr) => {
        $crate::remote_conformance! { @area $backend;
            sessions: a_password_opens_a_session,
                a_wrong_password_or_address_is_wrong_credentials,
                a_made_up_token_is_unauthorized,
                an_expired_token_is_unauthorized_in_every_call,
                a_refresh_gives_a_new_session_that_works,
                a_refresh_whose_answer_was_lost_may_be_repeated,
                a_refresh_token_older_than_the_parent_ends_the_session,
                an_unknown_refresh_token_is_refused,
                after_signing_out_nothing_can_be_refreshed;
            bootstrap: a_new_member_sees_herself_and_nothing_else,
                somebody_without_a_membership_sees_nothing,
                conversations_come_newest_activity_first,
                each_conversation_brings_its_last_messages,
                a_conversation_larger_than_a_page_brings_its_newest_messages,
                no_messages_may_be_asked_for,
                pages_cover_every_conversation_once,
                every_page_tells_progress_and_the_same_cursor,
                the_list_is_fixed_when_the_bootstrap_starts,
                what_is_written_during_a_bootstrap_is_in_the_first_pull,
                an_admin_gets_all_people_of_the_org,
                people_of_a_page_hold_everybody_its_rows_name,
                markers_and_unread_counts_come_along,
                the_digest_comes_last_and_is_of_the_visible_ids,
                a_continuation_that_cannot_be_read_has_expired;
            pull: nothing_new_is_an_empty_page,
                a_message_arrives_as_it_was_sent,
                a_message_brings_its_conversation_and_sender,
                a_new_conversation_arrives_with_its_row,
                a_message_does_not_raise_its_conversations_version,
                an_edit_arrives_with_a_higher_version,
                a_soft_delete_arrives_without_content,
                a_hard_delete_arrives_as_a_tombstone,
                a_deleted_conversation_arrives_as_one_tombstone,
                a_message_inserted_by_another_client_gets_a_seq,
                the_last_message_is_derived_when_the_row_is_read,
                deleted_text_shows_in_no_preview,
                a_cursor_that_cannot_be_read_has_expired,
                a_cursor_of_another_epoch_has_expired,
                every_first_load_names_the_history_it_is_of;
            paging: tiny_pages_bring_every_row_once,
                a_page_may_be_asked_for_again,
                what_is_written_during_a_pass_is_in_the_next_one,
                a_row_that_changes_during_a_pass_is_not_lost,
                a_pass_over_many_conversations_is_complete,
                the_digest_comes_when_there_is_no_more,
                a_page_says_what_the_server_accepts,
                a_page_of_nothing_is_a_bad_request;
            history: the_newest_page_is_ascending_and_covers_its_range,
                pages_go_down_to_the_beginning_without_a_gap,
                an_empty_conversation_is_complete,
                a_hole_was_deleted_for_good,
                a_soft_delete_keeps_its_place,
                history_brings_the_row_and_the_people,
                a_hidden_conversation_is_not_told_from_none;
            send: an_applied_message_is_acknowledged,
                seq_follows_the_order_of_the_batch,
                sending_again_is_a_duplicate_with_the_stored_row,
                a_longer_retry_keeps_the_order,
                what_an_older_app_sent_is_a_duplicate_under_the_servers_id,
                the_key_of_an_older_app_counts_for_its_sender_and_conversation_only,
                the_id_of_somebody_elses_message_is_taken,
                an_id_used_in_another_conversation_is_taken,
                a_retry_of_a_message_deleted_for_good_gets_its_tombstone,
                a_retry_of_a_softly_deleted_message_gets_no_content,
                a_medic_cannot_write_to_a_broadcast,
                a_broadcast_reaches_every_medic,
                an_unknown_or_hidden_conversation_is_not_found,
                a_deleted_conversation_says_so,
                somebody_who_was_removed_cannot_write,
                one_refused_mutation_undoes_no_other,
                only_people_write_messages,
                unusual_text_survives,
                metadata_reply_and_composed_at_survive,
                metadata_above_the_limits_is_refused,
                a_time_that_cannot_be_is_taken_for_none,
                created_at_grows_with_seq,
                sending_does_not_move_the_senders_marker,
                a_batch_of_nothing_has_no_results,
                a_batch_above_the_limits_is_too_large;
            open: a_medic_opens_her_own,
                opening_twice_gives_the_same_conversation,
                a_message_may_follow_its_opening_in_one_batch,
                the_canonical_id_is_used_within_the_batch,
                an_alias_is_resolved_later_and_in_retries,
                an_admin_opens_one_with_a_medic,
                a_medic_cannot_open_anothers,
                a_medic_of_another_org_is_not_found,
                a_foreign_org_is_not_found,
                the_id_of_a_hidden_conversation_is_taken,
                an_admin_opens_the_one_broadcast,
                a_subject_that_is_too_long_is_refused,
                a_medic_cannot_open_a_broadcast,
                a_deleted_conversation_can_be_opened_anew;
            mark: a_marker_moves_forward,
                a_marker_never_moves_back,
                a_marker_stays_within_the_conversation,
                a_marker_lowers_the_unread_count,
                whatever_changes_the_unread_count_brings_it,
                receipts_reach_the_other_side_of_a_direct_conversation,
                medics_do_not_see_each_others_markers,
                a_hidden_conversation_cannot_be_marked;
            access: a_reassigned_conversation_is_revoked_and_granted,
                a_grant_brings_the_row_and_history_the_messages,
                a_grant_brings_the_read_markers,
                the_new_medic_knows_who_wrote_before,
                losing_and_regaining_access_raises_the_version,
                a_removed_member_gets_her_revocations,
                others_see_that_somebody_was_removed,
                a_change_of_role_expires_the_cursor;
            privacy: nothing_of_another_org_arrives,
                nothing_of_another_medic_arrives,
                a_medic_does_not_learn_of_her_colleagues,
                another_persons_cursor_opens_nothing,
                tombstones_of_hidden_conversations_do_not_arrive,
                a_former_medic_learns_nothing_of_what_was_deleted,
                access_changes_of_others_do_not_arrive,
                a_push_reveals_nothing_hidden;
            retry: a_retry_holds_back_its_conversation_and_no_other,
                a_held_batch_is_applied_in_order_when_sent_again,
                a_retried_opening_holds_back_its_messages;
        }
    };
    (@area $backend:expr; $($area:ident: $($name:ident),+;)+) => {
        $(mod $area {
            #[allow(unused_imports, reason = "the expression may name anything of the module that calls the macro")]
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                let backend = $backend;
                let verdict = $crate::conformance::$area::$name(&backend).await;
                $crate::conformance::conclude(concat!(stringify!($area), "::", stringify!($name)), verdict);
            })+
        })+
    };
}
