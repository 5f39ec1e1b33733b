//! Spans of the core are made by hand and by other instrumentations; the tests say what they look like when they
//! arrive.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crate::support::*;
use chrono::{DateTime, Utc};
use honeyhive::http::{Headers, RequestInfo, ServerInstrumentation};
use honeyhive::opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt,
    TraceFlags, TraceId, TraceState, Tracer as _, TracerProvider as _,
};
use honeyhive::opentelemetry::{
    Array, Context, InstrumentationScope, KeyValue, Value as Attribute,
};
use honeyhive::opentelemetry_http::{Bytes, HttpClient, HttpError};
use honeyhive::{
    Enrichment, EventId, EventType, NewSession, OtlpProtocol, SessionTransport, SpanFilter, testing,
};
use honeyhive_local::{Endpoint, Fault, LocalEvent, LocalServer};
use http::{Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

#[test]
fn spans_by_hand_arrive_as_a_tree() {
    let (server, tracer) = connected();
    let chat = tracer.create_session("chat");
    chat.in_scope(|| {
        let turn = tracer.span("turn").event_type(EventType::Chain).start();
        turn.in_scope(|| {
            let search = tracer.span("search").event_type(EventType::Tool).start();
            search.in_scope(|| drop(tracer.span("index").start()));
            drop(search);
            drop(tracer.span("answer").event_type(EventType::Model).start());
        });
    });
    flush(&tracer);

    assert_tree(
        &server,
        &chat,
        "chat\n  turn [chain]\n    search [tool]\n      index [tool]\n    answer [model]\n",
    );
    assert_eq!(event(&server, "turn").scope_name, "honeyhive");
    assert_eq!(event(&server, "index").source.as_deref(), Some("tests"));
}

#[tokio::test]
async fn a_span_is_the_parent_of_what_its_future_does_across_awaits() {
    let (server, tracer) = connected();
    let chat = tracer.create_session("chat");
    chat.scope(async {
        let turn = tracer.span("turn").start();
        turn.scope(async {
            tokio::task::yield_now().await;
            drop(tracer.span("inner").start());
        })
        .await;
        drop(tracer.span("beside").start());
    })
    .await;
    tracer.force_flush(PATIENCE).await.unwrap();

    let turn = event(&server, "turn");
    assert_eq!(event(&server, "inner").parent_span_id, Some(turn.span_id));
    assert_eq!(event(&server, "beside").parent_span_id, None);
}

#[test]
fn the_type_is_the_explicit_one_else_the_conventions_else_it_has_children_or_not() {
    let (server, tracer) = connected();
    let foreign = tracer.provider().tracer("rig");
    let chat = tracer.create_session("chat");
    chat.in_scope(|| {
        let agent = foreign.start("agent");
        let _agent = Context::current_with_span(agent).attach();
        let with = |name: &'static str, pairs: &[(&'static str, &'static str)]| {
            let attributes = pairs.iter().map(|(key, value)| KeyValue::new(*key, *value));
            let builder = SpanBuilder::from_name(name).with_attributes(attributes);
            drop(foreign.build(builder));
        };
        with("gpt-chat-model", &[]);
        with("chat", &[("gen_ai.operation.name", "chat")]);
        with("lookup", &[("gen_ai.operation.name", "execute_tool")]);
        with("plan", &[("gen_ai.operation.name", "invoke_agent")]);
        with("llm", &[("openinference.span.kind", "LLM")]);
        with("workflow", &[("traceloop.span.kind", "workflow")]);
        with(
            "explicit",
            &[
                ("gen_ai.operation.name", "chat"),
                ("honeyhive_event_type", "tool"),
            ],
        );
    });
    flush(&tracer);

    for (name, expected) in [
        ("agent", "chain"),
        ("gpt-chat-model", "tool"),
        ("chat", "model"),
        ("lookup", "tool"),
        ("plan", "chain"),
        ("llm", "model"),
        ("workflow", "chain"),
        ("explicit", "tool"),
    ] {
        assert_eq!(event(&server, name).event_type, expected, "{name}");
    }
    assert_eq!(event(&server, "agent").scope_name, "rig");
}

#[test]
fn maps_and_lists_are_flattened_in_all_seven_buckets() {
    let nested = json!({
        "text": "hi",
        "flag": false,
        "count": -3,
        "share": 0.5,
        "empty": "",
        "map": {"deep": {"deeper": 1}},
        "list": [{"role": "user"}, "plain", [true]],
        "nothing": null,
        "empty_map": {},
        "empty_list": [],
    });
    let leaves = json!({
        "text": "hi",
        "flag": false,
        "count": -3,
        "share": 0.5,
        "empty": "",
        "map.deep.deeper": 1,
        "list.0.role": "user",
        "list.1": "plain",
        "list.2.0": true,
    });
    let (server, tracer) = connected();
    let span = tracer.span("everything").start();
    span.enrich(
        Enrichment::new()
            .metadata(&nested)
            .metrics(&nested)
            .feedback(&nested)
            .inputs(&nested)
            .outputs(&nested)
            .config(&nested)
            .user_properties(&nested),
    );
    drop(span);
    flush(&tracer);

    let event = event(&server, "everything");
    for bucket in [
        "metadata",
        "metrics",
        "feedback",
        "inputs",
        "outputs",
        "config",
        "user_properties",
    ] {
        let prefix = format!("honeyhive_{bucket}.");
        let sent = event.attributes.iter().filter_map(|(key, value)| {
            Some((key.strip_prefix(&prefix)?.to_owned(), value.clone()))
        });
        assert_eq!(Value::Object(sent.collect()), leaves, "{bucket}");
    }
    assert_eq!(
        event.inputs["list"],
        json!([{"role": "user"}, "plain", [true]])
    );
}

#[test]
fn numbers_that_the_wire_has_no_room_for_go_as_text_and_those_that_are_none_do_not_go() {
    for protocol in PROTOCOLS {
        let server = server();
        let tracer = builder(&server).otlp_protocol(protocol).build().unwrap();
        let span = tracer
            .span("numbers")
            .metadata(json!({
                "largest": i64::MAX,
                "smallest": i64::MIN,
                "too_large": u64::MAX,
                "nan": f64::NAN,
                "infinite": f64::INFINITY,
            }))
            .start();
        drop(span);
        flush(&tracer);

        assert_eq!(
            Value::Object(event(&server, "numbers").metadata),
            json!({
                "largest": i64::MAX,
                "smallest": i64::MIN,
                "too_large": "18446744073709551615",
            }),
            "{protocol:?}"
        );
    }
}

#[test]
fn whatever_serialises_to_an_object_can_be_given() {
    #[derive(serde::Serialize)]
    struct Question<'a> {
        text: &'a str,
        tries: Option<u8>,
    }

    struct NoJson;
    impl serde::Serialize for NoJson {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }

    let (server, tracer) = connected();
    let span = tracer
        .span("ask")
        .inputs(Question {
            text: "why?",
            tries: None,
        })
        .config(std::collections::BTreeMap::from([("model", "m-1")]))
        .start();
    span.outputs("no object");
    span.metrics(NoJson);
    drop(span);
    flush(&tracer);

    let event = event(&server, "ask");
    assert_eq!(Value::Object(event.inputs), json!({"text": "why?"}));
    assert_eq!(Value::Object(event.config), json!({"model": "m-1"}));
    assert_eq!(Value::Object(event.outputs), json!({"result": "no object"}));
    assert_eq!(tracer.stats().refused, 1);
}

#[test]
fn the_current_span_is_enriched_whoever_made_it() {
    let (server, tracer) = connected();
    let foreign = tracer.provider().tracer("other");
    foreign.in_span("theirs", |_| {
        tracer.enrich_span(
            Enrichment::new()
                .outputs(json!({"answer": 42}))
                .error("it broke"),
        );
    });
    tracer.enrich_span(Enrichment::new().outputs(json!({"answer": "to nobody"})));
    flush(&tracer);

    let event = event(&server, "theirs");
    assert_eq!(event.outputs["answer"], 42);
    assert_eq!(event.error.as_deref(), Some("it broke"));
    assert_eq!(event.status.code, "error");
    assert_eq!(tracer.stats().accepted, 2, "the span and its session");
}

#[test]
fn an_error_is_on_the_span_and_in_its_status() {
    let (server, tracer) = connected();
    tracer.span("failing").start().error("no such model");
    flush(&tracer);

    let event = event(&server, "failing");
    assert_eq!(event.attributes["honeyhive_error"], "no such model");
    assert_eq!(
        (event.status.code.as_str(), event.status.message.as_str()),
        ("error", "no such model")
    );
}

#[test]
fn a_key_that_is_written_again_arrives_once_with_its_last_value() {
    let server = server();
    let tracer = builder(&server)
        .otlp_protocol(OtlpProtocol::HttpJson)
        .build()
        .unwrap();
    let span = tracer
        .span("answer")
        .metadata(json!({"tokens": 0, "kept": true}))
        .start();
    for tokens in 1..=100 {
        span.enrich(Enrichment::new().metadata(json!({ "tokens": tokens })));
    }
    drop(span);
    flush(&tracer);

    let body = &server.requests()[1].json;
    let sent = body.as_ref().unwrap()["resourceSpans"][0]["scopeSpans"][0]["spans"][0].clone();
    let mut keys: Vec<_> = items(&sent, "attributes")
        .map(|attribute| attribute["key"].to_string())
        .collect();
    let all = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), all, "a key twice on one span");
    assert_eq!(event(&server, "answer").metadata["tokens"], 100);
}

#[test]
fn a_span_with_hundreds_of_attributes_keeps_its_session_and_every_one_of_them() {
    let history: Vec<_> = (0..900).map(|turn| format!("turn {turn}")).collect();
    let (server, tracer) = connected();
    let chat = tracer.create_session("chat");
    chat.in_scope(|| {
        drop(
            tracer
                .span("long")
                .inputs(json!({"history": history}))
                .start(),
        )
    });
    chat.in_scope(|| {
        let span = tracer.span("late").start();
        span.outputs(json!({"history": history}));
    });
    flush(&tracer);

    for name in ["long", "late"] {
        assert_eq!(event(&server, name).session_id, chat.id().to_string());
    }
    let sent = event(&server, "long").inputs["history"].clone();
    assert_eq!(sent.as_array().map(Vec::len), Some(900));
}

#[test]
fn a_span_with_more_attributes_than_fit_keeps_its_session_and_its_type() {
    let history: Vec<_> = (0..3_000).map(|turn| format!("turn {turn}")).collect();
    let (server, tracer) = connected();
    let chat = tracer.create_session("chat");
    chat.in_scope(|| {
        let span = tracer
            .span("overflowing")
            .inputs(json!({"history": history}))
            .event_type(EventType::Model)
            .start();
        span.outputs(json!({"history": history}));
    });
    flush(&tracer);

    assert_tree(&server, &chat, "chat\n  overflowing [model]\n");
    assert_eq!(server.sessions().len(), 1);
}

#[test]
fn spans_of_a_provider_that_the_program_has_already_go_to_the_current_session() {
    let (server, tracer) = connected();
    let own = SdkTracerProvider::builder()
        .with_span_processor(tracer.span_processor())
        .build();
    let chat = tracer.create_session("chat");
    chat.in_scope(|| own.tracer("app").in_span("theirs", |_| {}));
    own.tracer("app").in_span("outside", |_| {});
    own.force_flush().unwrap();

    assert_eq!(event(&server, "theirs").session_id, chat.id().to_string());
    assert_ne!(event(&server, "outside").session_id, chat.id().to_string());
    assert_eq!(server.orphans(), []);
    own.shutdown().unwrap();
    drop(tracer.span("after").start());
    flush(&tracer);
    event(&server, "after");
}

/// Sends all that OTLP can say of a span with one encoding.
fn sent_as(protocol: OtlpProtocol) -> (LocalServer, Vec<LocalEvent>) {
    let server = server();
    let resource = Resource::builder()
        .with_attribute(KeyValue::new("none", f64::NAN))
        .build();
    let tracer = builder(&server)
        .otlp_protocol(protocol)
        .resource(resource)
        .build()
        .unwrap();
    let scope =
        InstrumentationScope::builder("lib").with_attributes([KeyValue::new("none", f64::NAN)]);
    let foreign = tracer.provider().tracer_with_scope(scope.build());
    let chat = tracer.create_session(NewSession::named("chat").id("conversation"));
    chat.in_scope(|| {
        let elsewhere = SpanContext::new(
            TraceId::from(7),
            SpanId::from(9),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        );
        let list = |array: Array| Attribute::Array(array);
        let builder = SpanBuilder::from_name("all kinds")
            .with_attributes([
                KeyValue::new("text", "ü\n\"quoted\""),
                KeyValue::new("large", i64::MAX),
                KeyValue::new("share", 0.25),
                KeyValue::new("flag", true),
                KeyValue::new("texts", list(Array::String(vec!["a".into(), "b".into()]))),
                KeyValue::new("numbers", list(Array::I64(vec![1, i64::MIN]))),
                // JSON has no such numbers, and a collector would refuse the whole batch.
                KeyValue::new("none", f64::NAN),
                KeyValue::new("endless", list(Array::F64(vec![0.5, f64::NEG_INFINITY]))),
            ])
            .with_links(vec![Link::new(
                elsewhere,
                vec![
                    KeyValue::new("why", "retry"),
                    KeyValue::new("none", f64::NAN),
                ],
                0,
            )]);
        let mut span = foreign.build(builder);
        span.add_event(
            "exception",
            vec![
                KeyValue::new("exception.message", "boom"),
                KeyValue::new("none", f64::INFINITY),
            ],
        );
        span.set_status(Status::error("failed"));
        drop(span);
        drop(tracer.span("by hand").event_type(EventType::Model).start());
    });
    flush(&tracer);
    let mut events = all_events(&server);
    for event in &mut events {
        // Ids and times differ from run to run.
        event.event_id.clear();
        event.trace_id.clear();
        event.span_id.clear();
        (event.start_time_ms, event.end_time_ms, event.duration) = (0.0, 0.0, 0.0);
        event.metadata.retain(|key, _| !key.ends_with("_id"));
        event
            .span_events
            .iter_mut()
            .for_each(|span_event| span_event.time_ms = 0.0);
    }
    (server, events)
}

#[test]
fn both_encodings_arrive_compressed_and_mean_the_same() {
    let (protobuf, as_protobuf) = sent_as(OtlpProtocol::HttpProtobuf);
    let (json, as_json) = sent_as(OtlpProtocol::HttpJson);

    assert_eq!(as_protobuf.len(), 2);
    assert_eq!(as_protobuf, as_json);
    let all_kinds = &as_json[0];
    assert_eq!(all_kinds.attributes["large"], i64::MAX);
    assert_eq!(all_kinds.attributes["text"], "ü\n\"quoted\"");
    assert_eq!(all_kinds.attributes["none"], "nan");
    assert_eq!(all_kinds.attributes["endless"], json!(["0.5", "-inf"]));
    assert_eq!(all_kinds.links.len(), 1);
    assert_eq!(all_kinds.span_events[0].attributes["none"], "inf");
    assert_eq!(all_kinds.error.as_deref(), Some("failed"));
    for (server, content_type) in [
        (&protobuf, "application/x-protobuf"),
        (&json, "application/json"),
    ] {
        let requests = server.requests();
        let traces = requests
            .iter()
            .find(|request| request.path.ends_with("/traces"));
        let traces = traces.unwrap();
        assert_eq!(traces.header("content-type"), Some(content_type));
        assert_eq!(traces.header("content-encoding"), Some("gzip"));
        assert!(traces.authorized);
    }
}

/// `Kept` keeps the bodies of an exporter's requests instead of sending them.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Vec<Value>>>);

#[async_trait::async_trait]
impl HttpClient for Kept {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let body = serde_json::from_slice(request.body())?;
        self.0.lock().unwrap().push(body);
        Ok(Response::new(Bytes::from_static(b"{}")))
    }
}

/// Returns the spans of an OTLP/JSON body, each with its attributes apart.
fn spans_of(body: &Value) -> Vec<(Value, Vec<Value>)> {
    let scopes = items(body, "resourceSpans").flat_map(|resource| items(resource, "scopeSpans"));
    let spans = scopes.flat_map(|scope| items(scope, "spans")).cloned();
    spans
        .map(|mut span| {
            let attributes = items(&span, "attributes").cloned().collect();
            span["attributes"] = json!([]);
            (span, attributes)
        })
        .collect()
}

#[test]
fn beside_the_programs_own_otlp_exporter_both_say_the_same_of_a_span() {
    let kept = Kept::default();
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpJson)
        .with_http_client(kept.clone());
    let server = server();
    let tracer = builder(&server)
        .otlp_protocol(OtlpProtocol::HttpJson)
        .build()
        .unwrap();
    let own = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.build().unwrap())
        .with_span_processor(tracer.span_processor())
        .build();
    tracer.create_session("chat").in_scope(|| {
        let elsewhere = SpanContext::new(
            TraceId::from(7),
            SpanId::from(9),
            TraceFlags::SAMPLED,
            true,
            TraceState::from_key_value([("vendor", "1")]).unwrap(),
        );
        let cx = Context::current().with_remote_span_context(elsewhere.clone());
        let builder = SpanBuilder::from_name("search")
            .with_kind(SpanKind::Client)
            .with_attributes([
                KeyValue::new("top_k", 5),
                KeyValue::new("index", "documents"),
            ])
            .with_links(vec![Link::new(elsewhere, Vec::new(), 0)]);
        let mut span = own.tracer("app").build_with_context(builder, &cx);
        span.add_event("retried", vec![KeyValue::new("attempt", 2)]);
        span.set_status(Status::error("no index"));
    });
    own.force_flush().unwrap();

    let theirs = spans_of(&kept.0.lock().unwrap()[0]);
    let requests = server.requests();
    let ours = requests
        .iter()
        .find(|request| request.path.ends_with("/traces"));
    let ours = spans_of(ours.unwrap().json.as_ref().unwrap());
    assert_eq!((theirs.len(), ours.len()), (1, 1));
    assert_eq!(theirs[0].0, ours[0].0);
    for attribute in &theirs[0].1 {
        assert!(ours[0].1.contains(attribute), "{attribute}");
    }
}

#[test]
fn a_span_that_ended_before_its_start_took_no_time() {
    let (server, tracer) = connected();
    let began = SystemTime::now();
    let builder = SpanBuilder::from_name("set back").with_start_time(began);
    let mut span = tracer.provider().tracer("lib").build(builder);
    span.end_with_timestamp(began - Duration::from_secs(60));
    flush(&tracer);
    let event = event(&server, "set back");
    assert_eq!(
        (event.duration, event.end_time_ms),
        (0.0, event.start_time_ms)
    );
}

#[test]
fn spans_outside_every_session_go_to_the_tracers_own_which_is_started_first() {
    let server = server();
    let tracer = builder(&server)
        .otlp_protocol(OtlpProtocol::HttpJson)
        .build()
        .unwrap();
    let parent = tracer.span("parent").start();
    parent.in_scope(|| drop(tracer.span("child").start()));
    drop(parent);
    flush(&tracer);

    assert_eq!(assert_starts_before_spans(&server), 2);
    assert_eq!(server.orphans(), []);
    let own = &server.sessions()[0];
    assert!(!own.auto_created);
    assert_eq!(
        server.tree(&own.session_id),
        "the tests\n  parent [chain]\n    child [tool]\n"
    );
    let stats = tracer.stats();
    assert_eq!((stats.delivered, stats.dropped.total()), (3, 0));
}

#[test]
fn over_otlp_alone_every_span_makes_its_session_known_inside_a_session_or_not() {
    let server = server();
    let tracer = tracer_over(SessionTransport::Otlp, &server);
    let chat = tracer.create_session("chat");
    chat.in_scope(|| drop(tracer.span("inside").start()));
    drop(tracer.span("outside").start());
    flush(&tracer);

    assert_eq!(server.orphans(), []);
    assert_tree(&server, &chat, "chat\n  inside [tool]\n");
    let own = event(&server, "outside").session_id;
    assert_eq!(server.tree(&own), "the tests\n  outside [tool]\n");
    assert_eq!(calls(&server), [TRACES]);
}

#[test]
fn the_last_span_of_a_script_is_not_lost_though_its_session_has_yet_to_begin() {
    let (server, tracer) = connected();
    drop(tracer.span("only").start());
    tracer.shutdown_blocking(PATIENCE).unwrap();

    assert_eq!(server.orphans(), []);
    assert_eq!(server.sessions().len(), 1);
    event(&server, "only");
    assert_balanced(&tracer);
}

#[test]
fn a_span_outside_every_session_is_nobodys_though_sessions_begin_within_it() {
    let (server, tracer) = connected();
    let outer = tracer.span("batch").start();
    for name in ["job-a", "job-b"] {
        let job = tracer.create_session(name);
        outer.in_scope(|| job.in_scope(|| drop(tracer.span("inner").start())));
        flush(&tracer);
        let tree = server.tree(&job.id().to_string());
        assert_eq!(tree, format!("{name}\n  inner [tool]\n"));
    }
    drop(outer);
    flush(&tracer);
    assert_eq!(event(&server, "batch").event_type, "chain");
    let names: Vec<_> = server.sessions().into_iter().map(|it| it.name).collect();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn a_remote_parent_that_was_not_sampled_takes_no_span_away() {
    let (server, tracer) = connected();
    let remote = SpanContext::new(
        TraceId::from(7),
        SpanId::from(7),
        TraceFlags::NOT_SAMPLED,
        true,
        TraceState::default(),
    );
    let cx = Context::new().with_remote_span_context(remote);
    let guard = cx.attach();
    tracer
        .create_session("chat")
        .in_scope(|| drop(tracer.span("kept").start()));
    drop(guard);
    flush(&tracer);
    assert_eq!(
        event(&server, "kept").trace_id,
        TraceId::from(7).to_string()
    );
}

#[test]
fn over_otlp_what_a_session_began_with_follows_its_spans() {
    let server = server();
    let tracer = tracer_over(SessionTransport::Otlp, &server);
    let new = NewSession::named("chat")
        .inputs(json!({ "question": "why?" }))
        .metadata(json!({ "plan": "pro" }))
        .user_properties(json!({ "user": 7 }));
    let chat = tracer.create_session(new);
    chat.in_scope(|| drop(tracer.span("inside").start()));
    flush(&tracer);
    let session = session(&server, chat.id());
    assert_eq!(session.metadata["inputs"]["question"], "why?");
    assert_eq!(session.metadata["plan"], "pro");
    assert_eq!(session.user_properties["user"], 7);
    assert_balanced(&tracer);
}

#[test]
fn a_span_may_end_on_another_thread_and_outlive_its_session_scope() {
    let (server, tracer) = connected();
    let chat = tracer.create_session("chat");
    let span = chat.in_scope(|| tracer.span("long").start());
    std::thread::spawn(move || drop(span)).join().unwrap();
    flush(&tracer);

    assert_eq!(event(&server, "long").session_id, chat.id().to_string());
}

#[test]
fn a_project_is_sent_along_where_one_is_given() {
    let server = server();
    let tracer = builder(&server).project("shop").build().unwrap();
    drop(tracer.span("work").start());
    flush(&tracer);

    assert_eq!(event(&server, "work").project.as_deref(), Some("shop"));
    let session = server.sessions().remove(0);
    assert_eq!(session.project, None, "HoneyHive goes by the key");
    assert_eq!(event(&server, "work").resource["service.name"], "shop");
}

#[test]
fn an_earlier_event_is_enriched_by_its_id_and_what_an_update_has_no_place_for_is_not_lost() {
    let (server, tracer) = connected();
    let chat = tracer.create_session("chat");
    let answer = chat.in_scope(|| {
        let span = tracer.span("answer").inputs(json!({"q": 1})).start();
        span.event_id()
    });
    // The update is in the same flush as the span itself.
    tracer.enrich_event(
        answer,
        Enrichment::new()
            .feedback(json!({"rating": true}))
            .inputs(json!({"corrected": 2}))
            .error("said later"),
    );
    flush(&tracer);
    tracer.enrich_event(answer, Enrichment::new().metrics(json!({"score": 0.5})));
    flush(&tracer);

    let event = event(&server, "answer");
    assert_eq!(event.event_id, answer.to_string());
    assert_eq!(event.feedback["rating"], true);
    assert_eq!(event.metrics["score"], 0.5);
    assert_eq!(event.inputs["q"], 1);
    assert_eq!(event.metadata["inputs"], json!({"corrected": 2}));
    assert_eq!(event.metadata["error"], "said later");
    assert_eq!(tracer.stats().retried, 0, "{:?}", calls(&server));
}

#[test]
fn an_event_that_nobody_knows_is_asked_for_again_and_then_dropped_by_name() {
    let server = server_that_answers_404();
    let tracer = tracer(&server);
    let unknown: EventId = "9f3b8f6e-6f0a-4d3b-9a57-0d3f0d3c9b11".parse().unwrap();
    tracer.enrich_event(unknown, Enrichment::new().feedback(json!({"rating": 1})));

    assert!(tracer.force_flush_blocking(PATIENCE).is_err());
    assert_eq!(tracer.stats().dropped.rejected, 1);
    assert!(tracer.stats().retried > 0);
    assert_balanced(&tracer);
}

#[test]
fn a_session_is_an_event_whose_id_can_be_used_as_one() {
    let (server, tracer) = connected();
    let chat = tracer.create_session("chat");
    chat.in_scope(|| drop(tracer.span("inside").start()));
    tracer.enrich_event(
        chat.id(),
        Enrichment::new().feedback(json!({"rating": true})),
    );
    flush(&tracer);

    assert_eq!(session(&server, chat.id()).feedback["rating"], true);
    assert_eq!(tracer.stats().retried, 0, "{:?}", calls(&server));
}

#[test]
fn an_event_has_one_id_however_often_and_by_whomever_it_is_asked_for() {
    let (server, tracer) = connected();
    assert_eq!(tracer.current_event_id(), None);
    let span = tracer.span("asked").start();
    let id = span.event_id();
    assert_eq!(span.event_id(), id);
    assert_eq!(span.in_scope(|| tracer.current_event_id()), Some(id));
    let other = span.in_scope(|| tracer.span("other").start());
    assert_ne!(other.event_id(), id);
    let mine: EventId = "9f3b8f6e-6f0a-4d3b-9a57-0d3f0d3c9b11".parse().unwrap();
    let named = tracer.span("named").event_id(mine).start();
    assert_eq!(named.event_id(), mine);
    drop((span, other, named));
    flush(&tracer);

    assert_eq!(event(&server, "asked").event_id, id.to_string());
    assert_eq!(event(&server, "named").event_id, mine.to_string());
}

/// Each span that is not left out has the nearest one around it as its parent, and no event refers to one that is left
/// out.
#[test]
fn what_a_filter_leaves_out_leaves_no_child_without_a_parent() {
    let filter = SpanFilter::new()
        .exclude_name("http.")
        .exclude_scope("noisy")
        .exclude_attribute("db.system", "redis");
    let server = server();
    let tracer = builder(&server).span_filter(filter).build().unwrap();
    let noisy = tracer.provider().tracer("noisy-library");
    tracer.create_session("filtered").in_scope(|| {
        let outer = tracer.span("http.request").start();
        let late = outer.in_scope(|| {
            let turn = tracer.span("turn").start();
            turn.in_scope(|| {
                let cx = Context::current_with_span(noisy.start("library"));
                let _attached = cx.attach();
                let cache = noisy
                    .span_builder("get")
                    .with_attributes([KeyValue::new("db.system", "redis")])
                    .start(&tracer.provider().tracer("other"));
                let _attached = Context::current_with_span(cache).attach();
                drop(tracer.span("parse").start());
            });
            Context::current()
        });
        drop(outer);
        // The parent has ended already.
        drop(
            tracer
                .provider()
                .tracer("other")
                .start_with_context("late", &late),
        );
    });
    flush(&tracer);
    let ids: HashMap<_, _> = all_events(&server)
        .into_iter()
        .map(|it| (it.event_name, (it.span_id, it.parent_span_id)))
        .collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert_eq!((&ids["late"].1, &ids["turn"].1), (&None, &None));
    assert_eq!(ids["parse"].1.as_ref(), Some(&ids["turn"].0));
    assert_eq!(tracer.stats().filtered_spans, 3);
    assert_balanced(&tracer);
}

#[test]
fn what_no_include_matches_is_left_out_but_for_the_span_of_a_request() {
    let filter = SpanFilter::new().include_name("app.");
    let (tracer, captured) = testing::tracer_with(|builder| builder.span_filter(filter));
    let server = ServerInstrumentation::builder(tracer.clone())
        .request_span(true)
        .build()
        .unwrap();
    let headers = NoHeaders;
    let mut guard = server.on_request(&RequestInfo::new("POST", "/chat", &headers));
    guard.run(|| {
        drop(tracer.span("app.turn").start());
        drop(tracer.span("lib.call").start());
    });
    guard.on_response(200, &headers, Some(0)).finish();
    let session = captured.only_session();
    let mut names: Vec<_> = session.events.iter().map(|it| it.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["POST /chat", "app.turn"]);
}

struct NoHeaders;

impl Headers for NoHeaders {
    fn for_each<'h>(&'h self, _: &mut dyn FnMut(&'h str, &'h [u8])) {}
}

#[test]
fn a_span_inside_one_that_does_not_come_here_names_no_parent_that_nobody_has() {
    let (server, tracer) = connected();
    let elsewhere = SdkTracerProvider::builder().build();
    let chat = tracer.create_session("chat");
    let inside = |provider: &SdkTracerProvider, name: &'static str| {
        chat.in_scope(|| {
            let around = provider.tracer("lib").start("around");
            let _around = Context::current_with_span(around).attach();
            drop(tracer.tool(name).start());
        });
    };
    inside(&elsewhere, "in theirs");
    inside(tracer.provider(), "in ours");
    flush(&tracer);
    assert_eq!(event(&server, "in theirs").parent_span_id, None);
    assert!(event(&server, "in ours").parent_span_id.is_some());

    // From here on their spans come here, too.
    let attached = SdkTracerProvider::builder()
        .with_span_processor(tracer.span_processor())
        .build();
    inside(&attached, "in attached");
    flush(&tracer);
    let parent = event(&server, "in attached").parent_span_id;
    assert!(
        parent.is_some(),
        "{:#?}",
        server.tree(&chat.id().to_string())
    );
}

#[test]
fn a_span_that_begins_with_more_attributes_than_fit_keeps_its_session_whoever_made_it() {
    let (server, tracer) = connected();
    let own = SdkTracerProvider::builder()
        .with_span_processor(tracer.span_processor())
        .build();
    let chat = tracer.create_session("chat");
    for (provider, name, begins_with) in [
        (tracer.provider(), "ours", 1_100),
        (tracer.provider(), "ours, far too many", 20_000),
        (&own, "theirs", 1_100),
    ] {
        let attributes =
            (0..begins_with).map(|index| KeyValue::new(format!("honeyhive_inputs.{index}"), index));
        let builder = SpanBuilder::from_name(name).with_attributes(attributes);
        chat.in_scope(|| drop(provider.tracer("lib").build(builder)));
    }
    flush(&tracer);

    assert_tree(
        &server,
        &chat,
        "chat\n  ours [tool]\n  ours, far too many [tool]\n  theirs [tool]\n",
    );
    let event = event(&server, "ours");
    assert_eq!(event.attributes["honeyhive_inputs.0"], 0);
    let sent = event.attributes.len() as i64;
    let dropped = event.metadata["dropped_attributes"].as_i64().unwrap();
    assert!((1_000..1_050).contains(&sent), "{sent}");
    assert!((70..90).contains(&dropped), "{dropped}");
}

#[test]
fn huge_values_are_cut_with_a_mark_and_their_neighbours_are_not() {
    const HUGE: usize = 3 * 1024 * 1024;
    let huge = "ü".repeat(HUGE / 2);
    let cut = |value: &Value| {
        let text = value.as_str().unwrap();
        text.ends_with(&format!("ü… [cut: {HUGE} bytes in all]")) && text.len() < HUGE / 2
    };
    let (server, tracer) = connected();
    let new = NewSession::named("chat").inputs(json!({"image": huge, "q": 1}));
    let chat = tracer.create_session(new);
    chat.enrich(Enrichment::new().outputs(json!({"list": [huge, "short"]})));
    chat.in_scope(|| {
        let span = tracer.span("ask").inputs(json!({"image": huge, "q": 1}));
        let span = span.start();
        span.error(&huge);
        span.in_scope(|| {
            Context::current().span().add_event(
                "log",
                vec![KeyValue::new("line", huge.clone()), KeyValue::new("n", 1)],
            );
        });
    });
    flush(&tracer);

    let event = event(&server, "ask");
    assert!(cut(&event.inputs["image"]));
    assert_eq!(event.inputs["q"], 1);
    let error = event.attributes["honeyhive_error"].as_str().unwrap();
    assert!(error.ends_with("ü… [cut: over 65536 bytes in all]"));
    assert!(event.status.message.len() < HUGE / 2);
    assert!(cut(&event.span_events[0].attributes["line"]));
    assert_eq!(event.span_events[0].attributes["n"], 1);
    let session = session(&server, chat.id());
    assert!(cut(&session.inputs["image"]));
    assert_eq!(session.inputs["q"], 1);
    assert!(cut(&session.outputs["list"][0]));
    assert_eq!(session.outputs["list"][1], "short");
}

#[test]
fn a_tracer_writes_on_no_span_of_another() {
    let server = server();
    let (mine, theirs) = (tracer(&server), tracer(&server));
    let foreign = theirs.provider().tracer("lib");
    let added = || Enrichment::new().metadata(json!({"by": "mine"}));
    theirs.span("by hand").start().in_scope(|| {
        mine.enrich_span(added());
        assert_eq!(mine.current_event_id(), None);
    });
    foreign.in_span("by a library", |_| mine.enrich_span(added()));
    mine.span("around").start().in_scope(|| {
        mine.enrich_span(added());
        theirs
            .span("inside")
            .start()
            .in_scope(|| theirs.enrich_span(added()));
    });
    // The span's provider is OpenTelemetry's own, and sends to both.
    let shared = SdkTracerProvider::builder()
        .with_span_processor(mine.span_processor())
        .with_span_processor(theirs.span_processor())
        .build();
    shared
        .tracer("app")
        .in_span("shared", |_| mine.enrich_span(added()));
    flush(&mine);
    flush(&theirs);

    for (name, expected) in [
        ("by hand", None),
        ("by a library", None),
        ("around", Some(&json!("mine"))),
        ("inside", Some(&json!("mine"))),
        ("shared", Some(&json!("mine"))),
    ] {
        assert_eq!(event(&server, name).metadata.get("by"), expected, "{name}");
    }
    assert_eq!(mine.stats().refused, 2);
}

#[derive(Clone, serde::Serialize)]
struct Order {
    id: Uuid,
    placed: DateTime<Utc>,
    seen: SystemTime,
    price: Decimal,
}

#[honeyhive::trace]
fn echo(order: Order) -> Order {
    order
}

#[test]
fn dates_uuids_and_decimals_are_plain_text_going_in_and_coming_out() {
    let seconds = 1_700_000_000;
    let order = Order {
        id: Uuid::from_u128(7),
        placed: DateTime::from_timestamp(seconds, 0).unwrap(),
        seen: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs()),
        price: Decimal::new(110, 2),
    };
    let text = json!({
        "id": "00000000-0000-0000-0000-000000000007",
        "placed": "2023-11-14T22:13:20Z",
        "seen": "2023-11-14T22:13:20Z",
        "price": "1.10",
    });
    let (server, tracer) = connected();
    let chat = tracer.create_session(NewSession::named("chat").inputs(&order));
    chat.enrich(Enrichment::new().outputs(&order));
    chat.in_scope(|| _ = echo(order));
    flush(&tracer);

    let event = event(&server, "echo");
    assert_eq!(event.inputs["order"], text);
    assert_eq!(event.outputs["result"], text);
    let session = session(&server, chat.id());
    assert_eq!(Value::Object(session.inputs), text);
    assert_eq!(Value::Object(session.outputs), text);
}

#[test]
fn the_messages_of_the_conventions_are_the_inputs_and_outputs_of_a_model_call() {
    let (server, tracer) = connected();
    let library = tracer.provider().tracer("an LLM client");
    let messages = json!([{"role": "user", "parts": [{"type": "text", "content": "6 * 7?"}]}]);
    let answers = json!([{"role": "assistant", "parts": [{"type": "text", "content": "42"}],
                          "finish_reason": "stop"}]);
    let builder = SpanBuilder::from_name("chat m-1").with_attributes([
        KeyValue::new("gen_ai.operation.name", "chat"),
        KeyValue::new("gen_ai.input.messages", messages.to_string()),
    ]);
    let chat = tracer.create_session("chat");
    chat.in_scope(|| {
        let mut span = library.build(builder);
        span.set_attribute(KeyValue::new("gen_ai.output.messages", answers.to_string()));
    });
    flush(&tracer);

    let event = event(&server, "chat m-1");
    assert_eq!(event.event_type, "model");
    assert_eq!(
        event.inputs["chat_history"],
        json!([{"role": "user", "content": "6 * 7?"}])
    );
    assert_eq!(
        Value::Object(event.outputs),
        json!({"role": "assistant", "content": "42", "finish_reason": "stop"})
    );
    assert!(event.attributes.contains_key("gen_ai.input.messages"));
}

#[test]
fn what_is_said_of_an_event_waits_while_its_span_is_held_up() {
    let server = server();
    let tracer = builder(&server)
        .coalesce_window(Duration::from_millis(1))
        .build()
        .unwrap();
    let chat = tracer.create_session("chat");
    let span = chat.in_scope(|| tracer.span("answer").start());
    let answer = span.event_id();
    server.fail(Fault::status(503).on(Endpoint::Traces));
    drop(span);
    tracer.enrich_event(answer, Enrichment::new().feedback(json!({"rating": 1})));
    // The failures outlast the attempts for an unknown event. HoneyHive may answer 200 and forget, so no update goes
    // before its span.
    let tries = |server: &LocalServer| count(server, TRACES) > 5;
    assert!(server.wait_until_blocking(PATIENCE, tries));
    assert_eq!(count(&server, &format!("PUT /v1/events/{answer}")), 0);
    server.heal();
    flush(&tracer);

    assert_eq!(event(&server, "answer").feedback["rating"], 1);
    assert_eq!(tracer.stats().dropped.total(), 0);
}

#[test]
fn an_event_goes_by_the_id_that_the_program_gave_it_wherever_it_is_asked_for() {
    let (server, tracer) = connected();
    let mine: EventId = "9f3b8f6e-6f0a-4d3b-9a57-0d3f0d3c9b11".parse().unwrap();
    let span = tracer.span("named").event_id(mine).start();
    span.in_scope(|| {
        assert_eq!(tracer.current_event_id(), Some(mine));
        let child = tracer.span("child").start();
        assert_ne!(child.in_scope(|| tracer.current_event_id()), Some(mine));
    });
    drop(span);
    flush(&tracer);

    assert_eq!(event(&server, "named").event_id, mine.to_string());
}

#[test]
fn a_tracer_that_came_later_writes_on_no_earlier_span_of_another() {
    let server = server();
    let first = tracer(&server);
    let span = first.span("early").start();
    let second = tracer(&server);
    span.in_scope(|| second.enrich_span(Enrichment::new().metadata(json!({"by": "second"}))));
    drop(span);
    flush(&first);

    assert_eq!(event(&server, "early").metadata.get("by"), None);
}

#[test]
fn an_image_in_a_chat_is_cut_and_the_chat_is_not() {
    let image = "x".repeat(2 * 1024 * 1024);
    let messages = json!([{"role": "user", "content": "look"}, {"role": "user", "content": image}]);
    let (server, tracer) = connected();
    let span = SpanBuilder::from_name("chat")
        .with_attributes([KeyValue::new("gen_ai.input.messages", messages.to_string())]);
    drop(tracer.provider().tracer("lib").build(span));
    flush(&tracer);

    let history = event(&server, "chat").inputs["chat_history"].clone();
    assert_eq!(history[0]["content"], "look");
    let cut = history[1]["content"].as_str().unwrap();
    assert!(cut.ends_with("bytes in all]"), "{}", cut.len());
}

#[test]
fn a_key_that_is_written_without_end_leaves_room_for_what_comes_after() {
    let (server, tracer) = connected();
    let span = tracer.span("streaming").start();
    for tokens in 0..30_000 {
        span.enrich(Enrichment::new().metadata(json!({ "tokens": tokens })));
    }
    span.outputs(json!({"text": "done"}));
    drop(span);
    flush(&tracer);

    let event = event(&server, "streaming");
    assert_eq!(event.metadata["tokens"], 29_999);
    assert_eq!(event.outputs["text"], "done");
}

/// A `Broken` value cannot be serialised.
#[derive(Debug)]
struct Broken;

impl serde::Serialize for Broken {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no"))
    }
}

#[derive(serde::Serialize)]
struct Mixed {
    good: u8,
    bad: Broken,
    list: Vec<Broken>,
    grid: HashMap<(u8, u8), u8>,
}

#[honeyhive::trace]
fn take_mixed(mixed: &Mixed) -> u8 {
    mixed.good
}

#[test]
fn a_value_that_json_cannot_hold_costs_none_of_its_neighbours() {
    let mixed = Mixed {
        good: 1,
        bad: Broken,
        list: vec![Broken],
        grid: HashMap::from([((1, 2), 3)]),
    };
    let lost = "[not serialisable: no]";
    let sent = json!({"good": 1, "bad": lost, "list": [lost], "grid": {"[1,2]": 3}});
    let (server, tracer) = connected();
    let chat = tracer.create_session(NewSession::named("chat").metadata(&mixed));
    chat.enrich(Enrichment::new().outputs(&mixed));
    chat.in_scope(|| take_mixed(&mixed));
    flush(&tracer);

    let session = session(&server, chat.id());
    assert_eq!(Value::Object(session.metadata), sent);
    assert_eq!(Value::Object(session.outputs), sent);
    assert_eq!(event(&server, "take_mixed").inputs["mixed"], sent);
    assert_eq!(tracer.stats().refused, 0);
}
