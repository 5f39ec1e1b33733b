//! The function with the layer: it makes the sessions, links them, ends them and delivers them.

use honeyhive::{Enrichment, Session};
use honeyhive_tower::{LambdaHandler, LambdaLayer};
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::json;

use crate::function::{Answer, Event, process_event};
use crate::tracer;

pub(crate) async fn run() -> Result<(), Error> {
    let tracer = tracer()?.clone();
    Runtime::new(LambdaHandler::new(service_fn(handler)))
        .layer(LambdaLayer::new(tracer))
        .run()
        .await
}

async fn handler(event: LambdaEvent<Event>) -> Result<Answer, Error> {
    let session = Session::current().ok_or("the layer is missing")?;
    let result = process_event(tracer()?, &event.payload).await?;
    session.enrich(Enrichment::new().outputs(json!({"result": result})));
    Ok(Answer {
        session_id: session.id(),
        result,
    })
}
