//! Baggage leaves the process.

use std::collections::HashMap;

use honeyhive::NewSession;
use honeyhive::opentelemetry::baggage::BaggageExt as _;
use honeyhive::opentelemetry::propagation::TextMapPropagator as _;
use honeyhive::opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::BaggagePropagator;

use crate::edits::no_session;
use crate::hive::Hive;
use crate::python::{BEGINS_LATE, Python};

pub(crate) fn a_carrier(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    let session = tracer.session_start(NewSession::default());
    let mut carrier = HashMap::new();
    let span = tracer.span("after-init-link-carrier").start();
    span.in_scope(|| session.inject(&mut carrier));
    drop(span);
    python.compare(&hive);

    assert!(carrier["traceparent"].starts_with("00-"), "{carrier:?}");
    let id = session.id();
    let baggage = &carrier["baggage"];
    assert!(
        baggage.contains(&format!("honeyhive.session_id={id}")),
        "{baggage}"
    );
    assert!(
        !baggage.contains("honeyhive_tracer_id"),
        "bug 14: {baggage}"
    );
}

pub(crate) fn encoding(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    let values = [
        ("a", "x y"),
        ("b", "1,2;3=4"),
        ("c", "héllo 🐝"),
        ("d", "100%"),
        ("e", "\"q\""),
    ];
    let baggage = values.map(|(key, value)| KeyValue::new(key, value));
    let session = tracer.create_session(NewSession::existing("id with space; and=semi"));
    let mut carrier = HashMap::new();
    {
        let _guard = Context::current_with_baggage(baggage).attach();
        session.inject(&mut carrier);
    }
    python.but(BEGINS_LATE, no_session("s")).compare(&hive);

    let header = &carrier["baggage"];
    assert!(
        header.contains("a=x%20y"),
        "bug 36: a plus is a plus elsewhere: {header}"
    );
    let there = BaggagePropagator::new().extract(&carrier);
    for (key, value) in values {
        assert_eq!(there.baggage().get(key).unwrap().as_str(), value);
    }
    let id = there.baggage().get("session_id").unwrap();
    assert_eq!(id.as_str(), session.id().to_string());
}
