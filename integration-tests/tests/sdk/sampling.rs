//! Sampled sessions arrive whole or not at all, and those that failed or were slow arrive in any case.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::*;
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use futures_util::FutureExt as _;
use honeyhive::{
    BuildError, Enrichment, HoneyHiveTracer, Moved, NewSession, Session, SessionId,
    SessionSampling, SessionTransport,
};
use honeyhive_local::LocalServer;
use honeyhive_tower::HoneyHiveLayer;
use http_body_util::BodyExt as _;
use serde_json::json;
use tower::ServiceExt as _;

const HALF: SessionSampling = SessionSampling::ratio(0.5);
const NONE: SessionSampling = SessionSampling::ratio(0.0);

fn sampled(server: &LocalServer, sampling: SessionSampling) -> HoneyHiveTracer {
    builder(server).sampling(sampling).build().unwrap()
}

/// Returns a new id that is in the half, or out of it.
fn id(is_in: bool) -> SessionId {
    let mut ids = std::iter::repeat_with(SessionId::new);
    ids.find(|id| HALF.contains(*id) == is_in).unwrap()
}

/// Records a start, a span and an update that needs a call of its own.
fn work(tracer: &HoneyHiveTracer, session: &Session) {
    session.in_scope(|| drop(tracer.span("work").start()));
    session.enrich(Enrichment::new().metrics(json!({"score": 1})));
}

fn end(tracer: &HoneyHiveTracer) {
    assert_balanced(tracer);
    tracer.shutdown_blocking(PATIENCE).unwrap();
    assert_balanced(tracer);
    assert_eq!(tracer.stats().pending, 0);
}

#[track_caller]
fn assert_whole(server: &LocalServer, id: SessionId, name: &str) {
    assert_eq!(
        server.tree(&id.to_string()),
        format!("{name}\n  work [tool]\n")
    );
    let session = session(server, id);
    assert_eq!(session.metrics["score"], 1);
    assert_eq!(session.inputs["question"], "?");
    assert!(!session.auto_created);
}

fn asking(name: &str, id: SessionId) -> NewSession {
    NewSession::named(name)
        .id(id)
        .inputs(json!({"question": "?"}))
}

#[test]
fn sessions_are_there_whole_or_not_at_all_and_the_same_ones_everywhere() {
    let ids: Vec<SessionId> = (0..100).map(|it| format!("thread {it}").into()).collect();
    let arrived = [SessionTransport::Rest, SessionTransport::Otlp].map(|transport| {
        let server = server();
        let tracer = builder(&server)
            .sampling(HALF)
            .session_transport(transport)
            .build()
            .unwrap();
        for id in &ids {
            block_on(
                tracer.with_session(asking("chat", *id), |session| async move {
                    session.enrich(Enrichment::new().metadata(json!({"late": true})));
                }),
            );
            let session = tracer.create_session(NewSession::existing(*id));
            session.in_scope(|| drop(tracer.span("work").start()));
        }
        flush(&tracer);
        end(&tracer);
        assert!(tracer.stats().dropped.sampled_out > 0);
        assert_eq!(
            tracer.stats().dropped.total(),
            tracer.stats().dropped.sampled_out
        );
        let there: BTreeSet<_> = server
            .sessions()
            .into_iter()
            .map(|it| it.session_id)
            .collect();
        for id in &there {
            assert_eq!(server.events(id).len(), 1);
        }
        assert_eq!(server.orphans(), []);
        there
    });
    let expected = ids.iter().filter(|id| HALF.contains(**id));
    let expected: BTreeSet<_> = expected.map(ToString::to_string).collect();
    assert!((20..80).contains(&expected.len()));
    assert_eq!(arrived, [expected.clone(), expected]);
}

#[test]
fn what_is_out_leaves_nothing_on_the_wire_and_no_flush_waits_for_it() {
    let server = server();
    let tracer = sampled(&server, NONE);
    for _ in 0..20 {
        block_on(tracer.with_session(asking("chat", id(false)), |session| {
            work(&tracer, &session);
            async {}
        }));
    }
    drop(tracer.span("of the tracer's own").start());
    let open = tracer.create_session(asking("never ends", id(false)));
    work(&tracer, &open);
    let report = flush(&tracer);
    assert_eq!((report.delivered, report.pending), (0, 0));
    end(&tracer);
    assert_eq!(calls(&server), [""; 0]);
    let stats = tracer.stats();
    // Each session has a start, a span, an update and an end; the own session has no update and no end.
    assert_eq!(stats.dropped.sampled_out, 20 * 4 + 2 + 3);
    assert_eq!(stats.accepted, stats.dropped.sampled_out);
}

#[test]
fn what_has_ended_well_is_dropped_after_a_moment() {
    let server = server();
    let tracer = sampled(&server, NONE);
    block_on(tracer.with_session("chat", |session| {
        work(&tracer, &session);
        async {}
    }));
    let began = Instant::now();
    while tracer.stats().dropped.sampled_out < 4 {
        assert!(began.elapsed() < PATIENCE, "{:?}", tracer.stats());
        assert_balanced(&tracer);
        std::thread::park_timeout(Duration::from_millis(20));
    }
    assert_eq!(tracer.stats().pending, 0);
    assert_eq!(calls(&server), [""; 0]);
}

#[test]
fn what_failed_is_sent_whole_however_it_failed() {
    type Failing = fn(&HoneyHiveTracer, NewSession);
    let ways: [(&str, Failing); 5] = [
        ("said so", |tracer, new| {
            let session = tracer.create_session(new);
            work(tracer, &session);
            session.enrich(Enrichment::new().error("it failed"));
        }),
        ("in a span", |tracer, new| {
            let session = tracer.create_session(new);
            session.in_scope(|| tracer.span("work").start().error("it failed"));
            session.enrich(Enrichment::new().metrics(json!({"score": 1})));
        }),
        ("said so before its work", |tracer, new| {
            let session = tracer.create_session(new);
            session.enrich(Enrichment::new().error("it failed"));
            work(tracer, &session);
        }),
        ("panicked", |tracer, new| {
            let work = tracer.with_session(new, |session| async move {
                work(tracer, &session);
                panic!("on purpose");
            });
            block_on(AssertUnwindSafe(work).catch_unwind()).unwrap_err();
        }),
        ("cancelled", |tracer, new| {
            let work = tracer.with_session(new, |session| {
                work(tracer, &session);
                std::future::pending::<()>()
            });
            assert!(work.now_or_never().is_none());
        }),
    ];
    for (way, fail) in ways {
        let server = server();
        let tracer = sampled(&server, NONE);
        let (failed, well) = (id(false), id(false));
        fail(&tracer, asking(way, failed));
        work(&tracer, &tracer.create_session(asking("well", well)));
        flush(&tracer);
        assert_whole(&server, failed, way);
        end(&tracer);
        assert_eq!(server.stats().sessions, 1, "{way}");
        assert_eq!(tracer.stats().dropped.sampled_out, 3, "{way}");
    }
}

#[test]
fn what_comes_after_a_failure_follows() {
    let server = server();
    let tracer = sampled(&server, NONE);
    let session = tracer.create_session(asking("chat", id(false)));
    session.enrich(Enrichment::new().error("it failed"));
    flush(&tracer);
    work(&tracer, &session);
    end(&tracer);
    assert_whole(&server, session.id(), "chat");
    assert_eq!(tracer.stats().dropped.total(), 0);
}

#[test]
fn failures_are_not_kept_where_that_is_turned_off() {
    let server = server();
    let tracer = sampled(&server, NONE.keep_errors(false));
    let session = tracer.create_session("chat");
    session.enrich(Enrichment::new().error("it failed"));
    work(&tracer, &session);
    flush(&tracer);
    // A session out of the sample is not pending, so the flush did not wait for it.
    assert_eq!(tracer.stats().pending, 0);
    end(&tracer);
    assert_eq!(calls(&server), [""; 0]);
}

#[test]
fn what_was_slow_is_sent_whole() {
    for (limit, is_slow) in [(Duration::ZERO, true), (NEVER, false)] {
        let server = server();
        let tracer = sampled(&server, NONE.keep_slower_than(limit));
        let slow = id(false);
        block_on(tracer.with_session(asking("chat", slow), |session| {
            work(&tracer, &session);
            async {}
        }));
        flush(&tracer);
        end(&tracer);
        assert_eq!(server.stats().sessions, usize::from(is_slow));
        if is_slow {
            assert_whole(&server, slow, "chat");
        }
    }
}

#[test]
fn a_moved_session_is_decided_by_its_last_id() {
    for from in [true, false] {
        for to in [true, false] {
            let server = server();
            let tracer = sampled(&server, HALF);
            // The id of a session without one is random, so it is looked for.
            let mut fresh = std::iter::repeat_with(|| tracer.create_session("turn"));
            let session = fresh.find(|it| HALF.contains(it.id()) == from).unwrap();
            let provisional = session.id();
            let conversation = id(to);
            work(&tracer, &session);
            assert_eq!(session.link_to(conversation), Moved::Whole);
            session.enrich(Enrichment::new().metadata(json!({"after": true})));
            flush(&tracer);
            end(&tracer);
            assert_eq!(
                server.session(&provisional.to_string()),
                None,
                "{from} {to}"
            );
            let arrived = server.session(&conversation.to_string());
            assert_eq!(arrived.is_some(), to, "{from} {to}");
            if let Some(arrived) = arrived {
                assert_eq!(arrived.metrics["score"], 1);
                assert_eq!(arrived.metadata["after"], true);
                assert_eq!(server.events(&arrived.session_id).len(), 1);
            }
            assert_eq!(server.orphans(), []);
        }
    }
}

#[test]
fn what_is_added_to_an_event_follows_its_session() {
    let server = server();
    let tracer = sampled(&server, HALF);
    let verdict = || Enrichment::new().feedback(json!({"rating": true}));
    for is_in in [true, false] {
        let session = tracer.create_session(asking("chat", id(is_in)));
        let span = session.in_scope(|| tracer.span(format!("answer {is_in}")).start());
        let event = span.event_id();
        drop(span);
        tracer.enrich_event(event, verdict());
    }
    flush(&tracer);
    end(&tracer);
    assert_eq!(event(&server, "answer true").feedback["rating"], true);
    assert_eq!(all_events(&server).len(), 1);
    let stats = tracer.stats();
    assert_eq!(
        (
            stats.dropped.sampled_out,
            stats.dropped.total(),
            stats.retried
        ),
        (3, 3, 0)
    );
}

#[test]
fn requests_that_fail_are_sent_by_either_transport() {
    for transport in [SessionTransport::Rest, SessionTransport::Otlp] {
        let server = server();
        let tracer = builder(&server)
            .sampling(NONE)
            .session_transport(transport)
            .build()
            .unwrap();
        let failing = || async { (http::StatusCode::BAD_GATEWAY, "") };
        let router = Router::new()
            .route("/well", get(|| async { "42" }))
            .route(
                "/missing",
                get(|| async { (http::StatusCode::NOT_FOUND, "") }),
            )
            .route("/failing", get(failing))
            .layer(HoneyHiveLayer::new(tracer.clone()));
        for path in ["/well", "/failing", "/missing"] {
            let request = http::Request::get(path).body(Body::empty()).unwrap();
            let response = block_on(router.clone().oneshot(request)).unwrap();
            block_on(response.into_body().collect()).unwrap();
        }
        flush(&tracer);
        end(&tracer);
        let sessions = server.sessions();
        let names: Vec<_> = sessions
            .iter()
            .filter_map(|it| it.name.as_deref())
            .collect();
        assert_eq!(names, ["GET /failing"], "{transport:?}");
    }
}

/// A start that may never be sent does not keep its caller waiting.
#[test]
fn a_start_that_is_held_back_is_confirmed_at_once() {
    let server = server();
    let tracer = sampled(&server, NONE);
    block_on(tracer.acreate_session("chat")).unwrap();
    end(&tracer);
    assert_eq!(calls(&server), [""; 0]);
}

#[test]
fn what_is_held_back_leaves_room_for_what_is_in_and_the_counts_are_right_at_every_moment() {
    const ITEMS: u64 = 100;
    let server = server();
    let tracer = builder(&server)
        .sampling(HALF)
        .max_pending_items(ITEMS as usize)
        .build()
        .unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                assert_balanced(&tracer);
                assert!(tracer.stats().pending <= ITEMS);
                std::thread::yield_now();
            }
        });
        for _ in 0..50 {
            // The sessions out of the sample do not end.
            for is_in in [false, false, true] {
                let session = tracer.create_session(asking("chat", id(is_in)));
                work(&tracer, &session);
            }
            flush(&tracer);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let stats = tracer.stats();
    assert!(stats.pending <= ITEMS / 2, "{stats:?}");
    assert!(stats.dropped.sampled_out >= 300 - ITEMS / 2);
    assert_eq!(stats.dropped.total(), stats.dropped.sampled_out);
    end(&tracer);
    assert_eq!(server.stats().sessions, 50);
}

#[test]
fn a_rate_that_is_no_share_is_an_error() {
    for rate in [-0.1, 1.5, f64::NAN] {
        let builder = HoneyHiveTracer::builder().test_mode(true);
        let error = builder
            .sampling(SessionSampling::ratio(rate))
            .build()
            .unwrap_err();
        assert!(matches!(error, BuildError::InvalidValue { .. }));
        assert!(error.to_string().contains("between 0 and 1"), "{error}");
    }
}
