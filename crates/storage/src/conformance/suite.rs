//! The list of all tests, as a macro, so that the runner of each implementation counts them one by one.

/// Runs the whole suite on devices of the given kind: one `#[tokio::test]` per story, in one module per role. The crate that
/// calls it needs `tokio` with `macros` and `rt`.
#[macro_export]
macro_rules! storage_conformance {
    ($device:expr) => {
        $crate::storage_conformance_group! { $device; sending:
            a_sent_message_stands_queued_at_the_end_of_its_thread,
            a_sent_message_is_queued_with_its_mutation,
            defect_6_sending_the_same_id_again_changes_nothing,
            sending_to_a_conversation_that_is_not_here_is_refused,
            a_message_is_by_whoever_has_signed_in_since,
            sending_before_anybody_has_signed_in_is_refused,
            sending_never_moves_the_read_marker,
            a_queued_message_is_the_newest_of_its_conversation,
            defect_12_a_preview_never_splits_a_character,
            a_message_comes_back_as_it_was_composed,
            the_longest_message_is_kept_whole,
            all_queued_messages_stand_in_the_newest_window_in_the_order_of_sending,
        }
        $crate::storage_conformance_group! { $device; batches:
            a_batch_is_in_the_order_of_recording,
            reading_a_batch_takes_nothing_out,
            a_batch_has_at_most_so_many_rows,
            a_batch_has_at_most_so_many_bytes,
            a_batch_has_at_least_one,
            an_empty_outbox_gives_an_empty_batch,
            held_lanes_are_passed_over,
            defect_8_dead_letters_are_passed_over,
            defect_8_nothing_is_given_up_by_itself,
            entries_are_listed_in_order_dead_letters_included,
            the_open_goes_ahead_of_what_is_written_in_it,
        }
        $crate::storage_conformance_group! { $device; settling:
            a_stored_message_keeps_its_id_and_gets_its_place,
            the_servers_order_is_the_threads_order,
            a_duplicate_is_a_success_with_the_row_as_it_is_now,
            a_message_that_the_server_has_under_another_id_is_shown_once,
            a_message_deleted_under_another_id_leaves,
            a_message_deleted_since_leaves_and_its_seq_stays_taken,
            an_acknowledged_mark_leaves_the_outbox,
            a_bare_acknowledgement_is_enough_to_leave_the_outbox,
            a_refused_message_becomes_a_dead_letter,
            a_dead_letter_does_not_park_what_follows,
            a_refused_mark_leaves_and_the_marker_stands,
            a_refusal_after_the_remote_echo_makes_no_dead_letter,
            not_now_keeps_the_place_and_is_counted,
            an_answer_that_comes_twice_is_unknown_the_second_time,
            the_answers_of_a_batch_are_recorded_together,
            a_remote_echo_before_the_answer_is_not_doubled,
            a_late_answer_does_not_resurrect_a_deleted_message,
            a_refusal_of_a_newer_server_survives,
            no_answers_change_nothing,
            not_now_does_not_revive_a_dead_letter,
        }
        $crate::storage_conformance_group! { $device; deciding:
            what_left_for_the_server_is_sending,
            not_now_ends_an_attempt,
            what_never_arrived_is_queued_as_before,
            a_lost_answer_stays_lost_until_the_server_has_decided,
            an_edited_message_keeps_its_place,
            an_edit_shows_everywhere,
            nothing_is_decided_while_the_outcome_is_unknown,
            retrying_what_is_queued_changes_nothing,
            a_dead_letter_is_sent_again_from_the_end,
            an_edited_dead_letter_is_sent_again,
            a_refusal_said_unseen_leaves_open_whether_an_earlier_attempt_arrived,
            a_refused_open_is_tried_again_with_all_that_waits_in_it,
            trying_one_conversation_again_leaves_other_dead_letters_alone,
            what_is_tried_again_and_then_lost_by_the_server_keeps_its_new_place,
            what_the_server_lost_is_sent_again_under_its_id,
            what_has_arrived_is_no_dead_letter_any_more,
            what_has_no_conversation_can_only_be_taken_back,
            only_a_message_can_be_edited,
            a_cancelled_message_leaves,
            cancelling_never_takes_what_the_server_has,
            a_cancelled_open_takes_its_conversation_along,
            one_message_of_a_refused_conversation_can_be_taken_back,
            an_open_on_its_way_cannot_be_cancelled,
            what_was_read_stays_read,
            what_is_not_waiting_is_not_found,
            an_entry_is_found_by_its_message,
        }
        $crate::storage_conformance_group! { $device; expiring:
            what_has_waited_too_long_becomes_a_dead_letter,
            what_may_have_reached_the_server_never_expires,
            what_the_server_wants_later_may_expire_meanwhile,
            what_the_server_has_does_not_expire,
            an_expired_message_sent_again_has_waited_anew,
            an_expired_message_can_be_changed_and_taken_back,
            a_dead_letter_keeps_its_reason,
            read_marks_do_not_expire,
            an_open_waits_for_the_messages_behind_it,
            an_open_expires_with_the_last_of_its_messages,
            an_open_on_its_way_does_not_expire,
        }
        $crate::storage_conformance_group! { $device; opening:
            a_conversation_opened_offline_is_there_at_once,
            opening_twice_gives_the_same_conversation,
            opening_one_that_is_synced_queues_nothing,
            opening_before_the_first_sync_is_refused,
            an_accepted_open_keeps_its_id,
            the_canonical_id_takes_the_place_of_the_local_one,
            defect_10_the_old_id_works_in_every_method,
            rows_under_the_old_id_are_taken_as_the_canonical_ones,
            a_pulled_row_of_the_same_medic_merges_before_the_answer,
            what_took_the_place_of_a_deleted_conversation_stays,
            a_conversation_opened_here_that_the_server_lists_stays_itself,
            an_old_id_that_the_server_lists_means_that_conversation,
            only_the_same_org_and_medic_merge,
            messages_of_both_meet_in_the_canonical_thread,
            messages_sent_under_the_old_id_are_stored_under_the_new_one,
            answers_behind_a_new_id_are_about_the_canonical_conversation,
            an_answer_to_a_message_can_bring_the_canonical_id,
            an_id_can_become_canonical_in_two_steps,
            a_refused_open_parks_what_depends_on_it,
            a_refused_open_does_not_park_what_the_server_has,
            a_refused_open_of_a_conversation_that_is_there_parks_nothing_else,
            a_message_to_a_refused_conversation_parks_at_once,
            an_unsent_conversation_stays_through_a_bootstrap,
            an_alias_outlives_later_changes,
        }
        $crate::storage_conformance_group! { $device; reading:
            reading_a_thread_moves_the_marker_and_queues_that,
            reading_again_queues_nothing,
            a_queued_mark_is_replaced_by_a_later_one,
            marks_are_replaced_per_conversation,
            reading_a_conversation_that_is_not_here_is_refused,
            an_unloaded_thread_cannot_be_read,
            what_was_not_displayed_stays_unread,
            what_is_here_beyond_a_hole_counts_once,
            the_answer_to_a_mark_may_say_that_more_was_read,
            displaying_less_takes_nothing_back,
            the_marker_stops_at_what_is_here,
            the_marker_stops_below_a_gap,
            a_deleted_message_is_no_gap_for_the_marker,
            the_marker_never_goes_backwards,
            a_marker_from_another_device_is_taken,
            receipts_of_others_do_not_read_for_me,
            own_and_deleted_messages_are_not_unread,
            an_acknowledged_message_of_mine_is_not_unread,
            unread_of_a_partial_thread_is_the_servers_count,
            a_stale_count_does_not_undo_reading,
            what_was_read_of_a_partial_thread_stays_read_while_its_mark_waits,
            what_was_read_is_taken_off_the_servers_count,
            the_servers_count_is_believed_where_little_is_here,
            loaded_history_counts_for_itself,
            unread_is_exact_while_a_pass_is_under_way,
            sending_past_unpulled_messages_does_not_revive_an_old_count,
            an_older_count_of_the_server_is_ignored,
            history_that_a_pull_has_overtaken_does_not_count,
            nothing_is_unread_below_a_marker_at_the_end,
            a_marker_before_its_conversation_is_kept,
            defect_10_unread_counts_by_the_canonical_id,
        }
        $crate::storage_conformance_group! { $device; threads:
            a_thread_is_read_window_by_window,
            a_window_that_reaches_the_beginning_says_so,
            a_window_says_what_the_server_may_have,
            an_empty_and_an_unloaded_thread_are_told_apart,
            a_window_ends_above_a_gap,
            a_window_goes_on_below_a_deleted_message,
            queued_messages_are_only_in_the_newest_window,
            a_window_of_no_messages_is_allowed,
            a_thread_that_is_not_here_is_not_found,
            a_thread_is_ordered_by_seq_alone,
            threads_do_not_mix,
            conversations_are_listed_by_activity,
            the_preview_follows_the_newest_message,
            the_preview_of_an_unloaded_thread_is_the_servers,
            people_are_listed_by_name,
            huge_seqs_are_as_good_as_small_ones,
        }
        $crate::storage_conformance_group! { $device; pulling:
            defect_1_the_position_is_the_servers_cursor,
            defect_2_the_cursor_moves_page_by_page,
            defect_7_a_page_for_another_position_is_superseded,
            a_pull_needs_a_finished_bootstrap,
            an_empty_page_moves_the_cursor,
            a_page_applied_again_is_stale,
            an_older_state_of_a_message_is_ignored,
            the_newest_of_several_states_in_a_page_stands,
            an_older_state_of_a_conversation_or_person_is_ignored,
            versions_are_compared_per_row,
            last_seq_only_grows,
            defect_3_changes_of_old_messages_arrive,
            a_deleted_message_does_not_come_back,
            a_tombstone_before_its_message_is_remembered,
            an_older_tombstone_is_ignored,
            a_page_brings_a_conversation_and_its_messages_together,
            only_messages_of_others_are_news,
            the_digest_of_a_page_is_compared_after_it,
            the_sync_state_remembers_success_and_who_i_am,
        }
        $crate::storage_conformance_group! { $device; access:
            a_revoked_conversation_leaves_the_device,
            unsent_messages_of_a_revoked_conversation_become_dead_letters,
            an_echoed_message_of_a_revoked_conversation_just_leaves,
            an_earlier_dead_letter_keeps_its_reason,
            an_answer_after_the_revocation_settles_the_dead_letter,
            late_rows_of_a_revoked_conversation_are_ignored,
            a_newer_grant_brings_the_conversation_back,
            a_granted_conversation_is_missing_its_messages,
            what_was_read_is_told_again_when_sight_comes_back,
            what_was_read_is_told_again_after_a_first_load,
            a_granted_conversation_is_missing_what_has_not_changed_lately,
            dead_letters_stand_in_their_thread_again_after_a_grant,
            a_revocation_wins_over_an_older_grant_of_the_same_page,
            a_revocation_of_what_is_not_here_is_remembered,
            an_open_that_leads_to_a_revoked_conversation_leaves_dead_letters,
            a_deleted_conversation_leaves_and_does_not_come_back,
            an_older_tombstone_of_a_conversation_is_ignored,
            a_revocation_touches_no_other_conversation,
        }
        $crate::storage_conformance_group! { $device; bootstrapping:
            a_bootstrap_goes_page_by_page,
            the_progress_of_a_bootstrap_adds_up,
            defect_4_no_page_of_a_bootstrap_can_be_skipped,
            a_bootstrap_page_needs_a_bootstrap,
            a_bootstrap_can_start_over,
            everything_stays_readable_during_a_bootstrap,
            a_person_without_membership_has_an_empty_store,
            conversations_that_a_bootstrap_does_not_confirm_leave,
            messages_that_a_bootstrap_does_not_confirm_leave,
            history_from_before_a_bootstrap_is_fetched_again,
            a_conversation_that_comes_without_messages_is_missing_them,
            known_deletions_below_a_confirmed_range_stay_known,
            a_message_that_awaits_its_answer_is_shown_through_a_bootstrap,
            history_during_a_bootstrap_is_fetched_again,
            a_reconciling_bootstrap_respects_versions,
            a_bootstrap_makes_a_revoked_conversation_welcome,
            people_that_a_bootstrap_does_not_confirm_leave,
            a_bootstrap_tells_the_recent_range,
            a_later_bootstrap_replaces_the_range,
            what_is_acknowledged_during_a_bootstrap_is_not_swept,
            what_is_opened_during_a_bootstrap_is_not_swept,
            queued_messages_stay_in_their_thread_through_a_bootstrap,
        }
        $crate::storage_conformance_group! { $device; epochs:
            after_an_epoch_versions_count_from_the_beginning,
            messages_that_the_server_lost_become_dead_letters,
            messages_of_a_conversation_that_the_server_lost_become_dead_letters,
            what_is_out_of_sight_after_an_epoch_is_not_called_lost,
            after_an_epoch_older_messages_are_fetched_again,
            deleted_and_unsendable_messages_are_not_lost,
            the_outbox_survives_an_epoch,
            after_an_epoch_markers_come_down_to_what_is_there,
            after_an_epoch_the_server_is_told_again_what_was_read,
            after_an_epoch_what_took_the_place_of_another_is_unread,
            after_an_epoch_a_seq_can_be_taken_by_another_message,
            starting_over_does_not_forget_a_change_of_epoch,
            a_first_page_of_another_history_is_a_change_of_epoch,
            what_was_told_before_the_first_page_is_of_the_old_history,
            a_change_of_epoch_is_dealt_with_once,
            what_was_acknowledged_before_the_first_page_may_be_lost_as_well,
            what_was_opened_before_the_first_page_may_be_lost_as_well,
            what_history_told_before_the_first_page_is_older_than_it,
            only_the_first_page_says_which_history_it_is_of,
            after_an_epoch_old_deletions_and_revocations_are_forgotten,
        }
        $crate::storage_conformance_group! { $device; filling:
            history_extends_a_thread_down_to_its_beginning,
            a_page_of_history_covers_its_range_whole,
            a_page_of_history_may_hold_no_message,
            a_complete_page_is_the_beginning,
            history_of_an_empty_conversation,
            history_brings_people_and_the_conversation,
            history_of_what_is_not_here_changes_nothing,
            history_removes_what_the_server_no_longer_has,
            history_respects_versions,
            history_may_bring_tombstones,
            a_page_above_a_hole_becomes_the_recent_range,
            a_page_below_a_hole_waits_until_it_is_filled,
            overlapping_pages_of_history_become_one,
            an_unloaded_conversation_is_missing,
            a_hole_above_the_range_is_missing,
            a_message_without_any_range_has_a_hole_below,
            a_thread_that_begins_at_one_is_whole,
            a_hole_that_later_pages_fill_is_gone,
            an_acknowledged_message_extends_the_range,
            an_unsent_conversation_is_missing_nothing,
            a_tombstone_fills_a_hole,
            a_tombstone_above_a_hole_has_a_hole_below,
            history_asked_for_before_a_bootstrap_is_superseded,
            history_told_before_a_bootstrap_keeps_nothing_in_sight,
            conversations_are_checked_in_turn,
            what_a_page_of_history_drops_counts_as_applied,
        }
        $crate::storage_conformance_group! { $device; receipts:
            receipts_say_how_far_a_message_has_got,
            an_older_receipt_takes_nothing_back,
            my_own_marker_is_no_receipt,
            the_furthest_of_several_receipts_counts,
            the_servers_status_counts_where_receipts_say_less,
            messages_of_others_have_the_status_of_their_row,
            a_receipt_can_come_before_the_answer,
        }
        $crate::storage_conformance_group! { $device; naming:
            a_person_is_of_the_org_that_she_is_a_member_of,
            a_bootstrap_says_of_which_org_a_person_was,
            somebody_of_two_orgs_is_in_each_what_she_is_there,
            an_admin_sees_the_medics_name,
            defect_9_a_medic_is_found_by_the_medics_row,
            a_medic_sees_admin,
            an_unknown_medic_has_the_name_that_the_server_sent,
            a_new_name_shows_everywhere,
            a_sender_may_come_after_the_message,
            a_member_of_the_past_keeps_the_name,
            what_is_queued_has_names,
            a_new_role_changes_what_is_seen,
        }
        $crate::storage_conformance_group! { $device; tolerance:
            unknown_values_are_kept_as_they_came,
            unknown_fields_are_kept_as_they_came,
            metadata_is_carried_whatever_its_size,
            unreadable_rows_lose_nothing_else,
            an_unreadable_message_deletes_nothing,
            an_unreadable_message_of_history_deletes_nothing,
            a_conversation_that_cannot_be_read_stays_as_it_was,
            a_conversation_that_is_not_known_to_be_listed_leaves,
            a_person_that_cannot_be_read_stays_as_she_was,
            unreadable_rows_leave_with_their_conversation,
            unreadable_rows_follow_the_canonical_id,
            the_newest_thousand_unreadable_rows_are_kept,
            a_message_of_an_unknown_conversation_is_kept_aside,
            an_unknown_kind_of_access_is_kept_aside,
            sparse_messages_are_shown,
            markers_of_strangers_do_no_harm,
            defect_5_the_largest_page_and_batch_are_one_call_each,
        }
        $crate::storage_conformance_group! { $device; projects:
            what_was_omitted_is_said_in_its_place,
            what_nobody_wrote_has_no_name_and_is_unread,
            what_somebody_wrote_who_is_gone_loses_its_name,
            what_the_project_stored_instead_is_shown,
            a_known_version_that_says_something_else_is_believed,
            a_refusal_of_the_project_keeps_its_words,
            what_a_policy_withdraws_leaves_and_may_come_back,
            what_a_policy_hides_is_no_gap,
            a_hole_below_what_a_page_covers_stays_missing,
            what_the_server_says_about_itself_is_kept,
            the_digest_of_a_set_follows_what_comes_and_goes,
        }
        $crate::storage_conformance_group! { $device; accounts:
            a_store_in_use_is_sound,
            a_fresh_store_belongs_to_nobody,
            the_first_session_decides_whose_store_it_is,
            a_refreshed_session_replaces_the_old_one,
            another_persons_session_is_refused,
            a_claimed_store_is_that_persons_and_keeps_no_tokens,
            signing_out_keeps_the_outbox_and_everything_else,
            errors_carry_no_content_and_no_token,
            closing_twice_is_allowed,
            a_closed_store_cannot_be_read,
            a_closed_store_cannot_be_written,
        }
        $crate::storage_conformance_group! { $device; restarting:
            the_outbox_survives_a_restart,
            an_unknown_outcome_survives_a_restart,
            what_was_accepted_survives_without_closing,
            the_position_survives_a_restart,
            an_open_run_of_pages_survives_a_restart,
            a_bootstrap_resumes_after_a_restart,
            what_is_remembered_survives_a_restart,
            aliases_survive_a_restart,
            ranges_and_markers_survive_a_restart,
            the_session_survives_a_restart,
            defect_7_two_handles_do_not_undo_each_other,
            concurrent_writes_are_all_kept,
        }
        $crate::storage_conformance_group! { $device; letting_go:
            what_was_let_go_of_fails_until_it_is_taken_back,
            others_work_while_one_has_let_go,
            a_closed_store_cannot_be_taken_back,
            one_at_a_time_has_the_turn,
            a_turn_outlives_nobody,
            a_wiped_store_is_as_new_for_anybody,
            what_was_asked_for_before_a_wipe_is_not_applied_after_it,
            a_wipe_is_seen_by_everybody,
        }
    };
}

/// One module of tests; see [`storage_conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! storage_conformance_group {
    ($device:expr; restarting: $($test:ident,)+) => {
        $crate::storage_conformance_group! { $device; on a device, restarting: $($test,)+ }
    };
    ($device:expr; letting_go: $($test:ident,)+) => {
        $crate::storage_conformance_group! { $device; on a device, letting_go: $($test,)+ }
    };
    ($device:expr; on a device, $group:ident: $($test:ident,)+) => {
        mod $group {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[tokio::test]
                async fn $test() {
                    let device = $device;
                    $crate::conformance::$group::$test(&device).await;
                }
            )+
        }
    };
    ($device:expr; $group:ident: $($test:ident,)+) => {
        mod $group {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[tokio::test]
                async fn $test() {
                    let device = $device;
                    let store = $crate::conformance::Device::open(&device).await;
                    $crate::conformance::$group::$test(&*store).await;
                }
            )+
        }
    };
}

#[cfg(test)]
mod tests {
    /// The source of a role's stories.
    macro_rules! source {
        ($($group:literal),+) => {
            [$(($group, include_str!(concat!($group, ".rs")))),+]
        };
    }

    #[test]
    fn every_story_is_in_the_list() {
        let list = include_str!("suite.rs");
        let groups = source!(
            "sending",
            "batches",
            "settling",
            "deciding",
            "opening",
            "reading",
            "threads",
            "pulling",
            "access",
            "bootstrapping",
            "epochs",
            "filling",
            "receipts",
            "naming",
            "tolerance",
            "projects",
            "accounts",
            "restarting",
            "letting_go"
        );
        for (group, text) in groups {
            let (_, section) = list.split_once(&format!("$device; {group}:")).unwrap();
            let (section, _) = section.split_once('}').unwrap();
            for line in text.lines().filter_map(|line| line.strip_prefix("pub async fn ")) {
                let (story, _) = line.split_once('(').unwrap();
                assert!(
                    section.lines().any(|listed| listed.trim() == format!("{story},")),
                    "{group}::{story} is not listed"
                );
            }
        }
    }
}
