//! The function without the layer does the layer's work itself. Here the answer waits for the flush, since a handler
//! has nothing after its return.

use std::time::{Duration, SystemTime};

use honeyhive::{HoneyHiveTracer, NewSession, Session, json};
use lambda_runtime::{Context, Error, LambdaEvent, Runtime, service_fn};

use crate::function::{Answer, Event, process_event};
use crate::tracer;

/// The flush takes at most this long.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// This part of the invocation's time stays for its answer.
const MARGIN: Duration = Duration::from_millis(250);

pub(crate) async fn run() -> Result<(), Error> {
    Runtime::new(service_fn(handler)).run().await
}

async fn handler(event: LambdaEvent<Event>) -> Result<Answer, Error> {
    let (event, context) = event.into_parts();
    match tracer() {
        Some(tracer) => in_a_session(tracer, &event, &context).await,
        None => Ok(Answer {
            session_id: None,
            result: process_event(&event).await?,
        }),
    }
}

async fn in_a_session(
    tracer: &HoneyHiveTracer,
    event: &Event,
    context: &Context,
) -> Result<Answer, Error> {
    let session = begin(tracer, event, context);

    let result = session.scope(process_event(event)).await;

    session.metadata(json!({"request_id": context.request_id}));
    match &result {
        Ok(result) => session.outputs(json!({"result": result})),
        Err(error) => session.fail(error),
    }
    flush(tracer, context.deadline()).await;
    Ok(Answer {
        session_id: Some(session.id()),
        result: result?,
    })
}

async fn flush(tracer: &HoneyHiveTracer, deadline: SystemTime) {
    let left = deadline.duration_since(SystemTime::now());
    let timeout = time_to_flush(left.unwrap_or_default());
    if let Err(error) = tracer.force_flush(timeout).await {
        tracing::warn!("before the return: {error}");
    }
}

/// Returns the time for the flush: a longer one would make a timeout of a finished answer.
fn time_to_flush(left: Duration) -> Duration {
    FLUSH_TIMEOUT.min(left.saturating_sub(MARGIN))
}

fn begin(tracer: &HoneyHiveTracer, event: &Event, context: &Context) -> Session {
    match &event.session_id {
        // The caller of the function is trusted with the ids of its sessions. This makes no API call.
        Some(id) => tracer.create_session(NewSession::existing(id.as_str())),
        None => tracer.create_session(
            NewSession::named(&context.env_config.function_name).inputs(json!({"event": event})),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_ends_before_the_invocation_does() {
        let with_left = |milliseconds| time_to_flush(Duration::from_millis(milliseconds));
        assert_eq!(with_left(60_000), FLUSH_TIMEOUT);
        assert_eq!(with_left(3_250), Duration::from_secs(3));
        assert_eq!(with_left(250), Duration::ZERO);
        assert_eq!(with_left(0), Duration::ZERO);
    }
}
