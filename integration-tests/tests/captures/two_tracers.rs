//! Two tracers share one process.

use honeyhive::opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
use honeyhive::opentelemetry::{Context, global};
use honeyhive::{Enrichment, HoneyHiveTracer};
use serde_json::json;

use crate::edits::{no_attribute, no_session, no_span, object};
use crate::hive::Hive;
use crate::python::{BEGINS_LATE, Bug, Python};

pub(crate) fn side_by_side(python: Python) {
    #[honeyhive::trace(event_type = "tool")]
    fn auto() -> u8 {
        1
    }
    #[honeyhive::trace(event_type = "tool", tracer = tracer, skip(tracer))]
    fn explicit_b(tracer: &HoneyHiveTracer) -> u8 {
        1
    }
    let hive = Hive::new();
    let a = hive.init(hive.builder().project("proj-a").session_name("a"));
    let b = hive
        .builder()
        .project("proj-b")
        .session_name("b")
        .source("prod");
    let b = hive.init(b);
    let from_a = a.span("from-a").start();
    from_a.in_scope(|| drop(b.span("from-b-inside-a").start()));
    drop(from_a);
    let global = global::tracer("foreign");
    drop(global.start("global-foreign"));
    auto();
    explicit_b(&b);
    python
        .but(Bug(29), |it| {
            let named = |name| object(json!({"service.name": name}));
            it.resources = Some(vec![named("proj-a"), named("proj-b")]);
        })
        .but(Bug(17), no_span("global-foreign"))
        .but(Bug(16), no_span("auto"))
        .but(Bug(35), |it| {
            it.each_span(|span| drop(span.fields.remove("parent")));
        })
        .but_traced()
        .compare(&hive);
}

pub(crate) fn a_span_of_the_others(python: Python) {
    let hive = Hive::new();
    let a = hive.init(hive.builder().project("pa").session_name("a"));
    let b = hive.init(hive.builder().project("pb").session_name("b"));
    let from_b = || b.enrich_span(Enrichment::new().metadata(json!({"from": "b"})));
    a.span("a-span").start().in_scope(from_b);
    let foreign = a.provider().tracer("lib").start("foreign");
    let context = Context::current_with_span(foreign);
    {
        let _guard = context.attach();
        from_b();
    }
    python
        .but(Bug(16), no_attribute("honeyhive_metadata.from"))
        .but(BEGINS_LATE, no_session("b"))
        .compare(&hive);
}
