//! The core delivers to a HoneyHive that fails: the tests say what is tried again, in which order, under which ids, and
//! what is given up.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::time::{Duration, SystemTime};

use crate::support::*;
use honeyhive::{Enrichment, HoneyHiveTracer, NewSession, OtlpCompression, OtlpProtocol, Session};
use honeyhive_local::{Endpoint, Fault, LocalServer, RecordedRequest};
use integration_tests::harness::local_server;
use serde_json::json;

/// Records a session with a span, and an update that needs a call of its own.
fn one_of_each(tracer: &HoneyHiveTracer) -> Session {
    let chat = tracer.create_session("chat");
    chat.in_scope(|| drop(tracer.span("work").start()));
    chat.enrich(Enrichment::new().metrics(json!({"score": 1})));
    chat
}

fn paths(server: &LocalServer, path: &str) -> Vec<RecordedRequest> {
    let mut requests = server.requests();
    requests.retain(|request| request.path == path);
    requests
}

#[test]
fn what_passes_is_tried_again_until_it_is_delivered() {
    let statuses = [408, 425, 429, 500, 502, 503, 504];
    let runs = statuses.map(|status| {
        let server = server();
        for endpoint in [Endpoint::Sessions, Endpoint::Events, Endpoint::Traces] {
            server.fail(Fault::status(status).on(endpoint).times(2));
        }
        let tracer = tracer(&server);
        let chat = one_of_each(&tracer);
        (status, server, tracer, chat)
    });
    std::thread::scope(|scope| {
        for (_, _, tracer, _) in &runs {
            scope.spawn(|| flush(tracer));
        }
    });

    for (status, server, tracer, chat) in &runs {
        let stats = tracer.stats();
        assert_eq!(
            (stats.delivered, stats.dropped.total(), stats.retried),
            (3, 0, 6),
            "{status}"
        );
        assert_eq!(
            server.tree(&chat.id().to_string()),
            "chat\n  work [tool]\n",
            "{status}"
        );
        assert_eq!(session(server, chat.id()).metrics["score"], 1, "{status}");
        assert!(!session(server, chat.id()).auto_created, "{status}");
    }
}

#[test]
fn a_start_reaches_honeyhive_before_its_spans_whatever_fails() {
    let server = server();
    server.fail(
        Fault::status(503)
            .on(Endpoint::Sessions)
            .share(0.3)
            .times(4),
    );
    server.fail(Fault::reset().on(Endpoint::Traces).times(2));
    let tracer = builder(&server)
        .otlp_protocol(OtlpProtocol::HttpJson)
        .coalesce_window(Duration::from_millis(1))
        .build()
        .unwrap();
    drop(tracer.span("outside").start());
    for number in 0..30 {
        let chat = tracer.create_session(format!("chat {number}"));
        chat.in_scope(|| drop(tracer.span("work").start()));
        if number % 10 == 0 {
            flush(&tracer);
        }
    }
    flush(&tracer);

    assert!(assert_starts_before_spans(&server) >= 31);
    assert_eq!(server.orphans(), []);
    assert_eq!(server.stats().sessions, 31);
    assert_eq!(all_events(&server).len(), 31);
    assert!(tracer.stats().retried > 0);
}

#[test]
fn spans_of_a_session_whose_start_hangs_hold_nobody_else_up() {
    let server = server();
    server.fail(Fault::hang().on(Endpoint::Sessions).times(1));
    let tracer = builder(&server).api_timeout(NEVER).build().unwrap();
    let hanging = tracer.acreate_session("hanging");
    let held = hanging.session();
    held.in_scope(|| drop(tracer.span("held").start()));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| block_on(hanging));
        assert!(server.wait_until_blocking(PATIENCE, |s| s.stats().requests == 1));
        let other = tracer.create_session("other");
        other.in_scope(|| drop(tracer.span("free").start()));
        // The flush cannot succeed, and says so; the spans of the other session get through meanwhile.
        let stuck = tracer.force_flush_blocking(Duration::from_millis(100));
        assert!(stuck.is_err());
        assert!(server.wait_until_blocking(PATIENCE, |s| s.stats().events > 0));
        assert_eq!(all_events(&server).len(), 1);
        event(&server, "free");
        drop(tracer.shutdown_blocking(Duration::ZERO));
        let answer = waiting.join().unwrap();
        assert_eq!(answer.unwrap_err(), honeyhive::StartError::ShutDown);
    });
}

#[test]
fn updates_of_a_session_keep_their_order_under_retries() {
    let server = server();
    server.fail(Fault::status(503).share(0.4).times(5));
    let tracer = tracer(&server);
    let sessions: Vec<_> = (0..5).map(|_| tracer.create_session("job")).collect();
    for step in 1..=4 {
        for job in &sessions {
            let note = json!({"step": step, format!("step_{step}"): true});
            job.enrich(Enrichment::new().metadata(note));
        }
        flush(&tracer);
    }

    for job in &sessions {
        let metadata = session(&server, job.id()).metadata;
        assert_eq!(metadata["step"], 4);
        assert_eq!(metadata.len(), 5, "{metadata:?}");
        let requests = server.requests();
        let id = job.id().to_string();
        let mut taken = requests.iter().filter(|request| {
            let is_start = request.json.as_ref().is_some_and(|b| b["session_id"] == id);
            request.status == Some(200) && (is_start || request.path.ends_with(&id))
        });
        assert_eq!(
            taken.next().map(|first| first.method.as_str()),
            Some("POST")
        );
        let steps: Vec<_> = taken
            .filter_map(|request| request.json.as_ref()?["metadata"]["step"].as_u64())
            .collect();
        assert!(steps.is_sorted(), "{steps:?}");
    }
    assert!(tracer.stats().retried > 0);
}

/// Fails the first calls of two servers, one of which asks to wait; returns whether the patient one was left alone
/// while the other got all its retries, and delivers once somebody waits.
fn is_waited_for(retry_after: &str) {
    let (patient, eager) = (server(), server());
    patient.fail(
        Fault::status(503)
            .header("retry-after", retry_after)
            .times(1),
    );
    eager.fail(Fault::status(503).times(2));
    let spared = tracer(&patient);
    let tried = tracer(&eager);
    // A start that a caller awaits is sent at once.
    assert!(block_on(spared.acreate_session("chat")).is_err());
    drop(block_on(tried.acreate_session("chat")));
    assert!(eager.wait_until_blocking(PATIENCE, |s| s.stats().sessions == 1));
    assert_eq!(eager.stats().requests, 3);
    assert_eq!(patient.stats().requests, 1, "Retry-After: {retry_after}");

    flush(&spared);
    assert_eq!(patient.stats().sessions, 1, "Retry-After: {retry_after}");
}

#[test]
fn retry_after_is_kept_to_in_seconds() {
    is_waited_for("3600");
}

#[test]
fn retry_after_is_kept_to_as_a_date() {
    let later = SystemTime::now() + Duration::from_secs(3_600);
    is_waited_for(&httpdate::fmt_http_date(later));
}

#[test]
fn retry_after_of_half_an_eternity_breaks_nothing() {
    is_waited_for(&u64::MAX.to_string());
}

#[test]
fn a_retry_after_that_makes_no_sense_or_has_passed_is_no_reason_to_wait() {
    for retry_after in ["soon", "-1", "0", "Sun, 06 Nov 1994 08:49:37 GMT"] {
        let server = server();
        let fault = Fault::status(503).header("retry-after", retry_after);
        server.fail(fault.times(1));
        let tracer = tracer(&server);
        drop(block_on(tracer.acreate_session("chat")));
        assert!(
            server.wait_until_blocking(PATIENCE, |s| s.stats().sessions == 1),
            "{retry_after}"
        );
        assert_eq!(count(&server, START), 2);
    }
}

#[test]
fn spans_wait_for_as_long_as_honeyhive_asks_too() {
    let server = server();
    server.fail(
        Fault::status(429)
            .header("retry-after", "3600")
            .on(Endpoint::Traces)
            .times(1),
    );
    let tracer = tracer(&server);
    let chat = tracer.create_session("chat");
    chat.in_scope(|| drop(tracer.span("first").start()));
    // The flush ends with its time, the spans wait on.
    let report = tracer.force_flush_blocking(Duration::from_secs(1));
    assert!(report.is_err(), "{report:?}");
    assert_eq!(count(&server, TRACES), 1);
    flush(&tracer);
    event(&server, "first");
}

#[test]
fn what_is_refused_is_dropped_without_another_try() {
    for status in [400, 409, 422, 501] {
        let server = server();
        server.fail(Fault::status(status).on(Endpoint::Sessions).times(1));
        server.fail(Fault::status(status).on(Endpoint::Traces).times(1));
        // The encoding is settled: otherwise the same spans would follow a 400 uncompressed.
        let settled = builder(&server).otlp_compression(OtlpCompression::Gzip);
        let tracer = settled.build().unwrap();
        let chat = tracer.create_session("chat");
        chat.in_scope(|| drop(tracer.span("work").start()));
        let error = tracer.force_flush_blocking(PATIENCE).unwrap_err();

        let honeyhive::FlushError::Dropped { report, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!((report.dropped, report.pending), (2, 0), "{status}");
        assert_eq!(calls(&server), [START, TRACES], "{status}");
        let stats = tracer.stats();
        assert_eq!((stats.dropped.rejected, stats.retried), (2, 0), "{status}");
        assert_balanced(&tracer);
    }
}

#[test]
fn spans_of_a_refused_session_ask_honeyhive_to_create_it() {
    let server = server();
    server.fail(Fault::status(400).on(Endpoint::Sessions).times(1));
    let tracer = tracer(&server);
    let chat = tracer.create_session("chat");
    chat.in_scope(|| drop(tracer.span("work").start()));
    drop(tracer.force_flush_blocking(PATIENCE));

    assert_eq!(server.orphans(), []);
    assert!(session(&server, chat.id()).auto_created);
    assert_tree(&server, &chat, "chat\n  work [tool]\n");
}

#[test]
fn a_wrong_key_costs_a_few_calls_and_counts_everything() {
    let server = server();
    let tracer = builder(&server).api_key("hh_wrong").build().unwrap();
    for _ in 0..200 {
        one_of_each(&tracer);
    }
    drop(tracer.force_flush_blocking(PATIENCE));

    let stats = tracer.stats();
    assert_eq!(
        (stats.accepted, stats.dropped.unauthorized, stats.pending),
        (600, 600, 0)
    );
    assert!(server.requests().len() < 40, "{}", server.requests().len());
    assert!(server.sessions().is_empty());
    assert_balanced(&tracer);
}

#[test]
fn a_deployment_with_the_legacy_routes_only_is_found_out_once() {
    let server = local_server()
        .api_key(KEY)
        .without_v1_routes()
        .start_blocking()
        .unwrap();
    let tracer = tracer(&server);
    let first = one_of_each(&tracer);
    flush(&tracer);
    assert_eq!(
        calls(&server)
            .into_iter()
            .filter(|call| call != TRACES)
            .collect::<Vec<_>>(),
        [
            START.to_owned(),
            "POST /session/start".to_owned(),
            update(&first),
            "PUT /events".to_owned()
        ]
    );
    server.clear();
    let second = one_of_each(&tracer);
    flush(&tracer);

    assert_eq!(count(&server, "POST /session/start"), 1);
    assert_eq!(count(&server, "PUT /events"), 1);
    assert_eq!(server.requests().len(), 3, "{:?}", calls(&server));
    assert_eq!(session(&server, second.id()).metrics["score"], 1);
    assert_tree(&server, &second, "chat\n  work [tool]\n");
    assert_eq!(tracer.stats().dropped.total(), 0);
}

#[test]
fn a_route_that_takes_another_method_only_is_a_missing_route_too() {
    let server = server();
    server.fail(Fault::status(405).on(Endpoint::Sessions).times(1));
    let tracer = tracer(&server);
    let chat = tracer.create_session("chat");
    flush(&tracer);

    assert_eq!(calls(&server), [START, "POST /session/start"]);
    session(&server, chat.id());
}

#[test]
fn an_unknown_session_does_not_make_the_current_route_a_missing_one() {
    let server = server_that_answers_404();
    let tracer = tracer(&server);
    let unknown = tracer.create_session(NewSession::existing("never begun"));
    unknown.enrich(Enrichment::new().metadata(json!({"k": 1})));
    drop(tracer.force_flush_blocking(PATIENCE));
    assert_eq!(tracer.stats().dropped.rejected, 1);
    server.clear();

    let chat = tracer.create_session("chat");
    flush(&tracer);
    chat.enrich(Enrichment::new().metadata(json!({"k": 2})));
    flush(&tracer);
    assert_eq!(calls(&server), [START.to_owned(), update(&chat)]);
}

#[test]
fn every_2xx_is_a_success_whatever_its_body() {
    for (status, body) in [
        (200, ""),
        (200, "no JSON {"),
        (200, r#"{"session_id": 7}"#),
        (201, ""),
        (202, "[]"),
        (204, ""),
        (299, "\u{1f41d}"),
    ] {
        let server = server();
        server.fail(Fault::status(status).body(body));
        let tracer = tracer(&server);
        one_of_each(&tracer);
        flush(&tracer);

        let stats = tracer.stats();
        assert_eq!(
            (stats.delivered, stats.retried),
            (3, 0),
            "{status} {body:?}"
        );
        assert_eq!(server.requests().len(), 3, "{status} {body:?}");
    }
}

#[test]
fn a_broken_connection_is_tried_again_under_the_same_ids() {
    for fault in [Fault::reset(), Fault::close()] {
        let server = server();
        for endpoint in [Endpoint::Sessions, Endpoint::Events, Endpoint::Traces] {
            server.fail(fault.clone().on(endpoint).times(1));
        }
        let tracer = tracer(&server);
        let chat = one_of_each(&tracer);
        flush(&tracer);

        for path in ["/v1/sessions", "/opentelemetry/v1/traces"] {
            let tries = paths(&server, path);
            assert_eq!(tries.len(), 2, "{fault:?} {path}");
            assert_eq!(tries[0].body, tries[1].body, "{fault:?} {path}");
        }
        assert_tree(&server, &chat, "chat\n  work [tool]\n");
        assert_eq!(session(&server, chat.id()).metrics["score"], 1);
        assert_eq!(tracer.stats().dropped.total(), 0);
    }
}

#[test]
fn what_was_taken_though_the_answer_got_lost_is_there_once() {
    let server = server();
    for endpoint in [Endpoint::Sessions, Endpoint::Events, Endpoint::Traces] {
        server.fail(Fault::reset().on(endpoint).times(1).after_applying());
    }
    let tracer = tracer(&server);
    let chat = one_of_each(&tracer);
    flush(&tracer);

    assert_eq!(server.stats().sessions, 1);
    assert_eq!(session(&server, chat.id()).posts, 2);
    assert_eq!(session(&server, chat.id()).updates, 2);
    assert_eq!(event(&server, "work").duplicates, 1);
    assert_eq!(tracer.stats().delivered, 3);
}

#[test]
fn a_start_that_may_have_been_taken_is_repeated_as_it_was_whatever_came_in_between() {
    let server = server();
    for fault in [
        Fault::reset().after_applying(),
        Fault::status(503).header("retry-after", "1"),
    ] {
        server.fail(fault.on(Endpoint::Sessions).times(1));
    }
    let tracer = builder(&server)
        .coalesce_window(Duration::ZERO)
        .build()
        .unwrap();
    let chat = tracer.create_session("chat");
    assert!(server.wait_until_blocking(PATIENCE, |server| count(server, START) == 2));
    // A session that exists takes no outputs from another start.
    chat.enrich(Enrichment::new().outputs(json!({"answer": 42})));
    flush(&tracer);
    assert_eq!(count(&server, START), 3);
    assert_eq!(session(&server, chat.id()).outputs["answer"], 42);
}

#[test]
fn an_answer_that_never_comes_is_given_up_and_tried_again() {
    let server = server();
    server.fail(Fault::hang().on(Endpoint::Sessions).times(1));
    let tracer = builder(&server)
        .api_timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    let chat = one_of_each(&tracer);
    flush(&tracer);

    assert_eq!(count(&server, START), 2);
    assert_tree(&server, &chat, "chat\n  work [tool]\n");
}

#[test]
fn spans_that_honeyhive_refuses_within_a_success_are_counted_as_rejected() {
    // The bytes are ExportTraceServiceResponse { partial_success: { rejected_spans: 2, error_message: "no" } }.
    let protobuf: &[u8] = &[0x0a, 0x06, 0x08, 0x02, 0x12, 0x02, b'n', b'o'];
    let json: &[u8] = br#"{"partialSuccess": {"rejectedSpans": "2", "errorMessage": "no"}}"#;
    let json_number: &[u8] = br#"{"partialSuccess": {"rejectedSpans": 2}}"#;
    for (protocol, content_type, body) in [
        (
            OtlpProtocol::HttpProtobuf,
            "application/x-protobuf",
            protobuf,
        ),
        (OtlpProtocol::HttpJson, "application/json", json),
        (OtlpProtocol::HttpJson, "application/json", json_number),
    ] {
        let server = server();
        server.fail(
            Fault::status(200)
                .header("content-type", content_type)
                .body(body.to_vec())
                .on(Endpoint::Traces),
        );
        let tracer = builder(&server).otlp_protocol(protocol).build().unwrap();
        let chat = tracer.create_session("chat");
        chat.in_scope(|| (0..5).for_each(|_| drop(tracer.span("work").start())));
        drop(tracer.force_flush_blocking(PATIENCE));

        let stats = tracer.stats();
        assert_eq!(
            (stats.delivered, stats.dropped.rejected, stats.pending),
            (4, 2, 0),
            "{protocol:?}"
        );
        assert_eq!(count(&server, TRACES), 1, "{protocol:?}");
    }
}

#[test]
fn a_partial_success_that_refuses_nothing_is_a_success() {
    let server = server();
    server.fail(
        Fault::status(200)
            .header("content-type", "application/json")
            .body(r#"{"partialSuccess": {"rejectedSpans": "0", "errorMessage": "a warning"}}"#)
            .on(Endpoint::Traces),
    );
    let tracer = builder(&server)
        .otlp_protocol(OtlpProtocol::HttpJson)
        .build()
        .unwrap();
    drop(tracer.span("work").start());
    flush(&tracer);
    assert_eq!(tracer.stats().delivered, 2);
}

#[test]
fn more_than_a_batch_of_spans_all_arrive() {
    let (server, tracer) = connected();
    let chat = tracer.create_session("chat");
    chat.in_scope(|| (0..1_300).for_each(|_| drop(tracer.span("work").start())));
    flush(&tracer);

    assert_eq!(server.events(&chat.id().to_string()).len(), 1_300);
    assert!(count(&server, TRACES) >= 3);
    assert_eq!(tracer.stats().delivered, 1_301);
}

#[test]
fn an_outage_of_everything_loses_nothing() {
    let server = server();
    server.fail(Fault::status(503));
    let tracer = builder(&server)
        .coalesce_window(Duration::from_millis(1))
        .build()
        .unwrap();
    let sessions: Vec<_> = (0..50).map(|_| one_of_each(&tracer)).collect();
    assert!(server.wait_until_blocking(PATIENCE, |s| s.stats().requests >= 3));
    let during = tracer.stats();
    assert_eq!(
        (during.pending, during.delivered, during.dropped.total()),
        (150, 0, 0)
    );
    server.heal();
    flush(&tracer);

    for chat in &sessions {
        assert_tree(&server, chat, "chat\n  work [tool]\n");
    }
    assert_eq!(tracer.stats().delivered, 150);
}
