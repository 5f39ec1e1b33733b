//! Each program has a mistake in it, as people make it: `mistakes <name>`. `tests/mistakes.rs` compares what each of
//! them says. With `LOG=off` there is no subscriber.

#![allow(
    let_underscore_drop,
    clippy::let_underscore_must_use,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "programs with mistakes"
)]

use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use honeyhive::opentelemetry::trace::{Tracer as _, TracerProvider as _};
use honeyhive::opentelemetry::{KeyValue, global};
use honeyhive::{Enrichment, EventId, HoneyHiveTracer, NewSession, json};
use honeyhive_tower::{CurrentSession, HoneyHiveLayer};
use tower::ServiceExt as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let name = std::env::args().nth(1).ok_or("which mistake?")?;
    let level = match std::env::var("LOG").as_deref() {
        Ok("off") => None,
        Ok("debug") => Some(LevelFilter::DEBUG),
        _ => Some(LevelFilter::INFO),
    };
    let subscribe = || {
        if let Some(level) = level {
            subscribe(level);
        }
    };
    let by_themselves = [
        "late_subscriber",
        "subscriber_after_the_refusal",
        "disabled_before_the_subscriber",
        "tracing_without_layer",
        "wrong_event_type_in_a_field",
    ];
    if !by_themselves.contains(&name.as_str()) {
        subscribe();
    }
    match name.as_str() {
        "script" => script(),
        "deliveries" => deliveries(),
        "late_subscriber" => late_subscriber(subscribe),
        "subscriber_after_the_refusal" => subscriber_after_the_refusal(subscribe),
        "disabled_before_the_subscriber" => disabled_before_the_subscriber(subscribe),
        "server_without_key" => server_without_key(),
        "no_guard" => no_guard(),
        "guard_dropped_at_once" => guard_dropped_at_once(),
        "after_shutdown" => after_shutdown(),
        "span_outlives_guard" => span_outlives_guard(),
        "layer_before_routes" => layer_before_routes(),
        "left_out_by_the_filter" => left_out_by_the_filter(),
        "no_layer" => no_layer(),
        "tracing_without_layer" => tracing_without_layer(),
        "two_layers" => two_layers(),
        "trace_with_two_tracers" => trace_with_two_tracers(),
        "trace_before_the_tracer" => trace_before_the_tracer(),
        "trace_after_the_tracer" => trace_after_the_tracer(),
        "wrong_event_type" => wrong_event_type(),
        "wrong_event_type_in_an_attribute" => wrong_event_type_in_an_attribute(),
        "wrong_event_type_in_a_field" => wrong_event_type_in_a_field(),
        "inputs_are_text" => inputs_are_text(),
        "inputs_of_requests_are_text" => inputs_of_requests_are_text(),
        "spawn_without_session" => spawn_without_session(),
        "thread_without_session" => thread_without_session(),
        "enrich_outside" => enrich_outside(),
        "session_start_in_a_server" => session_start_in_a_server(),
        "global_tracer" => global_tracer(),
        "many_tracers" => many_tracers(),
        "unknown_event" => unknown_event(),
        other => Err(format!("no such mistake: {other}").into()),
    }
}

/// Installs a subscriber that writes no times, so that lines can be compared.
fn subscribe(level: LevelFilter) {
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .without_time();
    tracing_subscriber::registry()
        .with(Targets::new().with_target("honeyhive", level))
        .with(lines)
        .init();
}

#[honeyhive::trace]
fn work(number: u32) {}

fn script() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard().timeout(Duration::from_secs(5));
    work(1);
    Ok(())
}

fn deliveries() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    (1..=3).for_each(work);
    Ok(())
}

fn late_subscriber(subscribe: impl Fn()) -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    subscribe();
    let _guard = tracer.shutdown_guard();
    work(1);
    Ok(())
}

/// Installs the subscriber as every user of `tracing` spans does: its layer comes from the tracer.
fn disabled_before_the_subscriber(subscribe: impl FnOnce()) -> Outcome {
    let tracer = HoneyHiveTracer::from_env_or_disabled();
    subscribe();
    let _layer = HoneyHiveLayer::new(tracer);
    Ok(())
}

#[tokio::main]
async fn server_without_key() -> Outcome {
    let tracer = HoneyHiveTracer::from_env_or_disabled();
    let app = Router::new()
        .route(
            "/",
            get(|session: Option<CurrentSession>| async move {
                session.map_or("no session", |_| "a session")
            }),
        )
        .layer(HoneyHiveLayer::new(tracer.clone()));
    ask(&app).await?;
    work(1);
    let session = tracer.acreate_session("chat").await?;
    session
        .span("turn")
        .run(async |span| {
            span.outputs(json!({"answer": 42}));
            Ok::<_, std::io::Error>(())
        })
        .await?;
    tracer.enrich_session(Enrichment::new().metadata(json!({"a": 1})));
    tracer.shutdown(Duration::from_secs(1)).await?;
    assert_eq!(tracer.stats(), honeyhive::DeliveryStats::default());
    Ok(())
}

async fn ask(app: &Router) -> Outcome {
    let answer = app
        .clone()
        .oneshot(Request::get("/").body(Body::empty())?)
        .await?;
    let status = answer.status();
    let body = axum::body::to_bytes(answer.into_body(), 1_000).await?;
    eprintln!("{status}: {}", String::from_utf8_lossy(&body));
    Ok(())
}

fn no_guard() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    drop(tracer.span("work").start());
    Ok(())
}

fn guard_dropped_at_once() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _ = tracer.shutdown_guard();
    for _ in 0..3 {
        drop(tracer.span("work").start());
    }
    Ok(())
}

fn after_shutdown() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let session = tracer.create_session("chat");
    tracer.shutdown_blocking(Duration::from_secs(5))?;
    work(1);
    session.in_scope(|| work(2));
    session.metadata(json!({"late": true}));
    drop(session.span("late").start());
    tracer.create_session("another");
    requests_after_shutdown(&tracer)
}

#[tokio::main]
async fn requests_after_shutdown(tracer: &HoneyHiveTracer) -> Outcome {
    tracer.with_session("a batch", async |_| ()).await;
    tracer.with_session_blocking("a report", |_| ());
    tracer.try_with_session_blocking("an import", |_| Ok::<_, String>(()))?;
    let existing = NewSession::existing("trip-42").metadata(json!({"late": true}));
    tracer.with_session(existing, async |_| ()).await;
    let app = Router::new().route("/", get(async || "an answer"));
    ask(&app.layer(HoneyHiveLayer::new(tracer.clone()))).await
}

fn span_outlives_guard() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _span = tracer.span("whole program").start();
    let _guard = tracer.shutdown_guard();
    Ok(())
}

#[tokio::main]
async fn layer_before_routes() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    let app = Router::new()
        .layer(HoneyHiveLayer::new(tracer.clone()))
        .route(
            "/",
            get(async |session: CurrentSession| {
                session.metadata(json!({"plan": "pro"}));
                "an answer"
            }),
        );
    ask(&app).await
}

#[tokio::main]
async fn left_out_by_the_filter() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    let layer =
        HoneyHiveLayer::builder(tracer.clone()).filter(|request| request.method() == "POST");
    let app = Router::new()
        .route(
            "/",
            get(async |session: CurrentSession| {
                session.metadata(json!({"plan": "pro"}));
                "an answer"
            }),
        )
        .layer(layer.build()?);
    ask(&app).await
}

/// Serves routes without a layer around them.
#[tokio::main]
async fn no_layer() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    let app = Router::new().route("/", get(async || "an answer"));
    ask(&app).await?;
    eprintln!("accepted {}", tracer.stats().accepted);
    Ok(())
}

#[tracing::instrument(target = "shop")]
fn order(number: u32) {
    tracing::info!(target: "shop", "ordered");
}

/// Installs a subscriber without our layer; with `LAYER=on` it has one.
fn tracing_without_layer() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    let has_layer = std::env::var_os("LAYER").is_some();
    tracing_subscriber::registry()
        .with(has_layer.then(|| tracer.tracing_layer()))
        .init();
    order(7);
    eprintln!("is recorded: {}", tracer.stats().accepted > 0);
    Ok(())
}

#[tokio::main]
async fn two_layers() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    let another = HoneyHiveTracer::from_env()?;
    let _another_guard = another.shutdown_guard();
    let app = Router::new()
        .route("/", get(async || "an answer"))
        .layer(HoneyHiveLayer::new(tracer.clone()))
        .layer(HoneyHiveLayer::new(another.clone()));
    ask(&app).await
}

fn trace_with_two_tracers() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    let another = HoneyHiveTracer::from_env()?;
    let _another_guard = another.shutdown_guard();
    for number in 0..3 {
        work(number);
    }
    drop(honeyhive::span("by hand").start());
    Ok(())
}

fn trace_before_the_tracer() -> Outcome {
    (1..=3).for_each(work);
    drop(honeyhive::span("by hand").start());
    Ok(())
}

fn trace_after_the_tracer() -> Outcome {
    HoneyHiveTracer::from_env()?.shutdown_blocking(Duration::from_secs(1))?;
    work(1);
    Ok(())
}

fn wrong_event_type() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    for _ in 0..3 {
        drop(tracer.span("ask").event_type("llm").start());
    }
    Ok(())
}

fn wrong_event_type_in_an_attribute() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    let provider = tracer.provider().tracer("app");
    for _ in 0..3 {
        let kind = KeyValue::new("honeyhive_event_type", "llm");
        let builder = provider.span_builder("ask").with_attributes([kind]);
        drop(builder.start(&provider));
    }
    Ok(())
}

/// Sets the wrong type in a field of `tracing`, which our layer reads.
fn wrong_event_type_in_a_field() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .without_time();
    tracing_subscriber::registry()
        .with(tracer.tracing_layer())
        .with(lines.with_filter(Targets::new().with_target("honeyhive", LevelFilter::INFO)))
        .init();
    for _ in 0..3 {
        drop(tracing::info_span!("ask", honeyhive_event_type = "llm").entered());
    }
    Ok(())
}

fn inputs_are_text() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    for _ in 0..3 {
        drop(tracer.span("ask").inputs("what is 6 * 7?").start());
    }
    Ok(())
}

#[tokio::main]
async fn inputs_of_requests_are_text() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    let layer = HoneyHiveLayer::builder(tracer.clone()).inputs(|_| "a text");
    let app = Router::new().route("/", get(async || "an answer"));
    ask(&app.layer(layer.build()?)).await
}

#[tokio::main]
async fn spawn_without_session() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    let chat = tracer.create_session("chat");
    chat.scope(async { tokio::spawn(async { work(1) }).await })
        .await?;
    Ok(())
}

fn thread_without_session() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    let chat = tracer.create_session("chat");
    let thread = chat.in_scope(|| std::thread::spawn(|| work(1)));
    let _entered = chat.enter();
    thread.join().map_err(|_| "it panicked")?;
    Ok(())
}

fn enrich_outside() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    let chat = tracer.create_session("chat");
    let _entered = chat.enter();
    let thread = std::thread::spawn(move || {
        for _ in 0..3 {
            tracer.enrich_session(Enrichment::new().outputs(json!({"answer": 42})));
        }
    });
    thread.join().map_err(|_| "it panicked")?;
    Ok(())
}

fn session_start_in_a_server() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    for request in ["first", "second", "third"] {
        let tracer = tracer.clone();
        let thread = std::thread::spawn(move || drop(tracer.session_start(request)));
        thread.join().map_err(|_| "it panicked")?;
    }
    Ok(())
}

fn global_tracer() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    global::tracer("app").in_span("work", |_| ());
    Ok(())
}

fn many_tracers() -> Outcome {
    let tracers: Result<Vec<_>, _> = (0..1_000)
        .map(|_| HoneyHiveTracer::builder().test_mode(true).build())
        .collect();
    drop(tracers?);
    Ok(())
}

fn subscriber_after_the_refusal(subscribe: impl FnOnce()) -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    tracer.create_session("script");
    // The log lines about the refusal have no subscriber yet.
    let _ = tracer.force_flush_blocking(Duration::from_secs(30));
    subscribe();
    Ok(())
}

fn unknown_event() -> Outcome {
    let tracer = HoneyHiveTracer::from_env()?;
    let _guard = tracer.shutdown_guard();
    let unknown: EventId = "3f2504e0-4f89-41d3-9a0c-0305e82c3301".parse()?;
    tracer.enrich_event(unknown, Enrichment::new().feedback(json!({"rating": 5})));
    Ok(())
}
