//! Runs of experiments are made and ended, and some things are read for them.

use std::collections::BTreeMap;

use honeyhive_local::{LocalServer, RecordedRequest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::meaning::{Meaning, Object};

/// A `Run` has the body that made it, and the last one that changed it. Sessions are named by their datapoints.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) made: Object,
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub(crate) ended: Object,
}

const RUNS: &str = "/v1/runs";

/// Returns the runs that a server has taken, in their order.
pub(crate) fn runs(server: &LocalServer) -> Vec<Run> {
    let mut runs: Vec<(Value, Run)> = Vec::new();
    let datapoints = datapoints(server);
    for request in server.requests() {
        let is_taken = request.status.is_some_and(|status| status < 400);
        let Some(Value::Object(mut body)) = request.json.filter(|_| is_taken) else {
            continue;
        };
        if let Some(Value::Array(sessions)) = body.get_mut("event_ids") {
            for session in sessions {
                *session = json!(datapoints.get(session.as_str().unwrap_or_default()));
            }
        }
        match (request.method.as_str(), request.path.strip_prefix(RUNS)) {
            ("POST", Some("")) => {
                let id = body.remove("run_id").unwrap_or_default();
                runs.push((
                    id,
                    Run {
                        made: plain(body),
                        ended: Object::new(),
                    },
                ));
            }
            ("PUT", Some(id)) => {
                let is_it = |(run, _): &&mut (Value, Run)| run.as_str() == id.strip_prefix('/');
                let (_, run) = runs.iter_mut().find(is_it).expect("a run that was made");
                run.ended = plain(body);
            }
            _ => {}
        }
    }
    runs.into_iter().map(|(_, run)| run).collect()
}

fn datapoints(server: &LocalServer) -> BTreeMap<String, Value> {
    let sessions = server.sessions().into_iter();
    let of = |session: honeyhive_local::LocalSession| {
        let datapoint = json!(session.metadata.get("datapoint_id"));
        (session.session_id, datapoint)
    };
    sessions.map(of).collect()
}

fn plain(mut body: Object) -> Object {
    if let Some(name) = body.get_mut("name") {
        *name = json!(nameless(name.as_str().unwrap_or_default()));
    }
    if let Some(commit) = body
        .get_mut("metadata")
        .and_then(|it| it.pointer_mut("/git/commit"))
    {
        *commit = json!("<40 hex>");
    }
    body
}

/// Returns a placeholder for a name that is made of the run's id, and any other name as it is.
pub(crate) fn nameless(name: &str) -> &str {
    let is_hex = |id: &str| id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if name.strip_prefix("experiment-").is_some_and(is_hex) {
        "experiment-<8 hex>"
    } else {
        name
    }
}

/// Returns the calls that only read, in their order.
pub(crate) fn reads(server: &LocalServer) -> Vec<String> {
    let requests = server.requests().into_iter();
    let reads = requests.filter(|request| request.method == "GET");
    reads.map(|request| read(&request)).collect()
}

fn read(request: &RecordedRequest) -> String {
    let parts = request.path.split('/');
    let is_uuid = |part: &str| part.parse::<honeyhive::SessionId>().is_ok();
    let parts = parts.map(|part| if is_uuid(part) { "<uuid>" } else { part });
    let path = parts.collect::<Vec<_>>().join("/");
    let query = request.query.as_ref().map(|query| format!("?{query}"));
    format!("GET {path}{}", query.unwrap_or_default())
}

impl Meaning {
    /// Renames ids where HoneyHive has made up other ones, as it does for what it stores.
    pub(crate) fn rename(&mut self, ids: &[(&str, &str)]) {
        let text = json!(self).to_string();
        let renamed = ids
            .iter()
            .fold(text, |text, (from, to)| text.replace(from, to));
        *self = serde_json::from_str(&renamed).expect("what it was");
    }
}
