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
        }
    };
}

/// One module of tests; see [`storage_conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! storage_conformance_group {
    ($device:expr; restarting: $($test:ident,)+) => {
        mod restarting {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[tokio::test]
                async fn $test() {
                    let device = $device;
                    $crate::conformance::restarting::$test(&device).await;
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
