//! The events that arrived in HoneyHive, compared with the `text` block of a page.
//!
//! ```text
//! session name
//!   event name [type]
//!     inputs.key = "JSON"
//!     child [type]
//! ```
//!
//! The sessions and events must be those of the page, each below the one it belongs to; siblings may come in
//! any order. Of their contents the page says as much as it likes. `nothing` alone means that nobody called.

use honeyhive_local::{LocalEvent, LocalServer};
use serde_json::Value;

/// The names of a session's or an event's contents.
const CONTENTS: [&str; 10] = [
    "session_id",
    "source",
    "inputs",
    "outputs",
    "metadata",
    "metrics",
    "feedback",
    "config",
    "user_properties",
    "error",
];

/// A session or an event, of the page.
#[derive(Debug)]
struct Expected {
    title: String,
    contents: Vec<(String, Value)>,
    children: Vec<Self>,
}

/// A session or an event that arrived.
#[derive(Debug)]
struct Actual {
    title: String,
    contents: Value,
    children: Vec<Self>,
}

#[track_caller]
pub(crate) fn compare(honeyhive: &LocalServer, page: &str) {
    if page == "nothing\n" {
        assert_eq!(honeyhive.requests(), []);
        return;
    }
    assert_eq!(honeyhive.stats().orphans, 0, "{:#?}", honeyhive.orphans());
    let expected = parse(page);
    let actual = sessions(honeyhive);
    assert!(
        all_match(&expected, &actual),
        "the page says that this arrives:\n\n{page}\nand this did:\n\n{}",
        actual.iter().map(|node| node.text(0)).collect::<String>()
    );
}

fn all_match(expected: &[Expected], actual: &[Actual]) -> bool {
    let mut left: Vec<&Actual> = actual.iter().collect();
    let is_there = |expected: &Expected| {
        let found = left.iter().position(|actual| expected.matches(actual));
        found.map(|index| left.swap_remove(index)).is_some()
    };
    expected.len() == actual.len() && expected.iter().all(is_there)
}

impl Expected {
    fn matches(&self, actual: &Actual) -> bool {
        let has = |(path, value): &(String, Value)| actual.content(path) == *value;
        self.title == actual.title
            && self.contents.iter().all(has)
            && all_match(&self.children, &actual.children)
    }
}

impl Actual {
    /// `null` where there is none.
    fn content(&self, path: &str) -> Value {
        let found = path
            .split('.')
            .try_fold(&self.contents, |value, key| match value {
                Value::Array(items) => items.get(key.parse::<usize>().ok()?),
                value => value.get(key),
            });
        found.cloned().unwrap_or(Value::Null)
    }

    /// Writes the event as a page would show it, with all its contents.
    fn text(&self, depth: usize) -> String {
        let indent = "  ".repeat(depth);
        let mut text = format!("{indent}{}\n", self.title);
        for name in CONTENTS {
            lines_of(name, &self.contents[name], &mut |path, value| {
                text.push_str(&format!("{indent}  {path} = {value}\n"));
            });
        }
        for child in &self.children {
            text.push_str(&child.text(depth + 1));
        }
        text
    }
}

fn lines_of(path: &str, value: &Value, show: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Null => {}
        Value::Object(object) => {
            for (key, value) in object {
                lines_of(&format!("{path}.{key}"), value, show);
            }
        }
        value => show(path, value),
    }
}

fn sessions(honeyhive: &LocalServer) -> Vec<Actual> {
    let sessions = honeyhive.sessions().into_iter().map(|session| {
        let mut events = honeyhive.events(&session.session_id);
        events.sort_by(|a, b| a.start_time_ms.total_cmp(&b.start_time_ms));
        let title = session.name.clone();
        Actual {
            title: title.unwrap_or_else(|| session.session_id.clone()),
            children: below(&session.session_id, &events),
            contents: serde_json::to_value(session).unwrap(),
        }
    });
    sessions.collect()
}

fn below(id: &str, events: &[LocalEvent]) -> Vec<Actual> {
    let children = events
        .iter()
        .filter(|event| event.parent_id.as_deref() == Some(id));
    let node = |event: &LocalEvent| Actual {
        title: format!("{} [{}]", event.event_name, event.event_type),
        children: below(&event.event_id, events),
        contents: serde_json::to_value(event).unwrap(),
    };
    children.map(node).collect()
}

fn parse(page: &str) -> Vec<Expected> {
    let mut roots = Vec::new();
    for line in page.lines() {
        let text = line.trim_start();
        let depth = (line.len() - text.len()) / 2;
        match content(text) {
            Some(content) => {
                let node = last_at(&mut roots, depth - 1).last_mut();
                node.expect("contents stand below a title")
                    .contents
                    .push(content);
            }
            None => last_at(&mut roots, depth).push(Expected {
                title: text.to_owned(),
                contents: Vec::new(),
                children: Vec::new(),
            }),
        }
    }
    roots
}

/// The youngest siblings at a depth.
fn last_at(nodes: &mut Vec<Expected>, depth: usize) -> &mut Vec<Expected> {
    match depth {
        0 => nodes,
        depth => {
            let last = nodes.last_mut().expect("a line stands below another");
            last_at(&mut last.children, depth - 1)
        }
    }
}

fn content(line: &str) -> Option<(String, Value)> {
    let (path, value) = line.split_once(" = ")?;
    let name = path.split('.').next()?;
    let value = serde_json::from_str(value);
    CONTENTS
        .contains(&name)
        .then(|| (path.to_owned(), value.expect("the value is JSON")))
}
