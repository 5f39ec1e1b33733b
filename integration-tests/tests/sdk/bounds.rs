//! The core's queue has bounds: the tests say what becomes of what is too large, and that the counts always balance.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::*;
use honeyhive::opentelemetry::KeyValue;
use honeyhive::opentelemetry::trace::{Span as _, Status, Tracer as _, TracerProvider as _};
use honeyhive::{
    DropPolicy, DropReason, Enrichment, FlushError, HoneyHiveTracer, NewSession, StartError,
};
use honeyhive_local::{Endpoint, Fault, LocalServer};
use integration_tests::harness::local_server;
use serde_json::json;

fn small_server(bytes: usize) -> LocalServer {
    local_server()
        .unknown_updates(integration_tests::harness::unknown_updates())
        .api_key(KEY)
        .max_body_bytes(bytes)
        .start_blocking()
        .unwrap()
}

#[test]
fn a_batch_that_is_too_large_is_halved_until_it_fits() {
    for protocol in PROTOCOLS {
        let server = small_server(20_000);
        let tracer = builder(&server).otlp_protocol(protocol).build().unwrap();
        let chat = tracer.create_session("chat");
        chat.in_scope(|| {
            for number in 0..41 {
                let text = format!("{number} {}", "x".repeat(2_000));
                drop(tracer.span("work").inputs(json!({ "text": text })).start());
            }
        });
        flush(&tracer);

        let events = server.events(&chat.id().to_string());
        assert_eq!(events.len(), 41, "{protocol:?}");
        assert!(events.iter().all(|event| event.duplicates == 0));
        assert!(events.iter().all(|event| event.scope_name == "honeyhive"));
        let texts: std::collections::BTreeSet<_> = events
            .iter()
            .map(|event| event.inputs["text"].to_string())
            .collect();
        assert_eq!(texts.len(), 41);
        let stats = tracer.stats();
        assert_eq!((stats.delivered, stats.dropped.total()), (42, 0));
    }
}

#[test]
fn a_single_span_that_is_too_large_is_cut_with_a_mark() {
    for protocol in PROTOCOLS {
        let server = small_server(20_000);
        let tracer = builder(&server).otlp_protocol(protocol).build().unwrap();
        let chat = tracer.create_session("chat");
        chat.in_scope(|| {
            for (name, size) in [("a", 10), ("b", 10), ("huge", 400_000), ("c", 10)] {
                let inputs = json!({"text": noise(size), "short": name});
                drop(tracer.span(name).inputs(inputs).start());
            }
        });
        flush(&tracer);

        assert_eq!(all_events(&server).len(), 4, "{protocol:?}");
        let huge = event(&server, "huge");
        assert_eq!(huge.inputs["short"], "huge");
        assert_cut(&huge.inputs["text"], 400_000);
        assert_eq!(event(&server, "c").inputs["text"], noise(10));
        assert_eq!(huge.session_id, chat.id().to_string());
        let stats = tracer.stats();
        assert_eq!((stats.dropped.total(), stats.delivered), (0, 5));
        assert_balanced(&tracer);
    }
}

#[test]
fn a_single_span_of_which_nothing_can_be_cut_is_dropped_and_its_neighbours_arrive() {
    for protocol in PROTOCOLS {
        let server = small_server(20_000);
        let tracer = builder(&server).otlp_protocol(protocol).build().unwrap();
        let chat = tracer.create_session("chat");
        chat.in_scope(|| {
            for name in ["a", "b", "huge", "c"] {
                let span = tracer.span(name);
                let many = if name == "huge" { 3_000 } else { 1 };
                let texts = (0..many).map(|number| (format!("k{number}"), noise(100).into()));
                let inputs = serde_json::Map::from_iter(texts);
                drop(
                    span.inputs(json!({ "texts": Vec::from_iter(inputs) }))
                        .start(),
                );
            }
        });
        let error = tracer.force_flush_blocking(PATIENCE).unwrap_err();

        assert!(matches!(error, FlushError::Dropped { report, .. } if report.dropped == 1));
        let mut names: Vec<_> = all_events(&server)
            .into_iter()
            .map(|event| event.event_name)
            .collect();
        names.sort();
        assert_eq!(names, ["a", "b", "c"], "{protocol:?}");
        let stats = tracer.stats();
        assert_eq!((stats.dropped.too_large, stats.delivered), (1, 4));
        assert_balanced(&tracer);
    }
}

/// Returns a text that does not compress.
fn noise(bytes: usize) -> String {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + (state >> 24) as u8 % 26)
    };
    (0..bytes).map(|_| next()).collect()
}

/// Asserts that a value is the beginning of [`noise`], and a mark that says how long it was.
#[track_caller]
fn assert_cut(value: &serde_json::Value, bytes: usize) {
    let text = value.as_str().unwrap();
    let (beginning, mark) = text.split_once('…').unwrap();
    assert_eq!(mark, format!(" [cut: {bytes} bytes in all]"));
    assert!(beginning.len() >= 512 && noise(bytes).starts_with(beginning));
}

#[test]
fn a_session_that_is_too_large_is_cut_with_a_mark() {
    let server = small_server(20_000);
    let tracer = tracer(&server);
    let chat = tracer.create_session("chat");
    let outputs = json!({"text": noise(100_000), "short": "stays"});
    chat.enrich(Enrichment::new().outputs(outputs));
    flush(&tracer);
    let updated = json!({"text": noise(300_000), "short": "stays, too"});
    chat.enrich(Enrichment::new().metadata(updated));
    flush(&tracer);

    let chat = session(&server, chat.id());
    assert_cut(&chat.outputs["text"], 100_000);
    assert_cut(&chat.metadata["text"], 300_000);
    assert_eq!(chat.outputs["short"], "stays");
    assert_eq!(chat.metadata["short"], "stays, too");
    let stats = tracer.stats();
    assert_eq!((stats.delivered, stats.dropped.total()), (3, 0));
    assert_balanced(&tracer);
}

#[test]
fn a_session_of_which_nothing_can_be_cut_is_dropped_as_too_large() {
    let server = small_server(20_000);
    let tracer = tracer(&server);
    let chat = tracer.create_session("chat");
    let short: Vec<_> = (0..10_000).map(|it| it.to_string()).collect();
    chat.enrich(Enrichment::new().outputs(json!({ "short": short })));
    assert!(tracer.force_flush_blocking(PATIENCE).is_err());

    assert_eq!(count(&server, START), 1);
    assert_eq!(tracer.stats().dropped.too_large, 2);
    assert_balanced(&tracer);
}

#[test]
fn what_does_not_fit_by_number_is_dropped_and_there_is_room_again_later() {
    let server = server();
    let tracer = builder(&server).max_pending_items(10).build().unwrap();
    for _ in 0..25 {
        tracer.create_session("chat");
    }
    let stats = tracer.stats();
    assert_eq!(
        (stats.accepted, stats.pending, stats.dropped.queue_full),
        (25, 10, 15)
    );
    flush(&tracer);
    assert_eq!(server.stats().sessions, 10);
    assert_eq!(tracer.stats().pending_bytes, 0);

    let later = tracer.create_session("later");
    flush(&tracer);
    session(&server, later.id());
}

#[test]
fn what_does_not_fit_by_size_is_dropped_and_the_bound_holds() {
    const BOUND: usize = 64 * 1024;
    let server = server();
    let tracer = builder(&server).max_pending_bytes(BOUND).build().unwrap();
    for _ in 0..100 {
        let inputs = json!({"text": "x".repeat(4_000)});
        drop(tracer.span("large").inputs(inputs).start());
        let chat = tracer.create_session("chat");
        chat.enrich(Enrichment::new().outputs(json!({"text": "x".repeat(4_000)})));
        assert!(tracer.stats().pending_bytes <= BOUND as u64);
    }
    let stats = tracer.stats();
    assert!(stats.dropped.queue_full > 0);
    assert!(
        stats.pending >= 10,
        "{stats:?}: the bytes are counted twice"
    );
    flush(&tracer);
    assert_eq!(tracer.stats().pending_bytes, 0);
    assert_balanced(&tracer);
}

#[test]
fn what_has_waited_longest_makes_room_where_the_program_wants_that() {
    const MOST: usize = 400;
    let server = server();
    server.fail(Fault::status(503));
    let tracer = builder(&server)
        .drop_policy(DropPolicy::Oldest)
        .max_pending_items(MOST)
        .build()
        .unwrap();
    let mut sessions = Vec::new();
    for number in 0..600 {
        let chat = tracer.create_session(format!("chat {number}"));
        chat.in_scope(|| drop(tracer.span("work").start()));
        sessions.push(chat);
        // The loop records as fast as the delivery thread can keep up with.
        let mut stats = tracer.stats();
        while stats.pending > MOST as u64 * 15 / 16 {
            std::thread::yield_now();
            stats = tracer.stats();
        }
    }
    let stats = tracer.stats();
    assert!(stats.dropped.queue_full >= 800, "{stats:?}");
    assert_eq!(stats.dropped.total(), stats.dropped.queue_full);
    assert_balanced(&tracer);
    server.heal();
    drop(tracer.force_flush_blocking(PATIENCE));

    let arrived: Vec<_> = sessions
        .iter()
        .map(|chat| server.session(&chat.id().to_string()).is_some())
        .collect();
    assert!(!arrived[0] && !arrived[100], "the oldest made room");
    // Items that were under way when the room ended may be older.
    let first = arrived.iter().rposition(|arrived| !arrived).unwrap();
    assert!(first < 500, "the newest are all there: {first}");
    assert_eq!(
        tracer.stats().delivered,
        tracer.stats().accepted - tracer.stats().dropped.total()
    );
    assert_eq!(tracer.stats().pending_bytes, 0);
    assert_balanced(&tracer);
}

#[test]
fn a_session_that_made_room_is_told_to_who_awaits_it() {
    let server = server();
    let tracer = builder(&server)
        .drop_policy(DropPolicy::Oldest)
        .max_pending_items(100)
        .build()
        .unwrap();
    let oldest = tracer.acreate_session("oldest");
    let mut stats = tracer.stats();
    while stats.dropped.queue_full == 0 {
        // The delivery thread makes room from here on.
        if stats.pending <= 88 {
            tracer.create_session("newer");
        }
        stats = tracer.stats();
    }
    let answer = block_on(oldest);
    assert!(matches!(
        answer,
        Err(StartError::Dropped {
            reason: DropReason::QueueFull,
            ..
        })
    ));
    drop(tracer.force_flush_blocking(PATIENCE));
    assert_balanced(&tracer);
}

#[test]
fn what_fails_again_and_again_while_others_get_through_is_given_up() {
    let server = server();
    server.fail(Fault::status(503).on(Endpoint::Events));
    let tracer = tracer(&server);
    let unlucky = tracer.create_session("unlucky");
    flush(&tracer);
    unlucky.enrich(Enrichment::new().metadata(json!({"k": 1})));
    let mut rounds = 0;
    while tracer.stats().dropped.retries_exhausted == 0 {
        tracer.create_session("lucky");
        // A waiting flush makes delivery try at once.
        drop(tracer.force_flush_blocking(Duration::from_millis(50)));
        rounds += 1;
        assert!(rounds < 500, "{:?}", tracer.stats());
    }

    assert_eq!(tracer.stats().dropped.total(), 1);
    assert_eq!(count(&server, &update(&unlucky)), 16);
    assert_balanced(&tracer);
}

/// Records sessions, updates and spans, from several threads at once.
fn load(tracer: &HoneyHiveTracer) {
    std::thread::scope(|scope| {
        for thread in 0..3 {
            scope.spawn(move || {
                for number in 0..100 {
                    let chat = tracer.create_session("chat");
                    chat.in_scope(|| {
                        let span = tracer.span("work").start();
                        span.outputs(json!({"text": "x".repeat(500)}));
                    });
                    chat.enrich(Enrichment::new().metrics(json!({ "number": number })));
                    if number % 10 == thread {
                        chat.link_to(format!("conversation {number}"));
                    }
                    drop(tracer.span("outside").start());
                }
            });
        }
    });
}

#[test]
fn the_books_balance_at_every_moment_whatever_fails() {
    let server = small_server(30_000);
    server.fail(Fault::status(503).share(0.2));
    server.fail(Fault::status(400).share(0.1));
    server.fail(Fault::reset().share(0.1).after_applying());
    let tracer = builder(&server)
        .coalesce_window(Duration::from_millis(5))
        .max_pending_items(800)
        .build()
        .unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let auditor = scope.spawn(|| {
            let mut audits = 0;
            while !done.load(Ordering::Acquire) {
                assert_balanced(&tracer);
                audits += 1;
            }
            audits
        });
        load(&tracer);
        drop(tracer.force_flush_blocking(Duration::from_millis(300)));
        // Some failures of each kind happen, however slow the machine is.
        assert!(server.wait_until_blocking(PATIENCE, |it| it.stats().requests > 40));
        load(&tracer);
        server.heal();
        drop(tracer.force_flush_blocking(PATIENCE));
        drop(tracer.shutdown_blocking(PATIENCE));
        tracer.create_session("too late");
        done.store(true, Ordering::Release);
        let audits: u32 = auditor.join().unwrap();
        assert!(audits > 0);
    });

    let stats = tracer.stats();
    assert_eq!((stats.pending, stats.pending_bytes), (0, 0), "{stats:?}");
    assert!(stats.dropped.rejected > 0 && stats.retried > 0, "{stats:?}");
    assert_eq!(stats.dropped.shut_down, 1, "{stats:?}");
    assert_balanced(&tracer);
}

#[test]
fn a_backlog_of_thousands_of_items_is_delivered_whole() {
    let (server, tracer) = connected();
    for number in 0..1_200 {
        let chat = tracer.create_session("chat");
        chat.in_scope(|| drop(tracer.span("work").start()));
        chat.enrich(Enrichment::new().metadata(json!({ "number": number })));
        if number % 10 == 0 {
            chat.enrich(Enrichment::new().metrics(json!({ "number": number })));
        }
    }
    flush(&tracer);

    let sessions = server.sessions();
    assert_eq!(sessions.len(), 1_200);
    assert!(sessions.iter().all(|session| session.event_count == 1));
    let measured = sessions
        .iter()
        .filter(|session| !session.metrics.is_empty());
    assert_eq!(measured.count(), 120);
    assert_eq!(tracer.stats().dropped.total(), 0);
}

/// A text of 20 MiB gets through, whatever a program makes of it, and so do later items.
#[test]
fn no_text_is_too_long_to_be_delivered() {
    const LARGEST_BODY: usize = 12 * 1024 * 1024;
    let text = || "x".repeat(20 * 1024 * 1024);
    let server = local_server()
        .api_key(KEY)
        .max_request_bytes(LARGEST_BODY)
        .max_body_bytes(LARGEST_BODY)
        .start_blocking()
        .unwrap();
    let tracer = builder(&server).build().unwrap();
    let sessions = [
        tracer.create_session(text()),
        tracer.create_session(NewSession::named("source").source(text())),
    ];
    let chat = tracer.create_session("chat");
    chat.enrich(Enrichment::new().error(text()));
    let failed = tracer.with_session("fails", |_| async {
        std::panic::resume_unwind(Box::new(text()))
    });
    assert!(catch_unwind(AssertUnwindSafe(|| block_on(failed))).is_err());
    chat.in_scope(|| {
        let provider = tracer.provider().tracer(text());
        let mut span = provider.start(text());
        span.add_event(text(), vec![]);
        span.set_status(Status::error(text()));
        span.set_attribute(KeyValue::new(text(), 1));
        span.end();
        drop(tracer.span("after").start());
    });
    flush(&tracer);
    let last = tracer.create_session("the last");
    flush(&tracer);
    assert_eq!(tracer.stats().dropped.total(), 0, "{:?}", tracer.stats());
    for session in sessions.iter().chain([&chat, &last]) {
        crate::support::session(&server, session.id());
    }
    event(&server, "after");
}
