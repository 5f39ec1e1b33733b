//! Everything goes wrong that can between the SDK and HoneyHive, and for each fault the test says what is tried again
//! and how often, what becomes of the telemetry, what a flush reports, what the log says; and that the counts balance
//! at every moment.
//!
//! What else is tested of failures: `sdk/delivery.rs` (Retry-After in seconds and as a date, order, answers that
//! get lost, OTLP partial success in both encodings), `sdk/bounds.rs` (full queues, 413), `logs/logs.rs` (one line,
//! not one a request), `core_runtimes.rs` (shutdown), `tls.rs`, `faults_random.rs`, `faults_outage.rs`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::time::Duration;

use honeyhive_local::LocalServer;
use integration_tests::faults::table::{
    Outcome, Row, What, assert_arrived, builder, cut, error_page, passing, record, refused, server,
    success, unusual, waits,
};
use integration_tests::faults::{Auditor, Cut, FaultProxy};
use integration_tests::harness::PATIENCE;
use integration_tests::log;

macro_rules! rows {
    ($($name:ident: $row:expr,)*) => {
        $(#[test] fn $name() { $row.run(); })*
    };
}

rows! {
    // These failures pass.
    a_408_is_tried_again: passing(408, "status 408"),
    a_425_is_tried_again: passing(425, "status 425"),
    a_429_is_tried_again: passing(429, "status 429"),
    a_500_is_tried_again: passing(500, "status 500"),
    a_502_is_tried_again: passing(502, "status 502"),
    a_503_is_tried_again: passing(503, "status 503"),
    a_504_is_tried_again: passing(504, "status 504"),
    a_gateways_error_page_is_tried_again_and_is_one_line: error_page(),
    // These refusals are final.
    a_401_is_dropped: refused(401, |drops| drops.unauthorized, "does not accept the key"),
    a_403_is_dropped: refused(403, |drops| drops.unauthorized, "does not accept the key"),
    a_404_is_dropped: refused(404, |drops| drops.rejected, "check HH_API_URL"),
    a_413_of_which_nothing_can_be_cut_is_dropped: refused(413, |drops| drops.too_large, "413"),
    a_400_is_dropped: refused(400, |drops| drops.rejected, "status 400"),
    a_redirect_is_dropped: refused(302, |drops| drops.rejected, "status 302"),
    // These answers count as a success whatever their contents.
    an_empty_200_is_a_success: success(200, "application/json", ""),
    a_204_is_a_success: success(204, "application/json", ""),
    truncated_json_in_a_success_is_a_success: success(200, "application/json", "{\"session_id\": \"5d0f"),
    what_is_no_json_in_a_success_is_a_success: success(200, "application/json", "]"),
    // These connections fail.
    a_connection_reset_before_a_byte_is_tried_again: cut([Cut::ResetAfterSent(0)]),
    two_connections_reset_in_a_row_are_tried_again: cut([Cut::ResetAfterSent(7), Cut::ResetAfterAnswered(3)]),
    an_answer_cut_off_within_its_head_is_tried_again: cut([Cut::CloseAfterAnswered(20)]),
    an_answer_that_hangs_within_its_head_is_tried_again: cut([Cut::HangAfterAnswered(20)]),
    an_answer_that_never_begins_is_tried_again: cut([Cut::HangAfterAnswered(0)]),
    an_answer_that_drips_too_slowly_is_tried_again: cut([Cut::Drip(Duration::from_millis(500))]),
    an_answer_that_drips_is_an_answer: unusual(Cut::Drip(Duration::from_micros(100))),
    // These hosts and listeners are missing.
    a_connection_refused_is_waited_out: waits(What::Refused),
    a_host_that_does_not_exist_is_waited_for: waits(What::NoSuchHost),
}

/// So many runs go side by side.
const SIDE_BY_SIDE: usize = 16;

/// Makes one run for each number of bytes, from none to all of a start and its answer: everything arrives, once.
fn reset_at(cuts: impl IntoIterator<Item = Cut>) -> LocalServer {
    let _turn = log::turn();
    let cuts: Vec<_> = cuts.into_iter().collect();
    let server = server();
    for some in cuts.chunks(SIDE_BY_SIDE) {
        std::thread::scope(|scope| {
            for cut in some {
                let server = &server;
                scope.spawn(move || {
                    let proxy = FaultProxy::start(server.address());
                    proxy.cut([*cut]);
                    let tracer = builder(proxy.url()).build().unwrap();
                    let auditor = Auditor::of(&tracer);
                    let chat = record(&tracer);
                    tracer.force_flush_blocking(PATIENCE).unwrap();
                    assert_arrived(server, &chat);
                    let stats = tracer.stats();
                    assert_eq!((stats.delivered, stats.dropped.total()), (3, 0), "{cut:?}");
                    assert!(stats.retried <= 2, "{cut:?}: {stats:?}");
                    drop(tracer);
                    auditor.assert_balanced();
                });
            }
        });
    }
    let sessions = server.sessions();
    assert_eq!(sessions.len(), cuts.len());
    server
}

#[test]
fn a_reset_at_any_byte_of_a_request_loses_and_doubles_nothing() {
    // A start is about 500 bytes; the update or the span follows on the same connection.
    drop(reset_at((0..1_200).step_by(13).map(Cut::ResetAfterSent)));
}

#[test]
fn a_reset_at_any_byte_of_an_answer_loses_and_doubles_nothing() {
    let server = reset_at((0..220).step_by(3).map(Cut::ResetAfterAnswered));
    let sessions = server.sessions();
    let again = sessions.iter().filter(|session| session.posts > 1).count();
    assert!(again > 0, "answers got lost after the start was taken");
}

#[test]
fn a_fault_that_no_row_expects_fails_its_row() {
    let wrong = Row {
        fault: What::FirstAnswers(honeyhive_local::Fault::status(503)),
        outcome: Outcome::Delivered,
        line: None,
    };
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| wrong.run()));
    assert!(ran.is_err(), "a table that cannot fail proves nothing");
}
