//! The conformance table has every row once, and where it applies.
//!
//! A row is a function of [`rows`](crate::rows). The tests of an adapter are one line:
//!
//! ```text
//! integration_tests::conformance_tests!(integration_tests::tower::Tower);
//! ```

use crate::adapter::Adapter;

/// A `Row` is one of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The module of [`rows`](crate::rows) that it is in.
    pub topic: &'static str,
    /// The function.
    pub name: &'static str,
    /// The adapters that the row is for.
    pub applies: Applies,
}

/// `Applies` says for which adapters a row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applies {
    /// The row holds for all.
    Both,
    /// The row holds for all but one.
    Except {
        /// The name of the adapter.
        adapter: &'static str,
        /// The property of its framework that makes the row meaningless there.
        why: &'static str,
    },
}

impl Applies {
    /// Returns the reason for which a row does not hold for an adapter; `None` where it does.
    #[must_use]
    pub fn reason_against<A: Adapter>(self) -> Option<&'static str> {
        match self {
            Self::Except { adapter, why } if adapter == A::NAME => Some(why),
            Self::Both | Self::Except { .. } => None,
        }
    }
}

/// Returns all rows.
#[must_use]
pub fn rows() -> Vec<Row> {
    crate::conformance_table!(@list [])
}

/// The macro is the table itself. It hands its rows to the rule that makes a list or tests of them.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_table {
    (@$what:ident [$($context:tt)*]) => {
        $crate::conformance_expansion! { @$what [$($context)*]
            sessions {
                a_request_becomes_one_session_with_its_spans: Both,
                a_request_that_names_its_session_joins_it: Both,
                a_session_of_somebody_elses_is_never_started: Both,
                a_server_that_waits_for_requests_says_nothing: Both,
                the_programs_own_session_header_is_left_alone: Both,
                the_extractors_give_the_requests_session: Both,
                the_extractors_fail_no_request_where_there_is_no_session: Both,
                a_disabled_tracer_changes_nothing: Both,
                a_session_is_named_after_the_route_that_was_taken: Both,
                requests_on_one_http2_connection_are_sessions_of_their_own: Both,
                requests_on_a_kept_connection_are_sessions_of_their_own: Both,
                what_is_under_way_at_a_graceful_stop_is_delivered: Both,
            }
            endings {
                every_status_is_recorded_once_as_it_was_sent: Both,
                a_path_without_a_route_is_recorded_as_404: Both,
                a_body_that_the_framework_refuses_is_recorded_as_it_says: Both,
                an_error_of_the_handler_is_recorded: Both,
                what_the_program_says_went_wrong_is_not_replaced_by_a_status: Both,
                an_error_of_an_inner_middleware_is_recorded: Both,
                a_head_request_ends_with_its_head: Both,
            }
            panics {
                a_panic_at_once_is_recorded_and_goes_on: Both,
                a_panic_after_an_await_is_recorded_and_goes_on: Both,
                a_panic_in_a_body_is_recorded_with_the_status_that_was_sent: Both,
            }
            disconnects {
                a_client_that_leaves_before_the_head_is_recorded_as_499: Both,
                an_http2_request_that_is_cancelled_is_recorded_as_499: Except {
                    adapter: "actix",
                    why: "actix-web runs a handler to its end though its HTTP/2 stream was cancelled; tests/adapter_actix/bodies.rs says what is recorded then",
                },
                a_client_that_leaves_before_the_confirmation_is_recorded_as_499: Both,
                a_client_that_leaves_an_event_stream_is_recorded_with_what_it_got: Both,
                a_client_that_leaves_a_models_stream_leaves_what_it_got_as_the_outputs: Both,
            }
            websocket {
                an_upgrade_is_recorded_at_once_and_its_task_keeps_the_session: Both,
                a_plain_request_to_a_socket_is_recorded_as_refused: Both,
            }
            streaming {
                a_session_ends_with_the_last_byte_of_its_stream: Both,
                spans_made_while_a_body_is_polled_are_the_sessions: Both,
                server_sent_events_pass_unchanged: Both,
                a_body_of_known_length_keeps_its_content_length: Both,
                a_stream_of_a_declared_length_is_complete_with_its_last_byte: Both,
                a_body_that_fails_is_recorded_as_an_error: Both,
                every_chunking_arrives_byte_for_byte: Both,
                a_body_is_polled_to_its_end_as_without_us: Both,
                what_is_streamed_to_a_user_becomes_the_outputs_where_that_is_wished: Both,
                of_what_is_streamed_only_lengths_are_kept_where_no_content_is_captured: Both,
            }
            isolation {
                two_thousand_requests_at_once_keep_their_spans_apart: Both,
                untraced_requests_among_traced_ones_change_nothing: Both,
            }
            feedback {
                a_rating_reaches_its_session_or_its_event: Both,
                what_is_no_feedback_is_refused: Both,
                a_body_without_an_end_is_answered_at_the_limit: Both,
                an_id_is_rated_so_many_times_a_minute: Both,
                a_rating_by_a_signed_id_only: Both,
                a_rating_by_an_id_that_is_signed_for_its_tenant: Both,
            }
            holding {
                what_has_been_answered_has_been_delivered: Both,
                a_failure_is_delivered_before_it_is_told: Both,
                a_stream_flows_until_its_end: Both,
                nobody_waits_longer_than_was_said: Both,
                a_client_that_left_is_delivered_without_a_wait: Both,
                a_panic_is_delivered_without_a_wait: Both,
                an_untraced_answer_is_not_held_back: Both,
            }
            budgets {
                a_budget_counts_a_conversation_across_its_requests: Both,
                a_request_that_moves_is_a_turn_of_where_it_goes: Both,
                a_budgets_hook_that_panics_changes_nothing: Both,
            }
            ids {
                an_id_that_cannot_be_used_counts_as_absent: Both,
                an_id_that_says_nothing_counts_as_absent: Both,
                bytes_that_no_header_may_hold_name_no_session: Both,
                an_id_that_is_no_uuid_is_mapped: Both,
                an_upper_case_uuid_names_the_same_session: Both,
                trust_in_uuids_takes_nothing_else: Both,
                without_trust_every_request_is_a_session_of_its_own: Both,
                only_signed_ids_are_taken_and_signed_ids_go_back: Both,
                a_signed_id_brings_no_experiment_along: Both,
                an_id_outlives_the_key_that_signed_it: Both,
                an_id_is_signed_for_the_tenant_of_its_request: Both,
                no_id_is_taken_for_a_tenant_that_is_unknown: Both,
                the_program_decides_which_ids_it_trusts: Both,
                the_program_finds_the_id_where_the_header_is_absent: Both,
                an_id_that_the_program_finds_counts_as_one_in_the_header: Both,
                an_id_that_cannot_be_used_leaves_it_to_the_next_place: Both,
                an_id_that_the_program_finds_is_taken_as_far_as_it_is_trusted: Both,
                the_header_can_have_another_name: Both,
            }
            baggage {
                baggage_links_to_the_callers_session: Both,
                baggage_in_several_lines_is_one_list: Both,
                a_key_that_says_nothing_leaves_it_to_the_bare_one: Both,
                a_bare_session_id_that_is_no_uuid_is_not_ours: Both,
                the_header_goes_before_the_baggage: Both,
                the_callers_span_is_the_parent_of_the_requests: Both,
                a_mapped_id_names_the_callers_session_in_either_place: Both,
                only_one_session_in_header_and_baggage_is_the_callers: Both,
                a_callers_session_keeps_its_own_end: Both,
                a_trace_context_alone_is_no_parent: Both,
            }
            settings {
                routine_requests_are_not_traced: Both,
                the_stream_of_an_untraced_request_is_not_traced: Both,
                a_filter_can_let_everything_through: Both,
                a_filter_decides_what_is_traced: Both,
                what_is_skipped_is_left_out_besides: Both,
                what_no_route_is_for_can_be_left_out: Both,
                inputs_that_are_no_object_are_kept_or_counted: Both,
                the_program_says_whose_request_it_is: Both,
                the_program_names_sessions_and_adds_inputs: Both,
                a_blank_name_is_no_name: Both,
                a_user_id_that_cannot_be_used_is_left_out: Both,
                callbacks_that_panic_are_counted_and_change_nothing: Both,
                callbacks_may_open_a_scope_of_their_own: Both,
                a_crowd_that_is_never_confirmed_is_answered_together: Both,
                a_confirmed_start_is_known_before_the_handler_runs: Both,
                a_start_that_is_never_confirmed_holds_nobody_up_for_ever: Both,
                a_request_span_carries_inputs_and_outputs: Both,
                over_otlp_there_is_no_rest_call: Both,
                over_otlp_the_request_span_says_how_it_ended: Both,
                one_tracer_serves_several_servers: Both,
            }
            moves {
                a_session_that_moves_in_time_leaves_nothing_behind: Both,
                a_session_moves_once: Both,
                an_id_that_says_nothing_moves_nobody: Both,
                an_id_that_says_nothing_leaves_a_linked_request_where_it_is: Both,
                a_session_that_was_sent_moves_from_now_on: Both,
                a_session_that_moves_to_itself_stays: Both,
                a_linked_request_that_moves_takes_nobody_along: Both,
                a_conversation_that_nobody_has_begun_is_created_by_its_turn: Both,
                over_otlp_a_request_that_moves_takes_everything_along: Both,
                over_otlp_what_is_said_early_waits_for_the_spans: Both,
            }
            outages {
                a_honeyhive_that_fails_is_not_noticed_and_recovers: Both,
                a_honeyhive_that_hangs_is_not_noticed_and_recovers: Both,
                a_honeyhive_that_is_overloaded_is_not_noticed_and_recovers: Both,
                a_honeyhive_whose_answers_are_lost_doubles_nothing: Both,
                a_honeyhive_that_refuses_the_key_is_not_noticed: Both,
                a_honeyhive_that_is_not_there_is_not_noticed_and_recovers: Both,
                a_full_queue_is_not_noticed_and_counted: Both,
            }
            tracers {
                two_tracers_share_a_server_and_nothing_else: Both,
                the_same_tracer_twice_is_one_session: Both,
                a_global_provider_of_the_users_own_is_left_alone: Both,
            }
        }
    };
}

/// The macro makes one test a row for an adapter, given by its absolute path.
#[macro_export]
macro_rules! conformance_tests {
    ($adapter:ty) => {
        $crate::conformance_table!(@tests [$adapter]);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_expansion {
    (@list [] $($topic:ident { $($name:ident: $applies:expr,)* })*) => {{
        use $crate::table::{Applies::*, Row};
        vec![$($(Row {
            topic: stringify!($topic),
            name: stringify!($name),
            applies: $applies,
        },)*)*]
    }};
    (@tests [$adapter:ty] $($topic:ident { $($name:ident: $applies:expr,)* })*) => {
        $(mod $topic {
            #[allow(unused_imports, reason = "a topic may have no exceptions")]
            use $crate::table::Applies::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    if let Some(why) = ($applies).reason_against::<$adapter>() {
                        println!("does not apply: {why}");
                        return;
                    }
                    $crate::rows::$topic::$name::<$adapter>().await;
                }
            )*
        })*
    };
}
