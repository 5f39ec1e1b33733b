//! The calls of Python are compared with ours, but for our deliberate differences.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::edits::no_attribute;
use crate::hive::Hive;
use crate::meaning::Meaning;

/// `Why` is the reason for a difference.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Why {
    /// A bug of the list in `python_bugs.rs`, which must not exist here, is the reason.
    Bug(u8),
    /// The reason is another one.
    Because(&'static str),
}
pub(crate) use Why::{Because, Bug};

/// Some reasons recur.
pub(crate) const BEGINS_LATE: Why =
    Because("the tracer's own session begins when something first needs it");
pub(crate) const CHILDREN_TELL: Why =
    Because("a span that says nothing of its type is a chain when it has children");
pub(crate) const NAME_TELLS: Why = Because("the event's name is the span's name");
pub(crate) const SESSIONS_SOURCE: Why = Because("a span comes from where its session comes from");
pub(crate) const ROOTS_ARE_SESSIONS: Why =
    Because("a request or a message outside every session is a session of its own");
pub(crate) const SPANS_CREATE: Why =
    Because("spans of a session that nobody here has begun create it where HoneyHive lacks it");

/// A `Python` is a capture, and what is different here.
pub(crate) struct Python {
    /// The test that compares it, for when it has to run in a process of its own.
    pub(crate) test: &'static str,
    file: File,
    expected: Meaning,
}

#[derive(Deserialize)]
struct File {
    scenario: String,
    #[serde(default)]
    env: BTreeMap<String, String>,
    meaning: Meaning,
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures")
}

impl Python {
    pub(crate) fn read(capture: &str, test: &'static str) -> Self {
        let path = folder().join(capture).with_extension("json");
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let file: File =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert_eq!(file.scenario, capture);
        Self {
            test,
            expected: file.meaning.clone(),
            file,
        }
    }

    /// Returns the environment that the capture ran in, but for the keys, which are placeholders.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&str, &str)> {
        let variables = self.file.env.iter();
        let variables = variables.map(|(key, value)| (key.as_str(), value.as_str()));
        variables.filter(|(_, value)| !value.starts_with('<'))
    }

    /// Returns the variables that held keys, and which.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&str, &str)> {
        let variables = self.file.env.iter();
        let variables = variables.map(|(name, value)| (name.as_str(), value.as_str()));
        variables.filter(|(_, value)| value.ends_with("-key>"))
    }

    /// Edits names that differ and mean the same.
    pub(crate) fn expected(&mut self, edit: impl FnOnce(&mut Meaning)) {
        edit(&mut self.expected);
    }

    /// Applies a deliberate difference. The edit must make one.
    #[track_caller]
    pub(crate) fn but(mut self, why: Why, edit: impl FnOnce(&mut Meaning)) -> Self {
        let before = self.expected.clone();
        edit(&mut self.expected);
        assert!(before != self.expected, "{why:?} changes nothing any more");
        match why {
            Bug(number) => assert!((1..=36).contains(&number), "there are 36 bugs"),
            Because(reason) => assert!(reason.len() > 20, "{reason:?} explains nothing"),
        }
        self
    }

    /// Applies the difference of every traced function: `@trace` sends some attributes twice.
    #[track_caller]
    pub(crate) fn but_traced(self) -> Self {
        self.but(Bug(20), no_attribute("honeyhive_metadata.event_type"))
    }

    /// Applies the difference of every traced function with a name.
    #[track_caller]
    pub(crate) fn but_named(self) -> Self {
        self.but_traced()
            .but(Bug(20), no_attribute("honeyhive_metadata.event_name"))
            .but(NAME_TELLS, no_attribute("honeyhive_event_name"))
    }

    /// Delivers everything and compares, value by value.
    #[track_caller]
    pub(crate) fn compare(self, hive: &Hive) {
        let mut received = hive.received();
        if self.expected.resources.is_none() {
            received.resources = None;
        }
        let (expected, received) = (self.expected.sorted(), received.sorted());
        if expected != received {
            let diff = diff(&pretty(&expected), &pretty(&received));
            panic!("{}: - expected, + received\n{diff}", self.file.scenario);
        }
    }
}

fn pretty(meaning: &Meaning) -> String {
    serde_json::to_string_pretty(meaning).expect("it is JSON")
}

/// Returns the lines that only one of both has, with a few of those around them.
fn diff(expected: &str, received: &str) -> String {
    let (a, b): (Vec<_>, Vec<_>) = (expected.lines().collect(), received.lines().collect());
    // Each cell has the length of the longest common part of what is left, from a pair of lines on.
    let mut common = vec![vec![0_u32; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i][j] = if a[i] == b[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            lines.push(format!("  {}", a[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || (i < a.len() && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(format!("- {}", a[i]));
            i += 1;
        } else {
            lines.push(format!("+ {}", b[j]));
            j += 1;
        }
    }
    let differs = |line: &String| !line.starts_with("  ");
    let near = |at: usize| {
        lines[at.saturating_sub(6)..lines.len().min(at + 4)]
            .iter()
            .any(differs)
    };
    let shown = (0..lines.len()).filter(|at| near(*at));
    shown
        .map(|at| lines[at].as_str())
        .collect::<Vec<_>>()
        .join("\n")
}
