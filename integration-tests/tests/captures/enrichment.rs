//! Sessions and spans are enriched.

use std::collections::{BTreeMap, BTreeSet};

use honeyhive::opentelemetry::KeyValue;
use honeyhive::opentelemetry::trace::TraceContextExt as _;
use honeyhive::{Enrichment, EventId, HoneyHiveTracer, NewSession};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::edits::{field, no_session, object, session_field};
use crate::hive::{Hive, run};
use crate::meaning::{Meaning, Session};
use crate::python::{BEGINS_LATE, Bug, Python};

/// Moves the inputs that Python put into the metadata of a session to their place.
fn inputs_in_their_place(meaning: &mut Meaning) {
    let session = meaning.session("startup");
    let metadata = session.fields["metadata"].as_object_mut().unwrap();
    let inputs = metadata.remove("inputs").unwrap();
    session.fields.insert("inputs".to_owned(), inputs);
}

pub(crate) fn each_field_of_a_session(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("startup");
    let metadata = json!({"a": 1, "b": {"c": [1, 2]}, "none": null});
    tracer.enrich_session(Enrichment::new().metadata(metadata));
    tracer.enrich_session(Enrichment::new().inputs(json!({"q": "x"})));
    tracer.enrich_session(Enrichment::new().outputs(json!({"r": "y"})));
    tracer.enrich_session(Enrichment::new().config(json!({"model": "m"})));
    tracer.enrich_session(Enrichment::new().feedback(json!({"rating": 5})));
    tracer.enrich_session(Enrichment::new().metrics(json!({"latency_ms": 1.5, "ok": true})));
    tracer.enrich_session(Enrichment::new().user_properties(json!({"user_id": "u"})));
    python.but(Bug(7), inputs_in_their_place).compare(&hive);
}

pub(crate) fn all_fields_of_a_session_twice(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("startup");
    let all = Enrichment::new()
        .metadata(json!({"a": 1}))
        .inputs(json!({"q": 1}))
        .outputs(json!({"r": 1}))
        .config(json!({"c": 1}))
        .feedback(json!({"f": 1}))
        .metrics(json!({"m": 1}))
        .user_properties(json!({"u": 1}));
    tracer.enrich_session(all);
    let again = Enrichment::new()
        .metadata(json!({"pos": "metadata"}))
        .inputs(json!({"pos": "inputs"}))
        .outputs(json!({"pos": "outputs"}))
        .config(json!({"pos": "config"}))
        .feedback(json!({"pos": "feedback"}))
        .metrics(json!({"pos": "metrics"}))
        .user_properties(json!({"pos": "user_properties"}));
    tracer.enrich_session(again);
    python.but(Bug(7), inputs_in_their_place).compare(&hive);
}

pub(crate) fn nothing_and_nulls(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("startup");
    tracer.enrich_session(Enrichment::new());
    let nothing = || json!({});
    tracer.enrich_session(
        Enrichment::new()
            .metadata(nothing())
            .outputs(nothing())
            .metrics(nothing()),
    );
    let nulls = Enrichment::new()
        .metadata(json!({"a": null}))
        .outputs(json!({"b": null, "c": {"d": null, "e": 1}}));
    tracer.enrich_session(nulls);
    python.compare(&hive);
}

pub(crate) fn a_session_by_its_id(python: Python) {
    let hive = Hive::new();
    hive.knows("sess-x");
    let tracer = hive.tracer("startup");
    let theirs = tracer.create_session(NewSession::existing("sess-x"));
    theirs.enrich(Enrichment::new().metadata(json!({"a": 1})));
    theirs.enrich(Enrichment::new());
    python
        .but(BEGINS_LATE, no_session("startup"))
        .compare(&hive);
}

pub(crate) fn values_that_json_cannot_hold(python: Python) {
    struct Unserialisable;
    impl Serialize for Unserialisable {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("no"))
        }
    }
    let hive = Hive::new();
    let tracer = hive.tracer("startup");
    let with_neighbour = Enrichment::new()
        .metadata(BTreeMap::from([("o", Unserialisable)]))
        .outputs(json!({"beside": "the object"}));
    tracer.enrich_session(with_neighbour);
    tracer.enrich_session(Enrichment::new().metadata(BTreeMap::from([("s", BTreeSet::from([1]))])));
    tracer.enrich_session(Enrichment::new().metadata(BTreeMap::from([("b", b"x")])));
    tracer.enrich_session(Enrichment::new().metrics(BTreeMap::from([("n", f64::NAN)])));
    tracer.enrich_session(Enrichment::new().metadata(json!({"ключ": "héllo 🐝"})));
    let inputs = BTreeMap::from([("o", Unserialisable)]);
    tracer.create_session(
        NewSession::named("x")
            .inputs(inputs)
            .metadata(json!({"kept": true})),
    );
    python
        .but(
            Bug(6),
            session_field(
                "startup",
                "metadata",
                json!({
                    "o": "[not serialisable: no]", "s": [1], "b": [120], "ключ": "héllo 🐝",
                }),
            ),
        )
        .but(
            Bug(6),
            session_field("startup", "metrics", json!({"n": "nan"})),
        )
        .but(
            Bug(6),
            session_field("startup", "outputs", json!({"beside": "the object"})),
        )
        .but(Bug(6), |it| {
            it.sessions.push(Session {
                name: Some("x".to_owned()),
                fields: object(json!({
                    "source": "dev", "project": "p", "metadata": {"kept": true},
                    "inputs": {"o": "[not serialisable: no]"},
                })),
                ..Session::default()
            });
        })
        .compare(&hive);
    assert_eq!(tracer.stats().refused, 0);
}

fn enriched(tracer: &HoneyHiveTracer, label: &str, enrichment: Enrichment) {
    let span = tracer.span(format!("span-{label}")).start();
    span.in_scope(|| tracer.enrich_span(enrichment));
}

pub(crate) fn each_field_of_a_span(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    let go = |label, enrichment| enriched(&tracer, label, enrichment);
    let new = Enrichment::new;
    go("metadata", new().metadata(json!({"a": 1, "b": "x"})));
    let metrics = json!({"score": 0.9, "count": 3, "ok": true, "label": "good"});
    go("metrics", new().metrics(metrics));
    go(
        "feedback",
        new().feedback(json!({"rating": 5, "comment": "nice"})),
    );
    go("inputs", new().inputs(json!({"q": "hi"})));
    go("outputs", new().outputs(json!({"answer": "yo"})));
    go(
        "config",
        new().config(json!({"model": "gpt-4", "temperature": 0.7})),
    );
    go(
        "user_properties",
        new().user_properties(json!({"user_id": "u1", "plan": "pro"})),
    );
    go("error", new().error("something failed"));
    let id: EventId = "550e8400-e29b-41d4-a716-446655440011".parse().unwrap();
    drop(tracer.span("span-update_event_id").event_id(id).start());
    // Python makes metadata of loose arguments; here they are written as what they are.
    go(
        "attributes",
        new().metadata(json!({"x": 1, "dotted.key": "v"})),
    );
    go(
        "kwargs",
        new().metadata(json!({"foo": "bar", "n": 1, "obj": {"a": [1]}})),
    );
    let all = new()
        .metadata(json!({"m": 1}))
        .metrics(json!({"m": 1}))
        .feedback(json!({"f": 1}))
        .inputs(json!({"i": 1}))
        .outputs(json!({"o": 1}))
        .config(json!({"c": 1}))
        .user_properties(json!({"u": 1}))
        .error("e")
        .metadata(json!({"at": 1, "kw": 1}));
    go("all", all);
    let conflict = new()
        .metadata(json!({"k": "metadata"}))
        .metadata(json!({"k": "attributes"}))
        .metadata(json!({"k": "kwarg"}));
    go("conflict", conflict);
    python
        .but(
            Bug(21),
            field("span-error", "status", "error: something failed"),
        )
        .but(Bug(21), field("span-all", "status", "error: e"))
        .compare(&hive);
}

pub(crate) fn a_span_without_its_handle(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    tracer.span("direct").start().in_scope(|| {
        tracer.enrich_span(
            Enrichment::new()
                .metadata(json!({"a": 1, "foo": "bar"}))
                .user_properties(json!({"u": 1})),
        );
    });
    tracer
        .span("positional")
        .start()
        .in_scope(|| tracer.enrich_span(Enrichment::new().metadata(json!({"pos": 1}))));
    let span = tracer.span("cm").start();
    span.in_scope(|| {
        tracer.enrich_span(
            Enrichment::new()
                .metadata(json!({"b": 1}))
                .metrics(json!({"m": 1})),
        );
        span.context()
            .span()
            .set_attribute(KeyValue::new("custom", "yes"));
    });
    drop(span);
    python.compare(&hive);
}

pub(crate) fn no_span_to_enrich(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    tracer.enrich_span(Enrichment::new().metadata(json!({"a": 1})));
    python.but(BEGINS_LATE, no_session("s")).compare(&hive);
}

pub(crate) fn enriching_in_async_code(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    run(async {
        tracer.enrich_session(Enrichment::new().metadata(json!({"a": 1})));
        tracer.create_session("x");
        // Bug 19: neither has waited for HoneyHive.
        assert!(hive.server.requests().is_empty());
        tracer.acreate_session("x").await.unwrap();
    });
    python.compare(&hive);
}
