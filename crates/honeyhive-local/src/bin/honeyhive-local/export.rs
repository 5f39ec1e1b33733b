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
    let mut datapoints = Vec::new();
    for row in rows.iter().rev() {
        let id = row["session_id"].as_str().unwrap_or_default();
        let path = format!("/api/sessions/{}", encoded(id));
        let Some(whole) = client.json(&path).await? else {
            continue;
        };
        match args.as_dataset {
            Some(_) => datapoints.extend(datapoint(&whole["session"])),
            None => out::json(&json!({ "session": whole["session"], "events": whole["events"] })),
        }
    }
    let Some(dataset) = &args.as_dataset else {
        return Ok(());
    };
    if datapoints.len() < rows.len() {
        let left_out = out::counted((rows.len() - datapoints.len()) as u64, "session");
        out::complain(&format!("left out without inputs: {left_out}"));
    }
    if let Some(name) = dataset {
        return keep(&client, name, &datapoints, args.ask.json).await;
    }
    datapoints.iter().for_each(out::json);
    Ok(())
}

/// Inputs as they were asked; as the truth what feedback says, else the outputs. None of a session without inputs.
fn datapoint(session: &Value) -> Option<Value> {
    let inputs = content(&session["inputs"]);
    let mut datapoint = json!({ "id": session["session_id"], "inputs": inputs });
    let told = &session["feedback"]["ground_truth"];
    let outputs = content(&session["outputs"]);
    if !told.is_null() {
        datapoint["ground_truth"] = told.clone();
    } else if !is_empty(&outputs) {
        datapoint["ground_truth"] = outputs;
    }
    (!is_empty(&inputs)).then_some(datapoint)
}

/// Makes a dataset of datapoints in the server.
async fn keep(
    client: &Client,
    name: &str,
    datapoints: &[Value],
    as_json: bool,
) -> Result<(), Failure> {
    let made = client
        .send(Method::POST, "/v1/datasets", &json!({ "name": name }))
        .await?;
    let id = made["result"]["insertedId"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    for datapoint in datapoints {
        let truth = &datapoint["ground_truth"];
        // The API takes objects only.
        let truth = match truth {
            Value::Null | Value::Object(_) => truth.clone(),
            other => json!({ "ground_truth": other }),
        };
        let body = json!({
            "inputs": datapoint["inputs"],
            "ground_truth": truth,
            "metadata": { "session_id": datapoint["id"] },
            "linked_datasets": [id],
        });
        client.send(Method::POST, "/v1/datapoints", &body).await?;
    }
    let count = datapoints.len();
    if as_json {
        out::json(&json!({ "dataset_id": id, "name": name, "datapoints": count }));
    } else {
        out::say(&format!(
            "dataset {id} has {}: {}/datasets/{}",
            out::counted(count as u64, "datapoint"),
            client.url(),
            encoded(&id)
        ));
    }
    Ok(())
}

fn is_empty(object: &Value) -> bool {
    object.as_object().is_none_or(serde_json::Map::is_empty)
}

/// A bucket without what only describes the request.
fn content(bucket: &Value) -> Value {
    let fields = bucket.as_object().into_iter().flatten();
    let told = fields.filter(|(key, _)| !TRANSPORT.contains(&key.as_str()));
    told.map(|(key, value)| (key.clone(), value.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
