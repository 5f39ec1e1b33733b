//! Only foreign instrumentation sees some requests and messages: a root span of kind SERVER or CONSUMER outside every
//! session.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use crate::support::*;
use honeyhive::http::{Headers, RequestInfo, ServerInstrumentation};
use honeyhive::opentelemetry::Context;
use honeyhive::opentelemetry::trace::{
    SpanKind, Status, TraceContextExt, Tracer as _, TracerProvider as _,
};
use honeyhive::{HoneyHiveTracer, SessionSampling, SessionTransport, SpanFilter};

const TRANSPORTS: [SessionTransport; 2] = [SessionTransport::Rest, SessionTransport::Otlp];

struct NoHeaders;

impl Headers for NoHeaders {
    fn for_each<'h>(&'h self, _: &mut dyn FnMut(&'h str, &'h [u8])) {}
}

/// Makes the spans of a foreign instrumentation around a request: a root span, and work within it.
fn foreign_request(
    tracer: &HoneyHiveTracer,
    kind: SpanKind,
    name: &'static str,
    within: impl FnOnce(),
) {
    let foreign = tracer.provider().tracer("foreign");
    let root = foreign.span_builder(name).with_kind(kind).start(&foreign);
    let cx = Context::current_with_span(root);
    let _entered = cx.attach();
    within();
}

#[test]
fn a_request_whose_root_span_is_left_out_is_a_session_of_its_own_where_anything_of_it_is_not() {
    for transport in TRANSPORTS {
        let server = server();
        let filter = SpanFilter::new().exclude_scope("foreign");
        let builder = builder(&server).session_transport(transport);
        let tracer = builder.span_filter(filter).build().unwrap();
        let work = || drop(tracer.span("work").start());
        foreign_request(&tracer, SpanKind::Server, "GET /a", work);
        foreign_request(&tracer, SpanKind::Server, "GET /b", work);
        foreign_request(&tracer, SpanKind::Server, "GET /healthz", || {});
        flush(&tracer);

        let sessions = server.sessions();
        let mut trees: Vec<_> = sessions
            .iter()
            .map(|it| server.tree(&it.session_id))
            .collect();
        trees.sort();
        assert_eq!(
            trees,
            ["GET /a\n  work [tool]\n", "GET /b\n  work [tool]\n"],
            "{transport:?}"
        );
        assert_eq!(server.orphans(), [], "{transport:?}");
        assert_eq!(tracer.stats().filtered_spans, 3);
        assert_balanced(&tracer);
    }
}

/// The session has the end of a root that is left out all the same: a route that is known late, and a failure.
#[test]
fn a_root_span_that_is_left_out_tells_how_its_request_ended() {
    for transport in TRANSPORTS {
        for has_early_work in [false, true] {
            let server = server();
            let filter = SpanFilter::new().exclude_scope("foreign");
            let builder = builder(&server).session_transport(transport);
            let builder = builder.sampling(SessionSampling::ratio(0.0));
            let tracer = builder.span_filter(filter).build().unwrap();
            for (route, status) in [
                ("GET /well", Status::Ok),
                ("GET /broken", Status::error("no")),
            ] {
                foreign_request(&tracer, SpanKind::Server, "GET", || {
                    drop(tracer.span("work").start());
                    if has_early_work {
                        // The session begins before the root ends.
                        flush(&tracer);
                    }
                    Context::map_current(|cx| {
                        cx.span().update_name(route);
                        cx.span().set_status(status);
                    });
                });
            }
            flush(&tracer);
            let sessions = server.sessions();
            let names: Vec<_> = sessions.iter().map(|it| it.name.as_deref()).collect();
            let name = if has_early_work { "GET" } else { "GET /broken" };
            assert_eq!(names, [Some(name)], "{transport:?} {has_early_work}");
            assert_eq!(server.events(&sessions[0].session_id).len(), 1);
            assert_balanced(&tracer);
        }
    }
}

#[test]
fn a_request_that_only_foreign_instrumentation_sees_is_a_session_of_its_own() {
    for transport in TRANSPORTS {
        let server = server();
        let tracer = tracer_over(transport, &server);
        let work = || drop(tracer.span("work").start());
        foreign_request(&tracer, SpanKind::Server, "GET /a", work);
        foreign_request(&tracer, SpanKind::Consumer, "orders", work);
        // The requests are no part of the script's own session.
        foreign_request(&tracer, SpanKind::Internal, "script", work);
        flush(&tracer);

        let mut trees: Vec<_> = server
            .sessions()
            .iter()
            .map(|it| server.tree(&it.session_id))
            .collect();
        trees.sort();
        let expected = [
            "GET /a\n  GET /a [chain]\n    work [tool]\n",
            "orders\n  orders [chain]\n    work [tool]\n",
            "the tests\n  script [chain]\n    work [tool]\n",
        ];
        assert_eq!(trees, expected, "{transport:?}");
        assert_eq!(server.orphans(), [], "{transport:?}");
        assert_eq!(tracer.stats().dropped.total(), 0, "{transport:?}");
        assert_balanced(&tracer);
    }
}

#[test]
fn what_a_foreign_request_does_before_it_has_ended_is_part_of_its_session_already() {
    for transport in TRANSPORTS {
        let server = server();
        let tracer = tracer_over(transport, &server);
        foreign_request(&tracer, SpanKind::Server, "GET /long", || {
            drop(tracer.span("early").start());
            flush(&tracer);
            let early = event(&server, "early").session_id;
            assert_eq!(
                session(&server, early.parse().unwrap()).name.as_deref(),
                Some("GET /long")
            );
        });
        flush(&tracer);
        assert_eq!(server.sessions().len(), 1, "{transport:?}");
        assert_eq!(
            event(&server, "GET /long").session_id,
            event(&server, "early").session_id
        );
    }
}

#[test]
fn a_foreign_span_around_a_request_of_ours_brings_what_is_beside_it_into_its_session() {
    for transport in TRANSPORTS {
        let server = server();
        let tracer = tracer_over(transport, &server);
        let instrumentation = ServerInstrumentation::builder(tracer.clone())
            .build()
            .unwrap();
        foreign_request(&tracer, SpanKind::Server, "outer", || {
            drop(tracer.span("authenticate").start());
            drop(instrumentation.on_request(&RequestInfo::new("POST", "/chat", &NoHeaders)));
        });
        flush(&tracer);
        let sessions = server.sessions();
        assert_eq!(sessions.len(), 1, "{transport:?}: {sessions:#?}");
        assert_eq!(
            event(&server, "authenticate").session_id,
            sessions[0].session_id
        );
    }
}
