//! Spans are made by hand.

use honeyhive::opentelemetry::trace::{
    Span as _, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use honeyhive::opentelemetry::{Array, KeyValue, StringValue, Value as Attribute};
use honeyhive::{Enrichment, EventType, SpanFilter};
use serde_json::{Value, json};

use crate::edits::{alone, attribute, field, no_field, no_session, object, typed};
use crate::hive::Hive;
use crate::meaning::{Meaning, Object, Span};
use crate::python::{BEGINS_LATE, Because, Bug, CHILDREN_TELL, Python, ROOTS_ARE_SESSIONS};

pub(crate) fn nested(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    let outer = tracer.span("outer").start();
    outer.in_scope(|| drop(tracer.span("inner").start()));
    drop(outer);
    drop(tracer.span("third").start());
    python
        .but(CHILDREN_TELL, typed("outer", "chain"))
        .compare(&hive);
}

/// `start_span` with kinds and links is OpenTelemetry's own builder here.
pub(crate) fn attributes_kinds_links_and_status(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    let otel = tracer.provider().tracer("honeyhive");
    let strings = |items: &[&'static str]| {
        Attribute::Array(Array::String(
            items.iter().map(|item| StringValue::from(*item)).collect(),
        ))
    };
    let mut attrs = otel.build(otel.span_builder("attrs").with_attributes([
        KeyValue::new("plain", 1),
        KeyValue::new("user.id", "u"),
        KeyValue::new("with-dash", true),
        KeyValue::new("list", strings(&["a", "b"])),
        KeyValue::new("9digit", 1),
        KeyValue::new("honeyhive_inputs.q", "x"),
    ]));
    attrs.set_attribute(KeyValue::new("raw.dotted", "kept"));
    attrs.set_attribute(KeyValue::new(
        "seq",
        Attribute::Array(Array::I64(vec![1, 2])),
    ));
    attrs.add_event(
        "my-event",
        vec![KeyValue::new("k", "v"), KeyValue::new("n", 1)],
    );
    let context = attrs.span_context().clone();
    drop(attrs);
    for (name, kind) in [
        ("kind-INTERNAL", SpanKind::Internal),
        ("kind-SERVER", SpanKind::Server),
        ("kind-CLIENT", SpanKind::Client),
        ("kind-PRODUCER", SpanKind::Producer),
        ("kind-CONSUMER", SpanKind::Consumer),
    ] {
        drop(otel.build(otel.span_builder(name).with_kind(kind)));
    }
    let mut linked = otel.start("linked");
    linked.add_link(context, vec![KeyValue::new("why", "test")]);
    drop(linked);
    otel.start("status-ok").set_status(Status::Ok);
    otel.start("status-err").set_status(Status::error("desc"));
    let fails = || {
        let _span = tracer.span("no-record").start();
        Err::<(), _>("v")
    };
    fails().unwrap_err();
    otel.start("renamed").update_name("new-name");

    let no = |keys: &'static [&'static str]| {
        move |it: &mut Meaning| {
            let attributes = &mut it.span("attrs").attributes;
            attributes.retain(|key, _| !keys.contains(&key.as_str()));
        }
    };
    python
        .but(
            Bug(23),
            no(&["user_id", "with_dash", "attr_9digit", "honeyhive_inputs_q"]),
        )
        .but(Bug(23), attribute("attrs", "list", json!(["a", "b"])))
        .but(
            Because("an attribute of OpenTelemetry is no map, date, null or mixed list"),
            no(&["dict", "dt", "none", "mixed"]),
        )
        .but(Bug(4), field("linked", "links", 1))
        .but(ROOTS_ARE_SESSIONS, alone("kind-SERVER"))
        .but(ROOTS_ARE_SESSIONS, alone("kind-CONSUMER"))
        .but(
            Because("a span that is not told of an error has none"),
            |it| {
                let span = it.span("no-record");
                span.fields.remove("status");
                span.fields.remove("events");
            },
        )
        .compare(&hive);
}

pub(crate) fn with_a_type(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    drop(tracer.span("op-a").event_type(EventType::Chain).start());
    let b = tracer.span("op-b").event_type(EventType::Model).start();
    let attributes = [KeyValue::new("foo", "bar"), KeyValue::new("num", 1)];
    b.context().span().set_attributes(attributes);
    drop(b);
    drop(tracer.span("op-c").start());
    python
        .but(Bug(23), crate::edits::no_attribute("honeyhive.event_type"))
        .compare(&hive);
}

pub(crate) fn names_that_are_filtered(python: Python) {
    let hive = Hive::new();
    let filtered = |session: &str, filter: SpanFilter| {
        hive.init(hive.builder().session_name(session).span_filter(filter))
    };
    let tracer = filtered("exclude", SpanFilter::new().exclude_name("a2a."));
    let root = tracer.span("keep-root").start();
    root.in_scope(|| {
        let client = tracer.span("a2a.client").start();
        client.in_scope(|| drop(tracer.span("keep-child").start()));
    });
    drop(root);
    let app = || SpanFilter::new().include_name("app.");
    for (session, filter, names) in [
        ("include", app(), &["app.x", "lib.y"][..]),
        (
            "both",
            app().exclude_name("app.noisy"),
            &["app.x", "app.noisy.y", "other", "APP.upper"],
        ),
        // A wrong kind of pattern cannot be written here.
        ("bad-type", SpanFilter::new(), &["x"]),
    ] {
        let tracer = filtered(session, filter);
        for name in names {
            drop(tracer.span(*name).start());
        }
    }
    python
        .but(Bug(35), |it| {
            let mut child = it.take_span("keep-child");
            child.fields.remove("parent");
            it.span("keep-root").children.push(child);
        })
        .but(CHILDREN_TELL, typed("keep-root", "chain"))
        .compare(&hive);
}

/// `create_event` is a span here, in the current session.
pub(crate) fn events_by_hand(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    tracer.create_session("req").in_scope(|| {
        let tool = |name: &'static str| tracer.span(name).event_type(EventType::Tool);
        drop(tool("my-event").start());
        let full = tracer
            .span("my-event")
            .event_type(EventType::Model)
            .inputs(json!({"i": 1}))
            .metadata(json!({"m": 1}))
            .config(json!({"c": 1}))
            .start();
        let rest = Enrichment::new()
            .outputs(json!({"o": 1}))
            .feedback(json!({"f": 1}))
            .metrics(json!({"me": 1}))
            .error("e");
        full.enrich(rest);
        drop(full);
        drop(tool("d").inputs(json!({"a": 1})).start());
        drop(tool("x").start());
    });
    python
        .but(
            Because("an event by hand is a span here"),
            no_field("created_event"),
        )
        .but(
            Because("a span's parent is the current span"),
            no_field("parent_id"),
        )
        .but(
            Because("a span takes as long as it takes"),
            no_field("duration"),
        )
        .but(
            Because("an event's id is a UUID, or HoneyHive would replace it"),
            no_field("event_id"),
        )
        .but(Bug(21), |it| {
            let spans = &mut it.session("s").spans;
            spans[1]
                .fields
                .insert("status".to_owned(), json!("error: e"));
        })
        .but(Bug(13), |it| {
            let spans = std::mem::take(&mut it.session("s").spans);
            it.session("req").spans = spans;
        })
        .but(BEGINS_LATE, no_session("s"))
        .compare(&hive);
}

pub(crate) fn more_attributes_than_fit(python: Python) {
    let hive = Hive::new();
    let (a, b) = (hive.tracer("a"), hive.tracer("b"));
    let span = |tracer: &honeyhive::HoneyHiveTracer, name: &'static str, attributes: i64| {
        let span = tracer.span(name).start();
        for index in 0..attributes {
            let attribute = KeyValue::new(format!("k{index:04}"), index);
            span.context().span().set_attribute(attribute);
        }
    };
    span(&a, "many", 1100);
    span(&b, "many-b", 200);
    let events = a.span("events").start();
    for index in 0..1100 {
        events
            .context()
            .span()
            .add_event(format!("e{index}"), vec![]);
    }
    drop(events);

    let numbered = |name: &str, attributes: i64| Span {
        name: name.to_owned(),
        fields: object(json!({"type": "tool"})),
        attributes: (0..attributes)
            .map(|index| (format!("k{index:04}"), Value::from(index)))
            .collect::<Object>(),
        ..Span::default()
    };
    // A few of the 1024 are the tracer's own.
    let kept = hive.received().span("many").attributes.len() as i64 - 1;
    assert!((1000..1024).contains(&kept), "{kept}");
    python
        .but(Bug(3), |it| {
            let mut many = numbered("many", kept);
            let dropped = json!(1100 - kept);
            many.attributes
                .insert("honeyhive_metadata.dropped_attributes".to_owned(), dropped);
            it.session("a").spans.push(many);
        })
        .but(Bug(3), |it| {
            it.session("b").spans.push(numbered("many-b", 200))
        })
        .compare(&hive);
}
