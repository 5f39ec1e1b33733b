//! The layer makes the sessions of the function, links them, ends them and delivers them.

use honeyhive::{Session, json};
use honeyhive_tower::{LambdaHandler, LambdaLayer};
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};

use crate::function::{Answer, Event, process_event};
use crate::tracer;

pub(crate) async fn run() -> Result<(), Error> {
    let runtime = Runtime::new(LambdaHandler::new(service_fn(handler)));
    match tracer() {
        Some(tracer) => {
            let layer = LambdaLayer::new(tracer.clone());
            runtime.layer(layer).run().await
        }
        None => runtime.run().await,
    }
}

async fn handler(event: LambdaEvent<Event>) -> Result<Answer, Error> {
    let result = process_event(&event.payload).await?;
    let session = Session::current();
    if let Some(session) = &session {
        session.outputs(json!({"result": result}));
    }
    Ok(Answer {
        session_id: session.map(|session| session.id()),
        result,
    })
}
