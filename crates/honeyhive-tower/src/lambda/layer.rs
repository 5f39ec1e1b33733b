//! [`LambdaLayer`] makes every invocation a session.

use honeyhive::HoneyHiveTracer;
use honeyhive::lambda::LambdaInstrumentation;
use tower_layer::Layer;

use super::LambdaService;

/// The layer makes every invocation of a Lambda function a HoneyHive session, and delivers it before the environment
/// may be frozen (feature `lambda`).
///
/// ```no_run
/// use honeyhive::{HoneyHiveTracer, Session};
/// use honeyhive_tower::{LambdaHandler, LambdaLayer};
/// use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
/// use serde_json::{Value, json};
///
/// async fn handler(event: LambdaEvent<Value>) -> Result<Value, Error> {
///     let answer = process(&event.payload).await; // a span of the session
///     // The next event goes on in this session if it has its id.
///     Ok(json!({"answer": answer, "session_id": Session::current().map(|session| session.id())}))
/// }
///
/// #[honeyhive::trace(event_type = "tool")]
/// async fn process(event: &Value) -> String {
///     format!("you said {}", event["message"])
/// }
///
/// #[tokio::main]
/// async fn main() -> Result<(), Error> {
///     let tracer = HoneyHiveTracer::builder().source("lambda").build()?; // HH_API_KEY
///     Runtime::new(LambdaHandler::new(service_fn(handler)))
///         .layer(LambdaLayer::new(tracer))
///         .run()
///         .await
/// }
/// ```
///
/// The module [`honeyhive::lambda`] documents the recordings, and the choice of the session.
///
/// # The end of an invocation
///
/// The layer is around everything that the runtime does with an event. Once the answer has been posted to Lambda, the
/// session ends and everything is delivered; only then is the next event asked for. So no caller waits for HoneyHive,
/// but the environment does:
///
/// * 5 s at the most ([`flush_timeout`](honeyhive::lambda::LambdaInstrumentationBuilder::flush_timeout)), never longer
///   than until 250 ms before the invocation's deadline, and not at all where less is left;
/// * undelivered items go with the next invocation, if this environment gets one;
/// * while HoneyHive cannot be reached, only every tenth invocation holds its environment that long; the others take
///   200 ms at the most.
///
/// # Errors and panics of the handler
///
/// The runtime turns both into an answer below every layer, so this one cannot see them:
///
/// * with `Runtime::new(service_fn(handler))` the session's outcome is `answered`, whatever the answer was, and only
///   the spans of `#[honeyhive::trace]` record an error or a panic;
/// * with [`LambdaHandler`](crate::LambdaHandler) around the handler, as above, the session's outcome is `complete`,
///   `error` or `panicked`;
/// * an event that the runtime answers by itself, because its payload does not fit the handler, is then an `error`,
///   too; its cause is only in the runtime's log.
///
/// # Streamed answers
///
/// The runtime polls the stream of a streamed answer in a task of its own, where the session is not current:
/// carry it there with [`Session::spawn`](honeyhive::Session::spawn) or
/// [`Session::scope`](honeyhive::Session::scope). The session ends when Lambda has taken the answer.
///
/// # Functions behind HTTP
///
/// Such a function (`lambda_http`) has a request and a response: put [`HoneyHiveLayer`](crate::HoneyHiveLayer)
/// around its routes, and leave only the delivery to this layer, around `Runtime::new(lambda_http::Adapter::from(routes))`:
///
/// ```
/// use honeyhive::HoneyHiveTracer;
/// use honeyhive::lambda::LambdaInstrumentation;
/// use honeyhive_tower::LambdaLayer;
///
/// # let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
/// let layer = LambdaLayer::from(
///     LambdaInstrumentation::builder(tracer)
///         .begin_session(false)
///         .build(),
/// );
/// # drop(layer);
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
#[derive(Debug, Clone)]
pub struct LambdaLayer {
    instrumentation: LambdaInstrumentation,
}

impl LambdaLayer {
    /// Returns a layer with the default settings.
    #[must_use]
    pub fn new(tracer: HoneyHiveTracer) -> Self {
        LambdaInstrumentation::new(tracer).into()
    }
}

impl From<LambdaInstrumentation> for LambdaLayer {
    fn from(instrumentation: LambdaInstrumentation) -> Self {
        Self { instrumentation }
    }
}

impl<S> Layer<S> for LambdaLayer {
    type Service = LambdaService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        LambdaService {
            inner,
            instrumentation: self.instrumentation.clone(),
        }
    }
}
