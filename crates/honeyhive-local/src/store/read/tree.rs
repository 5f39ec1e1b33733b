//! A session is a tree of its events.

use std::collections::HashMap;

use rusqlite::OptionalExtension;
use serde::Serialize;

use super::Reading;
use super::rows::{EVENT_COLUMNS, EventRow, SESSION_COLUMNS, SessionRow};
use crate::model::canonical_id;
use crate::store::failed::Failed;

/// Deeper events are shown at this depth: an indentation has to end somewhere.
const DEEPEST: usize = 64;

/// A `Tree` is a session and its events, depth first, siblings by start time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Tree {
    pub(crate) session: SessionRow,
    pub(crate) rows: Vec<TreeRow>,
}

/// A `TreeRow` is an event in its place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TreeRow {
    /// The depth: 0 for events right below the session; 64 at most.
    pub(crate) depth: usize,
    /// The number of rows after this one that are below it.
    pub(crate) below: usize,
    #[serde(flatten)]
    pub(crate) event: EventRow,
}

impl Tree {
    /// Returns the session's name, then its events as `name [type]`, children indented by two spaces: without ids and
    /// times, so that a test can compare it.
    pub(crate) fn text(&self) -> String {
        let SessionRow {
            name, session_id, ..
        } = &self.session;
        let mut lines = vec![one_line(name.as_ref().unwrap_or(session_id))];
        for TreeRow { depth, event, .. } in &self.rows {
            let indent = "  ".repeat(depth + 1);
            let (name, kind) = (one_line(&event.name), one_line(&event.kind));
            lines.push(format!("{indent}{name} [{kind}]"));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

impl Reading<'_> {
    /// Returns a session in a list's form.
    pub(crate) fn session_row(&self, id: &str) -> Result<Option<SessionRow>, Failed> {
        let sql = format!("SELECT {SESSION_COLUMNS} FROM session s WHERE s.id = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let row = statement.query_row([canonical_id(id)], SessionRow::read);
        Ok(row.optional()?)
    }

    /// Returns a session as a tree; `None` where it is unknown.
    pub(crate) fn tree(&self, id: &str) -> Result<Option<Tree>, Failed> {
        let Some(session) = self.session_row(id)? else {
            return Ok(None);
        };
        let sql = format!(
            "SELECT {EVENT_COLUMNS} FROM event e WHERE e.session_id = ?1 AND e.orphan = 0 ORDER BY e.start_ms, e.seq"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let events = statement.query_map([&session.session_id], EventRow::read)?;
        let events: Vec<EventRow> = events.collect::<Result<_, _>>()?;
        let rows = grown(events);
        Ok(Some(Tree { session, rows }))
    }
}

/// Returns events, given by start time, in the order of a tree.
fn grown(events: Vec<EventRow>) -> Vec<TreeRow> {
    let order = Walk::over(&events);
    let mut places: Vec<Option<EventRow>> = events.into_iter().map(Some).collect();
    let mut rows: Vec<TreeRow> = Vec::with_capacity(places.len());
    for (depth, index) in order {
        rows.extend(places[index].take().map(|event| TreeRow {
            depth: depth.min(DEEPEST),
            below: 0,
            event,
        }));
    }
    count_below(&mut rows);
    rows
}

/// Counts the rows below each from the end, so that each row is looked at once.
fn count_below(rows: &mut [TreeRow]) {
    // The vector holds, for each depth, the row that is next at that depth or above.
    let mut next: Vec<usize> = vec![rows.len(); DEEPEST + 1];
    for index in (0..rows.len()).rev() {
        let depth = rows[index].depth;
        rows[index].below = next[depth] - index - 1;
        next[depth..].fill(index);
    }
}

/// A `Walk` finds the order of a tree by parents and children.
struct Walk<'e> {
    children: HashMap<usize, Vec<usize>>,
    seen: Vec<bool>,
    order: Vec<(usize, usize)>,
    events: &'e [EventRow],
}

impl<'e> Walk<'e> {
    fn over(events: &'e [EventRow]) -> Vec<(usize, usize)> {
        let mut walk = Self {
            children: HashMap::new(),
            seen: vec![false; events.len()],
            order: Vec::with_capacity(events.len()),
            events,
        };
        let roots = walk.connect();
        roots.into_iter().for_each(|root| walk.descend(root));
        // The other events hang below themselves: spans that name each other as parents.
        (0..events.len()).for_each(|index| walk.descend(index));
        walk.order
    }

    /// Finds each event's children; returns those without a parent here.
    fn connect(&mut self) -> Vec<usize> {
        let mut by_id = HashMap::new();
        let mut by_span = HashMap::new();
        for (index, event) in self.events.iter().enumerate() {
            by_id.insert(event.event_id.as_str(), index);
            by_span.insert((event.trace_id.as_str(), event.span_id.as_str()), index);
        }
        let mut roots = Vec::new();
        for (index, event) in self.events.iter().enumerate() {
            let named = event.parent_id.as_deref().and_then(|id| by_id.get(id));
            let span = event.parent_span_id.as_deref();
            let span = span.and_then(|span| by_span.get(&(event.trace_id.as_str(), span)));
            match named.or(span) {
                Some(parent) => self.children.entry(*parent).or_default().push(index),
                None => roots.push(index),
            }
        }
        roots
    }

    /// Visits an event and all below it. A stack takes the place of recursion: traces can be deep.
    fn descend(&mut self, index: usize) {
        let mut stack = vec![(0, index)];
        while let Some((depth, index)) = stack.pop() {
            if std::mem::replace(&mut self.seen[index], true) {
                continue;
            }
            self.order.push((depth, index));
            let children = self.children.get(&index).into_iter().flatten();
            stack.extend(children.rev().map(|&child| (depth + 1, child)));
        }
    }
}

/// Makes one line of a name: a line break in it must not look like another event.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}
