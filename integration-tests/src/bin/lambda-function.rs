//! The Lambda function of `tests/adapter_tower/lambda.rs` is a process of its own, since the runtime takes its settings
//! from the environment. The event says what it does, and `FUNCTION_SETTINGS` how it is set up.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use honeyhive::lambda::{LambdaInstrumentation, SessionTrust};
use honeyhive::{HoneyHiveTracer, Session};
use honeyhive_tower::{HoneyHiveLayer, LambdaHandler, LambdaLayer};
use http::Response;
use http_body_util::Full;
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::{Value, json};
use tower::Layer;

/// Only the deadline ends a flush with such a timeout.
const PATIENT: Duration = Duration::from_secs(3_600);

#[tokio::main]
async fn main() -> Result<(), Error> {
    let settings = std::env::var("FUNCTION_SETTINGS").unwrap_or_default();
    let has = |name| settings.split(',').any(|setting| setting == name);
    // Nothing is sent before its session has ended, unless a flush asks for it.
    let tracer = HoneyHiveTracer::builder()
        .coalesce_window(PATIENT)
        .api_timeout(Duration::from_millis(300))
        .build()?;
    HoneyHiveTracer::set_default(tracer.clone());
    let trust = if has("trust-never") {
        SessionTrust::Never
    } else {
        SessionTrust::default()
    };
    let instrumentation = LambdaInstrumentation::builder(tracer.clone())
        .capture_event(!has("no-capture"))
        .begin_session(!has("flush-only"))
        .session_trust(trust)
        .flush_timeout(if has("no-flush") {
            Duration::ZERO
        } else {
            PATIENT
        })
        .build();
    let layer = LambdaLayer::from(instrumentation);
    if has("http") {
        let routes = HoneyHiveLayer::new(tracer).layer(service_fn(answer));
        return lambda_http::runtime(routes).layer(layer).run().await;
    }
    if has("bare") {
        Runtime::new(service_fn(handler)).layer(layer).run().await
    } else if has("twice") {
        let handler = LambdaHandler::new(LambdaHandler::new(service_fn(handler)));
        let runtime = Runtime::new(handler).layer(layer.clone());
        runtime.layer(layer).run().await
    } else {
        let handler = LambdaHandler::new(service_fn(handler));
        Runtime::new(handler).layer(layer).run().await
    }
}

async fn handler(event: LambdaEvent<Value>) -> Result<Value, Error> {
    match event.payload["do"].as_str() {
        Some("fail") => Err("the model is down".into()),
        Some("panic") => panic!("the handler gave up"),
        _ => Ok(work().await),
    }
}

async fn answer(_: lambda_http::Request) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(work().await.to_string().into()))
}

#[honeyhive::trace(event_type = "tool")]
async fn work() -> Value {
    // The yield makes the rest another poll.
    tokio::task::yield_now().await;
    json!({ "session_id": Session::current().map(|session| session.id()) })
}
