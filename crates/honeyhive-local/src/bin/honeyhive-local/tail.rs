//! `tail` prints sessions as they come and end.

use std::collections::{HashMap, HashSet};

use http_body_util::BodyExt;
use serde_json::Value;

use crate::args::Tail;
use crate::client::{Client, encoded};
use crate::failure::Failure;
use crate::out;

/// A request asks for at most this many sessions.
const AT_ONCE: usize = 100;

/// Runs `tail` until the server or the reader has gone.
pub(crate) async fn tail(args: &Tail) -> Result<(), Failure> {
    let client = Client::of_server(&args.ask.source).await?;
    let mut stream = client.open("/api/stream").await?;
    let mut printed = Printed {
        json: args.ask.json,
        ..Printed::default()
    };
    if args.lines > 0 {
        let listed = client
            .json(&format!("/api/sessions?limit={}", args.lines))
            .await?;
        printed.rows(&listed.unwrap_or_default());
    }
    let mut text = String::new();
    while let Some(frame) = stream.frame().await {
        let frame =
            frame.map_err(|error| Failure::Unreachable(format!("the server has gone: {error}")))?;
        text.push_str(&String::from_utf8_lossy(
            frame.data_ref().map_or(&[][..], |data| data),
        ));
        while let Some((message, rest)) = text.split_once("\n\n") {
            let ids = changed(message);
            text = rest.to_owned();
            for some in ids.chunks(AT_ONCE) {
                let ids: Vec<String> = some
                    .iter()
                    .map(|id| format!("id={}", encoded(id)))
                    .collect();
                let listed = client
                    .json(&format!("/api/sessions?limit={AT_ONCE}&{}", ids.join("&")))
                    .await?;
                printed.rows(&listed.unwrap_or_default());
            }
        }
    }
    Err(Failure::Unreachable("the server has ended".to_owned()))
}

/// Returns the sessions that a message is about.
fn changed(message: &str) -> Vec<String> {
    let data = message.lines().find_map(|line| line.strip_prefix("data: "));
    let told: Value = data
        .and_then(|data| serde_json::from_str(data).ok())
        .unwrap_or_default();
    let changes = told["changes"].as_array().into_iter().flatten();
    let about = changes.filter(|change| change["kind"] == "session" || change["kind"] == "event");
    let ids: HashSet<&str> = about.filter_map(|change| change["id"].as_str()).collect();
    ids.into_iter().map(str::to_owned).collect()
}

/// `Printed` has the last line of each session, so that nothing is printed twice.
#[derive(Default)]
struct Printed {
    json: bool,
    said: HashMap<String, String>,
}

impl Printed {
    /// Prints rows, oldest first: a session when it is new, and when its end has changed.
    fn rows(&mut self, listed: &Value) {
        for row in listed["sessions"].as_array().into_iter().flatten().rev() {
            let id = row["session_id"].as_str().unwrap_or_default().to_owned();
            let state = format!("{} {}", out::outcome(row), row["duration"]);
            if self.said.insert(id, state.clone()) != Some(state) {
                if self.json {
                    out::json(row)
                } else {
                    out::say(&out::session_line(row))
                }
            }
        }
    }
}
