//! The function without the layer: what it does, written out. Here the answer waits for the flush, since a
//! handler has nothing after its return.

use std::time::Duration;

use honeyhive::{Enrichment, HoneyHiveTracer, NewSession, Session};
use lambda_runtime::{Context, Error, LambdaEvent, Runtime, service_fn};
use serde_json::json;

use crate::function::{Answer, Event, process_event};
use crate::tracer;

const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) async fn run() -> Result<(), Error> {
    Runtime::new(service_fn(handler)).run().await
}

async fn handler(event: LambdaEvent<Event>) -> Result<Answer, Error> {
    let tracer = tracer()?;
    let (event, context) = event.into_parts();
    let session = begin(tracer, &event, &context);

    let result = session.scope(process_event(tracer, &event)).await;

    let about = Enrichment::new().metadata(json!({"request_id": context.request_id}));
    session.enrich(match &result {
        Ok(result) => about.outputs(json!({"result": result})),
        Err(error) => about.error(error.to_string()),
    });
    if let Err(error) = tracer.force_flush(FLUSH_TIMEOUT).await {
        tracing::warn!("before the return: {error}");
    }
    Ok(Answer {
        session_id: session.id(),
        result: result?,
    })
}

fn begin(tracer: &HoneyHiveTracer, event: &Event, context: &Context) -> Session {
    match &event.session_id {
        // Whoever calls the function is trusted with the ids of its sessions. No API call.
        Some(id) => tracer.create_session(NewSession::existing(id.as_str())),
        None => tracer.create_session(
            NewSession::named(&context.env_config.function_name).inputs(json!({"event": event})),
        ),
    }
}
