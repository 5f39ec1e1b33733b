//! Spans of `tracing` go through `tracing_layer`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::io;
use std::sync::{Arc, Mutex};

use crate::support::*;
use honeyhive::opentelemetry::KeyValue;
use honeyhive::opentelemetry::trace::{Span as _, Status, Tracer as _, TracerProvider as _};
use honeyhive::testing::{self, CapturedEvent};
use honeyhive::{Enrichment, HoneyHiveTracer, Session};
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::json;
use tracing::field::Empty;
use tracing::{Instrument as _, debug_span, error, info, info_span, instrument, warn};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, Registry, fmt};

/// Runs `work` in a session, with the layer on this thread.
fn in_session(tracer: &HoneyHiveTracer, work: impl FnOnce()) {
    let subscriber = Registry::default().with(tracer.tracing_layer());
    tracing::subscriber::with_default(subscriber, || tracer.create_session("chat").in_scope(work));
}

/// Returns the one event that `work` leaves.
#[track_caller]
fn event_of(work: impl FnOnce()) -> CapturedEvent {
    let (tracer, captured) = testing::tracer();
    in_session(&tracer, work);
    let mut events = captured.only_session().events;
    assert_eq!(events.len(), 1, "{events:#?}");
    events.remove(0)
}

/// Returns the seven buckets and the error, and nothing of the routing.
fn data(event: &CapturedEvent) -> Vec<(&str, String)> {
    let attributes = event.attributes.iter();
    attributes
        .filter(|(key, _)| !key.starts_with("honeyhive.") && !key.starts_with("traceloop."))
        .filter(|(key, _)| !key.starts_with("honeyhive_metadata.target"))
        .map(|(key, value)| (key.as_str(), value.as_str().into_owned()))
        .collect()
}

#[instrument]
fn outer(tracer: &Named, depth: u8) {
    tracer.0.span("by hand").start().in_scope(|| inner(depth));
}

#[honeyhive::trace(event_type = "tool")]
fn inner(depth: u8) -> u8 {
    let _innermost = info_span!("innermost", depth).entered();
    depth
}

struct Named(HoneyHiveTracer);

impl std::fmt::Debug for Named {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the tracer")
    }
}

#[test]
fn spans_of_all_kinds_nest_in_the_current_session() {
    let (tracer, captured) = testing::tracer();
    in_session(&tracer, || outer(&Named(tracer.clone()), 3));
    captured.only_session().assert_tree(
        "chat
           outer [chain]
             by hand [chain]
               inner [tool]
                 innermost [tool]",
    );
}

#[instrument(ret)]
async fn ask(question: &str) -> usize {
    tokio::task::yield_now().await;
    question.len()
}

#[tokio::test]
async fn an_instrumented_future_is_one_event_however_often_it_is_polled_and_wherever_it_goes() {
    let (tracer, captured) = testing::tracer();
    let subscriber = Registry::default().with(tracer.tracing_layer());
    let _subscribed = tracing::subscriber::set_default(subscriber);
    let chat = tracer.create_session("chat");
    chat.scope(async {
        let turn = async {
            ask("how?").await;
            tokio::spawn(ask("why?").in_current_span()).await.unwrap();
        };
        turn.instrument(info_span!("turn")).await;
    })
    .await;

    let session = captured.only_session();
    session.assert_tree("chat\n  turn [chain]\n    ask [tool]\n    ask [tool]");
    let event = session.event("ask");
    assert_eq!(event.text("honeyhive_outputs.result").as_deref(), Some("4"));
}

#[tokio::test]
async fn a_span_that_was_created_elsewhere_belongs_to_the_session_it_first_runs_in() {
    let (tracer, captured) = testing::tracer();
    let subscriber = Registry::default().with(tracer.tracing_layer());
    let _subscribed = tracing::subscriber::set_default(subscriber);
    let chat = tracer.create_session("chat");
    // The span is created before the session is current.
    let turn = async {
        assert_eq!(
            Session::current().map(|session| session.id()),
            Some(chat.id())
        );
        tracer.enrich_session(Enrichment::new().outputs(json!({"answer": 42})));
        inner(1);
        ask("why?").await;
    };
    chat.scope(turn.instrument(info_span!("turn"))).await;
    assert_eq!(Session::current().map(|session| session.id()), None);
    // The span is created as a root, as libraries do.
    chat.scope(async {
        let root = info_span!(parent: None, "root");
        ask("how?").instrument(root).await;
    })
    .await;

    let session = captured.only_session();
    session.assert_tree(
        "chat
           turn [chain]
             inner [tool]
               innermost [tool]
             ask [tool]
           root [chain]
             ask [tool]",
    );
    assert_eq!(session.outputs["answer"], 42);
}

#[test]
fn a_librarys_root_is_a_step_of_the_span_that_is_current_in_the_session() {
    let (tracer, captured) = testing::tracer();
    in_session(&tracer, || {
        tracer.span("turn").start().in_scope(|| {
            info_span!(parent: None, "invoke_agent")
                .in_scope(|| drop(info_span!("chat").entered()));
        });
    });
    captured.only_session().assert_tree(
        "chat
           turn [chain]
             invoke_agent [chain]
               chat [tool]",
    );
}

#[test]
fn a_span_that_failed_without_a_word_tells_the_type_of_its_error() {
    let typed = event_of(|| {
        let span = info_span!("chat", otel.status_code = Empty, error.type = Empty);
        span.record("otel.status_code", "ERROR");
        span.record("error.type", "429");
    });
    assert_eq!(typed.error.as_deref(), Some("429"));
    let silent = event_of(|| drop(info_span!("chat", otel.status_code = "error").entered()));
    assert_eq!(silent.error.as_deref(), Some("error"));
    let told = event_of(|| {
        let span = info_span!(
            "chat",
            otel.status_code = "error",
            otel.status_description = Empty
        );
        span.record("otel.status_description", "too many requests");
    });
    assert_eq!(told.error.as_deref(), Some("too many requests"));
}

/// The span fails as genai tells of it: an error in an event of the span, and a status without a word.
#[test]
fn a_span_that_failed_without_a_word_tells_the_exception_before_its_type() {
    let (tracer, captured) = testing::tracer();
    tracer.create_session("chat").in_scope(|| {
        let mut span = tracer.provider().tracer("genai").start("chat");
        span.set_attribute(KeyValue::new("error.type", "429"));
        span.record_error(&io::Error::other("too many requests"));
        span.set_status(Status::error(""));
        span.end();
    });
    let event = captured.only_session().event("chat").clone();
    assert_eq!(event.error.as_deref(), Some("too many requests"));
}

#[test]
fn what_langfuse_is_told_in_an_event_is_said_of_the_span() {
    let event = event_of(|| {
        info_span!("prompt", langfuse.type = "GENERATION").in_scope(|| {
            info!(langfuse.input = "why?", "asked");
        });
    });
    assert_eq!(event.text("langfuse.input").as_deref(), Some("why?"));
    assert_eq!(event.event_type, "model");
}

#[test]
fn an_agent_that_says_the_sum_of_its_calls_does_not_double_it() {
    let (tracer, captured) = testing::tracer();
    in_session(&tracer, || {
        let agent = info_span!(
            "agent",
            gen_ai.operation.name = "invoke_agent",
            gen_ai.usage.input_tokens = 22
        );
        agent.in_scope(|| {
            info_span!("step").in_scope(|| {
                for _ in 0..2 {
                    drop(
                        info_span!(
                            "chat",
                            gen_ai.operation.name = "chat",
                            gen_ai.usage.input_tokens = 11
                        )
                        .entered(),
                    );
                }
            });
        });
        // No call of a model was seen in there.
        drop(
            info_span!(
                "other",
                gen_ai.operation.name = "invoke_agent",
                gen_ai.usage.input_tokens = 5
            )
            .entered(),
        );
    });
    let session = captured.only_session();
    let tokens = |event: &CapturedEvent| event.text("gen_ai.usage.input_tokens");
    let counted: Vec<_> = session
        .events
        .iter()
        .filter_map(|it| Some((it.name.as_str(), tokens(it)?)))
        .collect();
    let expected = [("chat", "11"), ("chat", "11"), ("other", "5")];
    assert_eq!(
        counted,
        expected.map(|(name, tokens)| (name, tokens.to_owned()))
    );
}

#[tokio::test]
async fn a_span_that_outlives_a_session_takes_nobodys_work_along() {
    let (tracer, captured) = testing::tracer();
    let subscriber = Registry::default().with(tracer.tracing_layer());
    let _subscribed = tracing::subscriber::set_default(subscriber);
    let early = info_span!("client");
    let (a, b) = (tracer.create_session("a"), tracer.create_session("b"));
    let mine = a.in_scope(|| info_span!("a's"));
    for session in [&a, &b] {
        for span in [&early, &mine] {
            let work = async {
                inner(1);
                let current = Session::current().map(|current| current.id());
                assert_eq!(current, Some(session.id()));
            };
            session.scope(work.instrument(span.clone())).await;
        }
    }
    drop((early, mine));

    let mut trees: Vec<_> = captured.sessions().iter().map(|it| it.tree()).collect();
    trees.sort();
    let inner = "inner [tool]\n      innermost [tool]";
    assert_eq!(
        trees,
        [
            format!("a\n  client [chain]\n    {inner}\n  a's [chain]\n    {inner}"),
            "b\n  inner [tool]\n    innermost [tool]\n  inner [tool]\n    innermost [tool]"
                .to_owned(),
        ]
    );
}

#[test]
fn several_layers_that_make_spans_break_nothing() {
    let (tracer, captured) = testing::tracer();
    let (other, other_captured) = testing::tracer();
    let elsewhere = SdkTracerProvider::builder().build();
    let theirs = tracing_opentelemetry::layer().with_tracer(elsewhere.tracer("theirs"));
    let subscriber = Registry::default()
        .with(tracer.tracing_layer())
        .with(theirs)
        .with(other.tracing_layer());
    tracing::subscriber::with_default(subscriber, || {
        tracer.create_session("chat").in_scope(|| {
            other.create_session("other").in_scope(|| {
                info_span!("work").in_scope(|| info!("logged"));
            });
        });
    });
    for captured in [captured, other_captured] {
        assert_eq!(captured.only_session().events.len(), 1);
    }
}

#[test]
fn fields_go_to_the_inputs_when_given_at_first_and_to_the_metadata_when_recorded_later() {
    let event = event_of(|| {
        let span = info_span!(
            "call",
            question = "why?",
            level = 7,
            later = Empty,
            gen_ai.request.model = "m-1",
            honeyhive_event_type = "chain",
            inputs.nested.key = true,
            outputs.answer = Empty,
            metrics.score = 0.5,
            feedback.rating = true,
            config.model = "m-1",
            user_properties.plan = "free",
            metadata.kind = ?Some(1),
        );
        span.in_scope(|| {
            span.record("later", 3);
            span.record("outputs.answer", "42");
        });
    });
    assert_eq!(event.event_type, "chain");
    assert_eq!(
        data(&event),
        [
            ("gen_ai.request.model", "m-1"),
            ("honeyhive_config.model", "m-1"),
            ("honeyhive_event_type", "chain"),
            ("honeyhive_feedback.rating", "true"),
            ("honeyhive_inputs.level", "7"),
            ("honeyhive_inputs.nested.key", "true"),
            ("honeyhive_inputs.question", "why?"),
            ("honeyhive_metadata.kind", "Some(1)"),
            ("honeyhive_metadata.later", "3"),
            ("honeyhive_metadata.level", "INFO"),
            ("honeyhive_metrics.score", "0.5"),
            ("honeyhive_outputs.answer", "42"),
            ("honeyhive_user_properties.plan", "free"),
        ]
        .map(|(key, value)| (key, value.to_owned()))
    );
    assert_eq!(
        event.text("honeyhive_metadata.target").as_deref(),
        Some(module_path!())
    );
}

#[instrument]
fn page(size: u32, number: usize, name: &str, huge: u64) {}

#[test]
fn numbers_stay_numbers_and_texts_texts() {
    let event = event_of(|| page(10, 2, "10", u64::MAX));
    let input = |name: &str| event.attributes[&format!("honeyhive_inputs.{name}")].clone();
    assert_eq!(input("size"), 10_i64.into());
    assert_eq!(input("number"), 2_i64.into());
    assert_eq!(input("name"), "10".into());
    assert_eq!(input("huge"), u64::MAX.to_string().into());

    let event = event_of(|| {
        let span = info_span!("chat", gen_ai.usage.input_tokens = Empty, code = "20");
        span.in_scope(|| span.record("gen_ai.usage.input_tokens", 20_u64));
    });
    assert_eq!(event.attributes["gen_ai.usage.input_tokens"], 20_i64.into());
    assert_eq!(event.attributes["honeyhive_inputs.code"], "20".into());
}

#[test]
fn a_field_recorded_before_the_span_is_entered_counts_as_given_at_first() {
    let event = event_of(|| {
        let span = debug_span!("late", early = Empty);
        span.record("early", 1);
        span.in_scope(|| ());
    });
    assert_eq!(event.text("honeyhive_inputs.early").as_deref(), Some("1"));
}

#[instrument(err)]
fn fails(with: &str) -> Result<(), io::Error> {
    Err(io::Error::other(with.to_owned()))
}

#[test]
fn errors_are_returned_recorded_or_logged() {
    let returned = event_of(|| drop(fails("no such model")));
    let logged = event_of(|| {
        info_span!("call").in_scope(|| {
            error!("the first");
            error!(code = 7, "the last");
            warn!("not one");
        });
    });
    let recorded = event_of(|| {
        let span = info_span!("call", error = Empty);
        span.in_scope(|| span.record("error", "recorded"));
    });
    let status = event_of(|| drop(info_span!("call", otel.status_description = "said").entered()));
    for (event, expected) in [
        (returned, "no such model"),
        (logged, "the last"),
        (recorded, "recorded"),
        (status, "said"),
    ] {
        assert_eq!(event.error.as_deref(), Some(expected));
        assert_eq!(event.text("honeyhive_error").as_deref(), Some(expected));
    }
    let fine = event_of(|| info_span!("call").in_scope(|| warn!("careful")));
    assert_eq!(fine.error, None);
}

#[test]
fn an_error_that_says_that_there_is_none_is_none() {
    let missing: Option<io::Error> = None;
    let there: Option<&str> = Some("no route");
    for (event, expected) in [
        (
            event_of(|| drop(info_span!("call", error = false).entered())),
            None,
        ),
        (
            event_of(|| drop(info_span!("call", error = "").entered())),
            None,
        ),
        (
            event_of(|| drop(info_span!("call", error = ?missing).entered())),
            None,
        ),
        (
            event_of(|| drop(info_span!("call", error = 0).entered())),
            None,
        ),
        (
            event_of(|| drop(info_span!("call", otel.status_description = "").entered())),
            None,
        ),
        (
            event_of(|| drop(info_span!("call", honeyhive_error = "None").entered())),
            None,
        ),
        (
            event_of(|| drop(info_span!("call", error = true).entered())),
            Some("error"),
        ),
        (
            event_of(|| drop(info_span!("call", error = there).entered())),
            Some("no route"),
        ),
        (
            event_of(|| info_span!("call").in_scope(|| error!(error = false, "it failed"))),
            Some("it failed"),
        ),
    ] {
        assert_eq!(event.error.as_deref(), expected, "{event:#?}");
        assert_eq!(event.text("honeyhive_error").as_deref(), expected);
    }
    // A session that is not in the sample is not kept for a span either.
    let server = server();
    let sampling = honeyhive::SessionSampling::ratio(0.0);
    let tracer = builder(&server).sampling(sampling).build().unwrap();
    in_session(&tracer, || {
        drop(info_span!("call", error = false).entered());
        drop(info_span!("call", honeyhive_error = "").entered());
        tracer.enrich_session(Enrichment::new().error(" "));
    });
    let _ = tracer.shutdown_blocking(PATIENCE);
    assert_eq!(server.sessions(), []);
}

#[test]
fn what_is_recorded_is_bounded_and_says_what_was_meant() {
    let error = io::Error::other(std::fmt::Error);
    let error: &(dyn std::error::Error + 'static) = &error;
    let event = event_of(|| {
        let shown = vec!["x"; 1_000_000];
        let bytes = [0xff_u8; 1_000];
        drop(
            info_span!(
                "call",
                score = 0.9_f32,
                ?shown,
                bytes = &bytes[..],
                error,
                text = "x".repeat(3_000_000)
            )
            .entered(),
        );
    });
    let input = |name: &str| event.attributes[&format!("honeyhive_inputs.{name}")].clone();
    assert_eq!(input("score"), 0.9.into());
    assert_eq!(
        input("bytes"),
        format!("1000 bytes:{} …", " ff".repeat(16)).into()
    );
    assert!(input("shown").as_str().len() < 66_000);
    assert!(
        input("text")
            .as_str()
            .ends_with("x… [cut: 3000000 bytes in all]")
    );
    assert_eq!(
        event.error.as_deref(),
        Some("an error occurred when formatting an argument")
    );
}

#[test]
fn what_is_logged_becomes_an_event_of_its_span() {
    let (server, tracer) = connected();
    in_session(&tracer, || {
        info_span!("call", otel.name = "GET model").in_scope(|| {
            info!(tokens = 12, "asked");
            warn!("slow");
        });
        info!("outside every span");
    });
    flush(&tracer);

    let event = event(&server, "GET model");
    let logged: Vec<_> = event
        .span_events
        .iter()
        .map(|logged| (logged.name.as_str(), logged.attributes["level"].clone()))
        .collect();
    assert_eq!(logged, [("asked", json!("INFO")), ("slow", json!("WARN"))]);
    assert_eq!(event.span_events[0].attributes["tokens"], 12);
    assert_eq!(event.error, None);
    assert!(!event.attributes.contains_key("honeyhive.created_with"));
    assert_eq!(event.scope_name, "honeyhive.tracing");
}

#[test]
fn the_type_follows_the_conventions_and_the_span_can_be_enriched() {
    let (tracer, captured) = testing::tracer();
    in_session(&tracer, || {
        let span = info_span!("chat m-1", gen_ai.operation.name = "chat_streaming");
        span.in_scope(|| {
            tracer.enrich_span(Enrichment::new().outputs(json!({"role": "assistant"})));
        });
    });
    let event = captured.only_session().event("chat m-1").clone();
    assert_eq!(event.event_type, "model");
    assert_eq!(
        event.text("honeyhive_outputs.role").as_deref(),
        Some("assistant")
    );
}

/// `Kept` is a writer that keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn it_stands_beside_other_layers_each_with_its_own_filter() {
    let (tracer, captured) = testing::tracer();
    let kept = Kept::default();
    let writer = kept.clone();
    let lines = fmt::layer()
        .with_writer(move || writer.clone())
        .with_filter(LevelFilter::DEBUG);
    let subscriber = Registry::default()
        .with(lines)
        .with(tracer.tracing_layer().with_filter(LevelFilter::INFO));
    tracing::subscriber::with_default(subscriber, || {
        tracer.create_session("chat").in_scope(|| {
            let _noise = debug_span!("noise").entered();
            info_span!("work").in_scope(|| tracing::debug!("a detail"));
        });
    });

    captured.only_session().assert_tree("chat\n  work [tool]");
    let lines = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert!(lines.contains("noise:work: "), "{lines}");
    assert!(lines.contains("a detail"), "{lines}");
}
