//! `clear` forgets everything.

use http::Method;
use serde_json::{Value, json};

use crate::args::Clear;
use crate::client::Client;
use crate::failure::Failure;
use crate::out;

/// Runs `clear`, once it is confirmed.
pub(crate) async fn clear(args: &Clear) -> Result<(), Failure> {
    if !args.yes {
        return Err(Failure::Misused(
            "this forgets all sessions, datasets and runs: say --yes if you mean it".to_owned(),
        ));
    }
    let client = Client::of(&args.ask.source).await?;
    client.send(Method::DELETE, "/api", &Value::Null).await?;
    if args.ask.json {
        out::json(&json!({ "cleared": true }));
    } else {
        out::say("everything is forgotten");
    }
    Ok(())
}
