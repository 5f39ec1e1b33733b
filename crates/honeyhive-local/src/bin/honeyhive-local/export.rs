//! Sessions with their events as JSON lines, or as a dataset.

use http::Method;
use serde_json::{Value, json};

use crate::args::Export;
use crate::ask::sessions;
use crate::client::{Client, encoded};
use crate::failure::Failure;
use crate::out;

/// Fields that describe the request of a session and not what was asked.
const TRANSPORT: [&str; 5] = ["method", "path", "user_id", "status_code", "url"];

/// `export`: a session a line, the oldest first, so that `import` makes the same order.
pub(crate) async fn export(args: &Export) -> Result<(), Failure> {
    let client = Client::of(&args.ask.source).await?;
    let rows = sessions(&client, &args.which).await?;
    if rows.is_empty() {
        return Err(Failure::NotFound("no session fits".to_owned()));
    }
    let mut whole = Vec::new();
    for row in rows.iter().rev() {
        let id = row["session_id"].as_str().unwrap_or_default();
        let Some(mut session) = client
            .json(&format!("/api/sessions/{}", encoded(id)))
            .await?
        else {
            continue;
        };
        if args.as_dataset.is_some() {
            whole.push(session["session"].take());
        } else {
            out::json(&json!({ "session": session["session"], "events": session["events"] }));
        }
    }
    match &args.as_dataset {
        Some(name) => dataset(&client, name, &whole, args.ask.json).await,
        None => Ok(()),
    }
}

/// Inputs as they were asked, outputs as what is true.
async fn dataset(
    client: &Client,
    name: &str,
    sessions: &[Value],
    as_json: bool,
) -> Result<(), Failure> {
    let made = client
        .send(Method::POST, "/v1/datasets", &json!({ "name": name }))
        .await?;
    let id = made["result"]["insertedId"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    for session in sessions {
        let datapoint = json!({
            "inputs": content(&session["inputs"]),
            "ground_truth": content(&session["outputs"]),
            "metadata": { "session_id": session["session_id"] },
            "linked_datasets": [id],
        });
        client
            .send(Method::POST, "/v1/datapoints", &datapoint)
            .await?;
    }
    let count = sessions.len();
    if as_json {
        out::json(&json!({ "dataset_id": id, "name": name, "datapoints": count }));
    } else {
        out::say(&format!(
            "dataset {id} has {count} datapoints: {}/datasets/{}",
            client.url(),
            encoded(&id)
        ));
    }
    Ok(())
}

fn content(bucket: &Value) -> Value {
    let fields = bucket.as_object().into_iter().flatten();
    let told = fields.filter(|(key, _)| !TRANSPORT.contains(&key.as_str()));
    told.map(|(key, value)| (key.clone(), value.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
