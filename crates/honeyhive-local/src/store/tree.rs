//! A session as a tree of its events.

use std::collections::HashMap;

use crate::model::LocalEvent;

/// Deeper events are shown at this depth: an indentation has to end somewhere.
const DEEPEST: usize = 64;

/// The session's name, then its events as `name [type]`, children indented by two spaces.
pub(crate) fn text(name: &str, events: &[LocalEvent]) -> String {
    let mut lines = vec![one_line(name)];
    for (depth, event) in walk(events) {
        let indent = "  ".repeat(depth + 1);
        let (name, kind) = (one_line(&event.event_name), one_line(&event.event_type));
        lines.push(format!("{indent}{name} [{kind}]"));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// The events depth first with their depth, siblings by start time.
pub(crate) fn walk(events: &[LocalEvent]) -> Vec<(usize, &LocalEvent)> {
    let mut ordered: Vec<&LocalEvent> = events.iter().collect();
    ordered.sort_by(|a, b| a.start_time_ms.total_cmp(&b.start_time_ms));
    let mut walk = Walk::new(&ordered);
    for (index, event) in ordered.iter().enumerate() {
        if walk.is_root(event) {
            walk.descend(index);
        }
    }
    // What is left hangs below itself: spans that name each other as parents.
    for index in 0..ordered.len() {
        walk.descend(index);
    }
    walk.visited
}

struct Walk<'e, 'o> {
    ordered: &'o [&'e LocalEvent],
    index_of: HashMap<&'e str, usize>,
    children: HashMap<&'e str, Vec<usize>>,
    seen: Vec<bool>,
    visited: Vec<(usize, &'e LocalEvent)>,
}

impl<'e, 'o> Walk<'e, 'o> {
    fn new(ordered: &'o [&'e LocalEvent]) -> Self {
        let mut index_of = HashMap::new();
        let mut children: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, event) in ordered.iter().enumerate() {
            index_of.insert(event.event_id.as_str(), index);
            let parent = event.parent_id.as_deref();
            children
                .entry(parent.unwrap_or(""))
                .or_default()
                .push(index);
        }
        Self {
            ordered,
            index_of,
            children,
            seen: vec![false; ordered.len()],
            visited: Vec::with_capacity(ordered.len()),
        }
    }

    fn is_root(&self, event: &LocalEvent) -> bool {
        let parent = event.parent_id.as_deref();
        parent.is_none_or(|parent| !self.index_of.contains_key(parent))
    }

    /// Visits an event and all below it. A stack instead of recursion: traces can be deep.
    fn descend(&mut self, index: usize) {
        let mut stack = vec![(0, index)];
        while let Some((depth, index)) = stack.pop() {
            if std::mem::replace(&mut self.seen[index], true) {
                continue;
            }
            let event = self.ordered[index];
            self.visited.push((depth, event));
            let children = self.children.get(event.event_id.as_str());
            let below = (depth + 1).min(DEEPEST);
            stack.extend(
                children
                    .into_iter()
                    .flatten()
                    .rev()
                    .map(|&child| (below, child)),
            );
        }
    }
}

/// Names come from outside; a line break in one must not look like another event.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}
