//! Spans become events.

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{
    ResourceSpans, ScopeSpans, Span, Status, span::Event, span::Link,
};
use prost::Message;
use serde_json::{Value, json};

use crate::client::{
    OTHER, SESSION, TRACE, TRACES, attribute, export, gzip, http, in_session, post, server,
    session_span, span, start_session, text_attribute,
};

fn key_value(key: &str, value: Any) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn protobuf_export() -> ExportTraceServiceRequest {
    let texts = [
        Any::StringValue("a".into()),
        Any::BytesValue(vec![1, 2, 3, 4]),
    ];
    let list = ArrayValue {
        values: texts.map(|value| AnyValue { value: Some(value) }).to_vec(),
    };
    let span = Span {
        trace_id: vec![0xab; 16],
        span_id: vec![0xcd; 8],
        name: "proto".into(),
        kind: 3,
        start_time_unix_nano: 1_000_000_000,
        end_time_unix_nano: 1_002_500_000,
        attributes: vec![
            key_value("honeyhive.session_id", Any::StringValue(SESSION.into())),
            key_value("honeyhive_event_type", Any::StringValue("MODEL".into())),
            key_value("honeyhive_metrics.score", Any::DoubleValue(0.5)),
            key_value("honeyhive_metrics.count", Any::IntValue(i64::MAX)),
            key_value("honeyhive_metrics.nan", Any::DoubleValue(f64::NAN)),
            key_value("honeyhive_outputs.list", Any::ArrayValue(list)),
            key_value("honeyhive_outputs.ok", Any::BoolValue(true)),
        ],
        events: vec![Event {
            name: "token".into(),
            time_unix_nano: 1_001_000_000,
            ..Event::default()
        }],
        links: vec![Link {
            trace_id: vec![1; 16],
            span_id: vec![2; 8],
            ..Link::default()
        }],
        status: Some(Status {
            code: 2,
            message: "boom".into(),
        }),
        ..Span::default()
    };
    let resource = Resource {
        attributes: vec![key_value("service.name", Any::StringValue("svc".into()))],
        ..Resource::default()
    };
    let scope = InstrumentationScope {
        name: "scope".into(),
        ..InstrumentationScope::default()
    };
    let scope_spans = ScopeSpans {
        scope: Some(scope),
        spans: vec![span],
        ..ScopeSpans::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![scope_spans],
            ..ResourceSpans::default()
        }],
    }
}

#[tokio::test]
async fn protobuf_spans_become_events_of_their_session() {
    let server = server().await;
    start_session(&server, SESSION).await;
    let request = http()
        .post(server.url() + TRACES)
        .header("content-type", "application/x-protobuf")
        .body(protobuf_export().encode_to_vec());
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/x-protobuf");
    let answer = ExportTraceServiceResponse::decode(response.bytes().await.unwrap()).unwrap();
    assert_eq!(answer.partial_success, None);

    let event = &server.events(SESSION)[0];
    assert_eq!(
        (event.event_name.as_str(), event.event_type.as_str()),
        ("proto", "model")
    );
    assert_eq!(
        (event.trace_id.as_str(), event.span_id.as_str()),
        (&*"ab".repeat(16), &*"cd".repeat(8))
    );
    assert_eq!(
        (event.start_time_ms, event.end_time_ms, event.duration),
        (1000.0, 1002.5, 2.5)
    );
    assert_eq!(
        json!(event.metrics),
        json!({ "score": 0.5, "count": i64::MAX, "nan": "NaN" })
    );
    assert_eq!(
        json!(event.outputs),
        json!({ "list": ["a", "AQIDBA=="], "ok": true })
    );
    assert_eq!(event.error.as_deref(), Some("boom"));
    assert_eq!(
        (event.kind.as_str(), event.status.code.as_str()),
        ("client", "error")
    );
    assert_eq!(event.resource["service.name"], "svc");
    assert_eq!(event.scope_name, "scope");
    assert_eq!(
        (
            event.span_events[0].name.as_str(),
            event.span_events[0].time_ms
        ),
        ("token", 1001.0)
    );
    assert_eq!(event.links[0].trace_id, "01".repeat(16));
    assert_eq!(event.parent_id.as_deref(), Some(SESSION));
}

#[tokio::test]
async fn gzip_is_undone_in_both_encodings() {
    let server = server().await;
    start_session(&server, SESSION).await;
    let json_export = export(vec![session_span(1, 0, "json")]).to_string();
    let bodies = [
        ("application/x-protobuf", protobuf_export().encode_to_vec()),
        (
            "application/json; charset=utf-8",
            json_export.clone().into_bytes(),
        ),
    ];
    for (kind, body) in bodies {
        let request = http()
            .post(server.url() + TRACES)
            .header("content-type", kind)
            .header("content-encoding", "gzip");
        let response = request.body(gzip(&body)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{kind}");
    }
    assert_eq!(server.events(SESSION).len(), 2);
    assert_eq!(server.requests()[2].body, json_export);
}

/// Returns an export as the Python SDK 1.7.0 sends it, recorded, with ids filled in.
fn python_export() -> Value {
    let session = in_session(SESSION);
    let own_session = text_attribute("traceloop.association.properties.session_id", SESSION);
    let span = |id: &str,
                parent: Value,
                name: &str,
                kind: &str,
                more: Vec<Value>,
                status: Value| {
        let mut attributes = more;
        attributes.extend([session.clone(), own_session.clone()]);
        attributes.push(text_attribute("honeyhive.project", "p"));
        attributes.push(text_attribute("honeyhive.source", "dev"));
        attributes.push(text_attribute("honeyhive_event_type", "chain"));
        json!({
            "traceId": TRACE, "spanId": id, "parentSpanId": parent, "name": name, "kind": kind,
            "startTimeUnixNano": "1767225600000000000", "endTimeUnixNano": "1767225600500000000",
            "attributes": attributes,
            "events": [{ "timeUnixNano": "1767225600250000000", "name": "my-event",
                "attributes": [attribute("n", json!({ "intValue": "1" }))] }],
            "status": status,
        })
    };
    let attributes = vec![
        text_attribute("user.id", "u"),
        attribute("with-dash", json!({ "boolValue": true })),
        attribute("9digit", json!({ "intValue": "1" })),
        attribute("huge", json!({ "intValue": "99999999999999999999" })),
        attribute("ratio", json!({ "doubleValue": 2.5 })),
        attribute(
            "seq",
            json!({ "arrayValue": { "values": [{ "intValue": "1" }, { "intValue": "2" }] } }),
        ),
        text_attribute("honeyhive_inputs.q", "x"),
    ];
    let unset = json!({ "code": "STATUS_CODE_UNSET" });
    let failed = json!({ "code": "STATUS_CODE_ERROR", "message": "ValueError: v" });
    export(vec![
        span(
            "00f067aa0ba902b7",
            Value::Null,
            "attrs",
            "SPAN_KIND_INTERNAL",
            attributes,
            unset,
        ),
        span(
            "00F067AA0BA902B8",
            json!("00f067aa0ba902b7"),
            "kind-SERVER",
            "SPAN_KIND_SERVER",
            vec![],
            failed,
        ),
    ])
}

#[tokio::test]
async fn json_as_the_python_sdk_writes_it_is_understood() {
    let server = server().await;
    start_session(&server, SESSION).await;
    let (status, answer) = post(&server, TRACES, python_export()).await;
    assert_eq!((status, answer), (200, json!({})));

    let events = server.events(SESSION);
    let (attrs, child) = (&events[0], &events[1]);
    assert_eq!(attrs.kind, "internal");
    assert_eq!(attrs.event_type, "chain");
    assert_eq!(
        (attrs.project.as_deref(), attrs.source.as_deref()),
        (Some("p"), Some("dev"))
    );
    assert_eq!(json!(attrs.inputs), json!({ "q": "x" }));
    let foreign = json!({
        "user_id": "u", "with-dash": true, "9digit": 1, "huge": "99999999999999999999",
        "ratio": 2.5, "seq": [1, 2],
    });
    assert_eq!(json!(attrs.metadata), foreign);
    assert_eq!(attrs.attributes["honeyhive.session_id"], SESSION);
    assert_eq!((attrs.duration, attrs.error.as_deref()), (500.0, None));
    assert_eq!(json!(attrs.span_events[0].attributes), json!({ "n": 1 }));
    assert_eq!(
        (child.kind.as_str(), child.status.code.as_str()),
        ("server", "error")
    );
    assert_eq!(child.error.as_deref(), Some("ValueError: v"));
    assert_eq!(child.parent_id.as_ref(), Some(&attrs.event_id));
    assert_eq!(
        server.tree(SESSION),
        format!("{SESSION}\n  attrs [chain]\n    kind-SERVER [chain]\n")
    );
}

#[tokio::test]
async fn attributes_go_to_their_buckets_unflattened() {
    let server = server().await;
    start_session(&server, SESSION).await;
    let text = text_attribute;
    let attributes = vec![
        in_session(SESSION),
        text("honeyhive_event_id", &OTHER.to_uppercase()),
        text("honeyhive_error", "explicit"),
        text("honeyhive_inputs.chat_history.1.role", "assistant"),
        text("honeyhive_inputs.chat_history.0.role", "user"),
        text("honeyhive_inputs.chat_history.0.content", "hi"),
        text("honeyhive_config.model", "explicit-model"),
        text("honeyhive_feedback.comment", "good"),
        text("honeyhive_user_properties.plan", "pro"),
        text("honeyhive_metadata.deep.er", "x"),
        text("gen_ai.request.model", "other-model"),
        text("gen_ai.system", "openai"),
        text("gen_ai.provider.name", "azure"),
        attribute("gen_ai.usage.input_tokens", json!({ "intValue": 7 })),
        text("traceloop.association.properties.source", "hidden"),
        text("honeyhive_duration_ms", "unclaimed"),
    ];
    post(&server, TRACES, export(vec![span(1, 0, "op", attributes)])).await;
    let event = &server.events(SESSION)[0];
    assert_eq!(event.event_id, OTHER);
    assert_eq!(event.event_type, "tool");
    assert_eq!(event.error.as_deref(), Some("explicit"));
    let history = json!([{ "role": "user", "content": "hi" }, { "role": "assistant" }]);
    assert_eq!(event.inputs["chat_history"], history);
    assert_eq!(
        json!(event.config),
        json!({ "model": "explicit-model", "provider": "azure" })
    );
    assert_eq!(json!(event.feedback), json!({ "comment": "good" }));
    assert_eq!(json!(event.user_properties), json!({ "plan": "pro" }));
    let metadata = json!({
        "deep": { "er": "x" }, "system": "openai", "input_tokens": 7,
        "honeyhive_duration_ms": "unclaimed", "model_name": "other-model", "provider": "azure",
    });
    assert_eq!(json!(event.metadata), metadata);
}

#[tokio::test]
async fn the_session_id_is_looked_for_in_three_places() {
    let server = server().await;
    start_session(&server, SESSION).await;
    start_session(&server, OTHER).await;
    let traceloop = "traceloop.association.properties.session_id";
    let spans = vec![
        span(
            1,
            0,
            "first",
            vec![in_session(SESSION), text_attribute(traceloop, OTHER)],
        ),
        span(
            2,
            0,
            "second",
            vec![
                text_attribute(traceloop, SESSION),
                text_attribute("session.id", OTHER),
            ],
        ),
        span(
            3,
            0,
            "third",
            vec![text_attribute("session.id", &SESSION.to_uppercase())],
        ),
    ];
    post(&server, TRACES, export(spans)).await;
    assert_eq!(server.events(SESSION).len(), 3);
    assert_eq!(server.session(SESSION).unwrap().event_count, 3);
}

#[tokio::test]
async fn an_id_that_names_nothing_makes_no_session_and_gives_way_to_the_next_place() {
    let server = server().await;
    start_session(&server, OTHER).await;
    let long = "x".repeat(257);
    for (id, nothing) in (1..).zip(["", " ", "a\u{0}b", "two\nlines", &long]) {
        let asked = attribute(
            "honeyhive.session_auto_create",
            json!({ "boolValue": true }),
        );
        let alone = span(id, 0, "alone", vec![in_session(nothing), asked]);
        let second = text_attribute("session.id", OTHER);
        let helped = span(id + 8, 0, "helped", vec![in_session(nothing), second]);
        post(&server, TRACES, export(vec![alone, helped])).await;
        assert_eq!(server.events(OTHER).len(), usize::from(id), "{nothing:?}");
    }
    assert_eq!(server.stats().sessions, 1);
    assert_eq!(server.orphans().len(), 5);
    let longest = "x".repeat(256);
    let asked = attribute(
        "honeyhive.session_auto_create",
        json!({ "boolValue": true }),
    );
    let named = span(7, 0, "named", vec![in_session(&longest), asked]);
    post(&server, TRACES, export(vec![named])).await;
    assert_eq!(server.events(&longest).len(), 1);
}

#[tokio::test]
async fn spans_of_an_unknown_session_stay_orphans_even_when_it_comes() {
    let server = server().await;
    let spans = vec![session_span(1, 0, "early"), span(2, 0, "nameless", vec![])];
    let (status, _) = post(&server, TRACES, export(spans)).await;
    assert_eq!(status, 200);
    start_session(&server, SESSION).await;
    post(&server, TRACES, export(vec![session_span(3, 1, "late")])).await;

    let orphans = server.orphans();
    assert_eq!(orphans.len(), 2);
    assert_eq!(
        (
            orphans[0].session_id.as_str(),
            orphans[0].parent_id.as_ref()
        ),
        (SESSION, None)
    );
    assert_eq!(orphans[1].session_id, "");
    let events = server.events(SESSION);
    assert_eq!(events.len(), 1);
    assert_eq!(
        events[0].parent_id.as_deref(),
        Some(SESSION),
        "an orphan is nobody's parent"
    );
    assert_eq!(server.stats().orphans, 2);
}

#[tokio::test]
async fn a_span_that_asks_for_it_makes_its_session() {
    let server = server().await;
    let create =
        |yes: bool| attribute("honeyhive.session_auto_create", json!({ "boolValue": yes }));
    let named = vec![
        in_session(SESSION),
        create(true),
        text_attribute("honeyhive.session_name", "from span"),
        text_attribute("honeyhive.source", "prod"),
    ];
    let spans = vec![
        span(1, 0, "named", named),
        span(2, 0, "plain", vec![in_session(OTHER), create(true)]),
        span(3, 0, "refused", vec![in_session("x"), create(false)]),
    ];
    post(&server, TRACES, export(spans)).await;
    let session = server.session(SESSION).unwrap();
    assert!(session.auto_created);
    assert_eq!(
        (session.name.as_deref(), session.source.as_deref()),
        (Some("from span"), Some("prod"))
    );
    assert_eq!((session.posts, session.event_count), (0, 1));
    let plain = server.session(OTHER).unwrap();
    assert_eq!(
        (plain.name.as_deref(), plain.source.as_deref()),
        (Some("Session"), Some("otlp"))
    );
    assert_eq!(server.orphans().len(), 1);

    let late = json!({ "session_id": SESSION, "session_name": "late", "inputs": { "q": 1 }, "metadata": { "m": 1 } });
    post(&server, "/v1/sessions", late).await;
    let session = server.session(SESSION).unwrap();
    assert_eq!(session.name.as_deref(), Some("from span"));
    assert!(session.inputs.is_empty());
    assert_eq!(
        (session.metadata["m"].as_u64(), session.posts),
        (Some(1), 1)
    );
}

#[tokio::test]
async fn the_same_span_again_takes_the_place_of_the_first() {
    let server = server().await;
    start_session(&server, SESSION).await;
    post(
        &server,
        TRACES,
        export(vec![session_span(1, 0, "op"), session_span(2, 1, "child")]),
    )
    .await;
    let before = server.events(SESSION);
    post(
        &server,
        TRACES,
        export(vec![session_span(1, 0, "op again")]),
    )
    .await;
    let after = server.events(SESSION);
    assert_eq!(after.len(), 2);
    assert_eq!(after[0].event_name, "op again");
    assert_eq!(after[0].event_id, before[0].event_id);
    assert_eq!((after[0].duplicates, after[1].duplicates), (1, 0));
}

#[tokio::test]
async fn the_tree_orders_by_start_and_survives_any_parents() {
    let server = server().await;
    post(
        &server,
        "/v1/sessions",
        json!({ "session_id": SESSION, "event_name": "chat" }),
    )
    .await;
    // Children arrive before their parents, one parent never does, and two claim each other.
    let spans = vec![
        session_span(4, 3, "late child"),
        session_span(2, 3, "early\nchild"),
        session_span(3, 15, "root"),
        session_span(6, 7, "egg"),
        session_span(7, 6, "hen"),
        session_span(5, 5, "own parent"),
    ];
    post(&server, TRACES, export(spans)).await;
    let expected = "chat\n  root [tool]\n    early child [tool]\n    late child [tool]\n  \
                    own parent [tool]\n  egg [tool]\n    hen [tool]\n";
    assert_eq!(server.tree(SESSION), expected);
    assert_eq!(server.tree(OTHER), "");
}

#[tokio::test]
async fn what_is_no_export_request_is_refused() {
    let server = server().await;
    let mut bad_id = session_span(1, 0, "op");
    bad_id["traceId"] = json!("xyz");
    let mut bad_time = session_span(1, 0, "op");
    bad_time["startTimeUnixNano"] = json!("soon");
    for body in [
        json!([]),
        json!({ "resourceSpans": 1 }),
        export(vec![bad_id]),
        export(vec![bad_time]),
    ] {
        assert_eq!(post(&server, TRACES, body.clone()).await.0, 400, "{body}");
    }
    let mut short_id = protobuf_export();
    short_id.resource_spans[0].scope_spans[0].spans[0]
        .span_id
        .pop();
    let bodies = [
        ("application/x-protobuf", None, vec![0xff; 9], 400),
        (
            "application/x-protobuf",
            None,
            short_id.encode_to_vec(),
            400,
        ),
        ("application/json", Some("gzip"), b"not gzip".to_vec(), 400),
        ("application/json", Some("br"), b"{}".to_vec(), 415),
        ("text/plain", None, b"{}".to_vec(), 415),
    ];
    for (kind, encoding, body, expected) in bodies {
        let mut request = http()
            .post(server.url() + TRACES)
            .header("content-type", kind);
        if let Some(encoding) = encoding {
            request = request.header("content-encoding", encoding);
        }
        assert_eq!(request.body(body).send().await.unwrap().status(), expected);
    }
    assert_eq!(server.stats().events + server.stats().orphans, 0);
}
