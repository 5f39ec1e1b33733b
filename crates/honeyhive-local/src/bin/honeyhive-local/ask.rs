//! `show` and `search` find sessions and events.

use serde_json::Value;

use crate::args::{Search, Show, Which};
use crate::client::{Client, encoded};
use crate::failure::Failure;
use crate::out;

/// A list has at most this many rows at a time.
const PAGE: usize = 200;

/// Runs `search`: prints the sessions that fit, a line each.
pub(crate) async fn search(args: &Search) -> Result<(), Failure> {
    let client = Client::of(&args.ask.source).await?;
    let mut pages = Pages::new(&client, &args.which, args.limit);
    let mut shown = 0;
    while let Some(rows) = pages.next().await? {
        shown += rows.len() as u64;
        for row in &rows {
            if args.ask.json {
                out::json(row)
            } else {
                out::say(&out::session_line(row))
            }
        }
    }
    if shown == 0 {
        return Err(Failure::NotFound("no session fits".to_owned()));
    }
    if shown < pages.total {
        let fit = out::counted(pages.total, "session");
        out::complain(&format!(
            "shown: the newest {shown} of {fit}; --limit shows more"
        ));
    }
    Ok(())
}

/// Runs `show`: prints a session as a tree, or an event whole.
pub(crate) async fn show(args: &Show) -> Result<(), Failure> {
    let client = Client::of(&args.ask.source).await?;
    let Some(id) = session_id(&client, &args.id).await? else {
        return event(&client, args).await;
    };
    let path = format!("/api/sessions/{}", encoded(&id));
    if args.md {
        let text = client
            .get(&format!("{path}/markdown"))
            .await?
            .unwrap_or_default();
        out::say(String::from_utf8_lossy(&text).trim_end());
    } else if args.ask.json {
        let whole = client.json(&path).await?;
        out::json(&whole.unwrap_or_default());
    } else {
        let tree = client
            .json(&format!("{path}/tree"))
            .await?
            .unwrap_or_default();
        out::say(&tree_text(&tree));
    }
    Ok(())
}

async fn event(client: &Client, args: &Show) -> Result<(), Failure> {
    let found = client
        .json(&format!("/api/events/{}", encoded(&args.id)))
        .await?;
    let Some(found) = found else {
        let id = &args.id;
        return Err(Failure::NotFound(format!(
            "no session and no event has the id {id}"
        )));
    };
    if args.ask.json {
        out::json(&found["event"]);
    } else {
        out::say(&serde_json::to_string_pretty(&found["event"]).unwrap_or_default());
    }
    Ok(())
}

/// Returns the session of an id, or the only one whose id begins so.
async fn session_id(client: &Client, id: &str) -> Result<Option<String>, Failure> {
    let listed = client
        .json(&format!("/api/sessions?id={}", encoded(id)))
        .await?;
    if let Some(found) = ids(listed.as_ref()).next() {
        return Ok(Some(found.to_owned()));
    }
    let listed = client
        .json(&format!(
            "/api/sessions?limit={PAGE}&begins={}",
            encoded(id)
        ))
        .await?;
    let begun: Vec<&str> = ids(listed.as_ref()).collect();
    match begun.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some((*only).to_owned())),
        several => Err(Failure::Failed(format!(
            "{} sessions begin with {id}: {}",
            several.len(),
            several.join(", ")
        ))),
    }
}

fn ids(listed: Option<&Value>) -> impl Iterator<Item = &str> {
    let rows = listed.and_then(|listed| listed["sessions"].as_array());
    rows.into_iter()
        .flatten()
        .filter_map(|row| row["session_id"].as_str())
}

/// `Pages` reads the sessions that conditions hold for, the newest first, a page at a time.
pub(crate) struct Pages<'a> {
    client: &'a Client,
    which: &'a Which,
    /// The number of sessions that are still wanted.
    wanted: usize,
    /// The place of the next page; `None` before the first.
    before: Option<i64>,
    /// The number of sessions that fit, as the last page said.
    pub(crate) total: u64,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(client: &'a Client, which: &'a Which, limit: usize) -> Self {
        Self {
            client,
            which,
            wanted: limit,
            before: None,
            total: 0,
        }
    }

    /// Returns the rows of the next page; `None` after the last one.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Value>>, Failure> {
        if self.wanted == 0 {
            return Ok(None);
        }
        let query = query(self.which, self.before, self.wanted);
        let listed = self.client.json(&format!("/api/sessions?{query}")).await?;
        let mut listed = listed.unwrap_or_default();
        if listed["partial"] == true && self.before.is_none() {
            out::complain(
                "more hold these words than a search looks at, so older ones may be missing: search for more words",
            );
        }
        let Value::Array(mut rows) = listed["sessions"].take() else {
            return Ok(None);
        };
        rows.truncate(self.wanted);
        self.wanted -= rows.len();
        self.total = listed["total"].as_u64().unwrap_or(0);
        self.before = listed["next"].as_i64();
        if self.before.is_none() {
            self.wanted = 0;
        }
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }
}

fn query(which: &Which, before: Option<i64>, wanted: usize) -> String {
    let words = which.words.join(" ");
    let pairs = [
        ("q", (!words.is_empty()).then_some(words)),
        ("errors", which.errors.then(|| "1".to_owned())),
        ("since", which.since.clone()),
        ("model", which.model.clone()),
        ("outcome", which.outcome.clone()),
        ("status", which.status.clone()),
        ("run_id", which.run.clone()),
        ("before", before.map(|before| before.to_string())),
        ("limit", Some(wanted.min(PAGE).to_string())),
    ];
    let given = pairs
        .iter()
        .filter_map(|(key, value)| Some(format!("{key}={}", encoded(value.as_deref()?))));
    given.collect::<Vec<_>>().join("&")
}

/// Returns a session as a tree, with errors below the events that have them.
pub(crate) fn tree_text(tree: &Value) -> String {
    let row = &tree["row"];
    let text = |value: &Value| out::plain(value.as_str().unwrap_or_default());
    let mut lines = vec![format!(
        "{}  {}  {}  {}",
        text(&row["name"]),
        text(&row["session_id"]),
        out::outcome(row),
        out::duration(&row["duration"])
    )];
    for (mark, key) in [("in", "input"), ("out", "output"), ("error", "error")] {
        if let Some(said) = row[key].as_str() {
            lines.push(format!("  {mark}: {}", out::cut(said, 160)));
        }
    }
    for event in tree["rows"].as_array().into_iter().flatten() {
        let indent = "  ".repeat(event["depth"].as_u64().unwrap_or(0) as usize + 1);
        let model = event["model"]
            .as_str()
            .map(|model| format!("  {}", out::plain(model)));
        lines.push(format!(
            "{indent}{} [{}]  {}{}",
            text(&event["event_name"]),
            text(&event["event_type"]),
            out::duration(&event["duration"]),
            model.unwrap_or_default()
        ));
        if let Some(error) = event["error"].as_str() {
            lines.push(format!("{indent}  ! {}", out::cut(error, 160)));
        }
    }
    lines.join("\n")
}
