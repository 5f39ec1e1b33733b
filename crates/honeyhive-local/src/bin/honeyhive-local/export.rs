//! `export` prints sessions with their events as JSON lines, or as a dataset.

use http::Method;
use serde_json::{Value, json};

use crate::args::Export;
use crate::ask::Pages;
use crate::client::{Client, encoded};
use crate::failure::Failure;
use crate::out;

/// These fields describe the request of a session, and not its content.
const TRANSPORT: [&str; 5] = ["method", "path", "user_id", "status_code", "url"];

/// Runs `export`: prints a line per session, the oldest first, so that `import` makes the same order.
pub(crate) async fn export(args: &Export) -> Result<(), Failure> {
    let client = Client::of(&args.ask.source).await?;
    let ids = newest_first(&client, args).await?;
    if ids.is_empty() {
        return Err(Failure::NotFound("no session fits".to_owned()));
    }
    let oldest_first = ids.iter().rev();
    match &args.as_dataset {
        None => whole(&client, oldest_first).await,
        Some(dataset) => {
            let dataset = dataset.as_deref();
            as_dataset(&client, oldest_first, dataset, args.ask.json).await
        }
    }
}

/// Returns the ids of the sessions to export, the newest first. The ids alone are kept: the list is the other way
/// round, and a session may be large.
async fn newest_first(client: &Client, args: &Export) -> Result<Vec<String>, Failure> {
    let limit = args.limit.unwrap_or(usize::MAX);
    let mut pages = Pages::new(client, &args.which, limit);
    let mut ids = Vec::new();
    while let Some(rows) = pages.next().await? {
        let page = rows.iter().filter_map(|row| row["session_id"].as_str());
        ids.extend(page.map(str::to_owned));
    }
    Ok(ids)
}

/// Returns the session of an id with its events; `None` where the server has forgotten it meanwhile.
async fn found(client: &Client, id: &str) -> Result<Option<Value>, Failure> {
    client.json(&format!("/api/sessions/{}", encoded(id))).await
}

async fn whole(client: &Client, ids: impl Iterator<Item = &String>) -> Result<(), Failure> {
    for id in ids {
        if let Some(found) = found(client, id).await? {
            out::json(&json!({ "session": found["session"], "events": found["events"] }));
        }
    }
    Ok(())
}

/// Prints datapoints, or keeps them in a dataset of this name.
async fn as_dataset(
    client: &Client,
    ids: impl Iterator<Item = &String>,
    name: Option<&str>,
    as_json: bool,
) -> Result<(), Failure> {
    let dataset = match name {
        Some(name) => Some(Dataset::make(client, name).await?),
        None => None,
    };
    let (mut kept, mut left_out) = (0, 0);
    for id in ids {
        let found = found(client, id).await?.unwrap_or_default();
        let Some(datapoint) = datapoint(&found["session"]) else {
            left_out += 1;
            continue;
        };
        kept += 1;
        match &dataset {
            Some(dataset) => dataset.keep(&datapoint).await?,
            None => out::json(&datapoint),
        }
    }
    if left_out > 0 {
        let left_out = out::counted(left_out, "session");
        out::complain(&format!("left out without inputs: {left_out}"));
    }
    if let Some(dataset) = dataset {
        dataset.tell(kept, as_json);
    }
    Ok(())
}

/// Returns the session's inputs as asked, and as its ground truth the feedback's, else the outputs. A session without inputs
/// has no datapoint.
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

/// `Dataset` is a dataset in the server.
struct Dataset<'a> {
    client: &'a Client,
    name: &'a str,
    id: String,
}

impl<'a> Dataset<'a> {
    async fn make(client: &'a Client, name: &'a str) -> Result<Self, Failure> {
        let made = client
            .send(Method::POST, "/v1/datasets", &json!({ "name": name }))
            .await?;
        let id = made["result"]["insertedId"].as_str().unwrap_or_default();
        Ok(Self {
            client,
            name,
            id: id.to_owned(),
        })
    }

    async fn keep(&self, datapoint: &Value) -> Result<(), Failure> {
        // The API takes objects only.
        let ground_truth = match &datapoint["ground_truth"] {
            allowed @ (Value::Null | Value::Object(_)) => allowed.clone(),
            other => json!({ "ground_truth": other }),
        };
        let body = json!({
            "inputs": datapoint["inputs"],
            "ground_truth": ground_truth,
            "metadata": { "session_id": datapoint["id"] },
            "linked_datasets": [self.id],
        });
        let sent = self.client.send(Method::POST, "/v1/datapoints", &body);
        sent.await.map(drop)
    }

    fn tell(&self, datapoints: u64, as_json: bool) {
        let Self { client, name, id } = self;
        if as_json {
            out::json(&json!({ "dataset_id": id, "name": name, "datapoints": datapoints }));
            return;
        }
        out::say(&format!(
            "dataset {id} has {}: {}/datasets/{}",
            out::counted(datapoints, "datapoint"),
            client.url(),
            encoded(id)
        ));
    }
}

fn is_empty(object: &Value) -> bool {
    object.as_object().is_none_or(serde_json::Map::is_empty)
}

/// Returns a bucket without the fields that only describe the request.
fn content(bucket: &Value) -> Value {
    let fields = bucket.as_object().into_iter().flatten();
    let told = fields.filter(|(key, _)| !TRANSPORT.contains(&key.as_str()));
    told.map(|(key, value)| (key.clone(), value.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
