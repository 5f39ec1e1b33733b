//! A machine without Lambda runs a HoneyHive, a runtime API, the function as a process of its own, and a few events.

use std::io::{self, Write};
use std::path::Path;

use honeyhive_local::LocalServer;
use lambda_runtime::Error;
use serde_json::{Value, json};
use tokio::process::Child;

use crate::Way;
use crate::runtime_api::{Outcome, RuntimeApi};

/// Runs `program` as a function of this machine, lets it handle a conversation of two turns and an event that fails,
/// and writes answers and recordings to `out`.
///
/// # Errors
///
/// Where something cannot be started, or the function ends by itself.
pub async fn run(program: &Path, way: Way, out: &mut impl Write) -> Result<(), Error> {
    let honeyhive = LocalServer::builder().start().await?;
    let api = RuntimeApi::start().await?;
    let mut function = api
        .function(program)
        .env("_HANDLER", way.name())
        .env("HH_API_URL", honeyhive.url())
        .env("HH_API_KEY", "local")
        .spawn()?;
    let ended = tokio::select! {
        told = converse(&api, out) => told.map_err(Into::into),
        early = ended(&mut function) => Err(early),
    };
    function.kill().await?;
    ended?;
    show(&honeyhive, out)?;
    Ok(())
}

async fn ended(function: &mut Child) -> Error {
    match function.wait().await {
        Ok(status) => format!("the function ended by itself, with {status}").into(),
        Err(error) => error.into(),
    }
}

async fn converse(api: &RuntimeApi, out: &mut impl Write) -> io::Result<()> {
    let first = turn(api, json!({"message": "I like tea"}), out).await?;
    let session_id = &first["session_id"];
    let more = json!({"message": "and a piece of cake", "session_id": session_id});
    turn(api, more, out).await?;
    turn(api, json!({"message": " "}), out).await?;
    // The function has delivered everything once it asks for more.
    api.idle().await;
    Ok(())
}

async fn turn(api: &RuntimeApi, event: Value, out: &mut impl Write) -> io::Result<Value> {
    writeln!(out, "event  {event}")?;
    let answer = match api.invoke(event.to_string()).await {
        Outcome::Response(answer) => {
            writeln!(out, "answer {answer}\n")?;
            answer
        }
        Outcome::Error(error) => {
            writeln!(out, "error  {error}\n")?;
            error
        }
    };
    Ok(answer)
}

/// Writes the sessions as HoneyHive has them.
fn show(honeyhive: &LocalServer, out: &mut impl Write) -> io::Result<()> {
    for session in honeyhive.sessions() {
        write!(out, "{}", honeyhive.tree(&session.session_id))?;
        for (bucket, object) in [
            ("inputs", &session.inputs),
            ("outputs", &session.outputs),
            ("metadata", &session.metadata),
        ] {
            writeln!(out, "  {bucket} {}", Value::from(object.clone()))?;
        }
        writeln!(out)?;
    }
    Ok(())
}
