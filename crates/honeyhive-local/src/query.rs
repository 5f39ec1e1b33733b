//! A test looks for sessions and events by a query.

use std::fmt;

use serde_json::Value;

use crate::model::{LocalEvent, LocalSession};
use crate::rest::{Filter, Operator, Search};
use crate::shared::Shared;
use crate::store::Found;

/// A `Query` is a search in a server; [`LocalServer::query`](crate::LocalServer::query) makes one. All its conditions
/// must hold.
///
/// Fields are named as HoneyHive's search names them: `event_name`, `event_type`, `session_id`, `error`,
/// `start_time`, `metadata.plan`, `outputs.status_code`, …
///
/// ```
/// # fn main() -> Result<(), honeyhive_local::StartError> {
/// let server = honeyhive_local::LocalServer::builder().start_blocking()?;
/// let slow = server.query().event_type("model").above("duration", 1000.0).events();
/// let paying = server.query().is("metadata.plan", "pro").sessions();
/// assert!(slow.is_empty() && paying.is_empty());
/// # Ok(())
/// # }
/// ```
#[must_use = "a query finds nothing until it is asked for sessions or events"]
pub struct Query<'s> {
    shared: &'s Shared,
    search: Search,
}

impl<'s> Query<'s> {
    pub(crate) fn new(shared: &'s Shared) -> Self {
        Self {
            shared,
            search: Search {
                limit: u64::from(u32::MAX),
                page: 1,
                ..Search::default()
            },
        }
    }

    /// Keeps only what has this name.
    pub fn name(self, name: &str) -> Self {
        self.is("event_name", name)
    }

    /// Keeps only events of this type: `model`, `chain`, `tool`.
    pub fn event_type(self, kind: &str) -> Self {
        self.is("event_type", kind)
    }

    /// Keeps only what belongs to this session.
    pub fn session(self, session_id: &str) -> Self {
        self.is("session_id", session_id)
    }

    /// Keeps only what has an error.
    pub fn failed(self) -> Self {
        self.exists("error")
    }

    /// Keeps only what has this value in a field.
    pub fn is(self, field: &str, value: impl Into<Value>) -> Self {
        self.with(field, Operator::Is, value.into())
    }

    /// Keeps only what has a field at all.
    pub fn exists(self, field: &str) -> Self {
        self.with(field, Operator::Exists, Value::Null)
    }

    /// Keeps only what has this text in a field, in upper or lower case.
    pub fn contains(self, field: &str, text: &str) -> Self {
        self.with(field, Operator::Contains, text.into())
    }

    /// Keeps only what has a greater number in a field.
    pub fn above(self, field: &str, number: f64) -> Self {
        self.with(field, Operator::Above, number.into())
    }

    /// Keeps only what has a smaller number in a field.
    pub fn below(self, field: &str, number: f64) -> Self {
        self.with(field, Operator::Below, number.into())
    }

    /// Returns the sessions, the latest start first.
    #[must_use]
    pub fn sessions(self) -> Vec<LocalSession> {
        let found = self.find().into_iter();
        let sessions = found.filter_map(|found| match found {
            Found::Session(session) => Some(*session),
            Found::Event(_) => None,
        });
        sessions.collect()
    }

    /// Returns the events, the latest start first; orphans are among them.
    #[must_use]
    pub fn events(self) -> Vec<LocalEvent> {
        let found = self.find().into_iter();
        let events = found.filter_map(|found| match found {
            Found::Event(event) => Some(*event),
            Found::Session(_) => None,
        });
        events.collect()
    }

    fn with(mut self, field: &str, operator: Operator, value: Value) -> Self {
        self.search.filters.push(Filter {
            path: field.split('.').map(str::to_owned).collect(),
            operator,
            value,
        });
        self
    }

    fn find(&self) -> Vec<Found> {
        let search = &self.search;
        let found = self.shared.read_blocking(|reading| reading.search(search));
        found.map(|(found, _)| found).unwrap_or_default()
    }
}

impl fmt::Debug for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query")
            .field("filters", &self.search.filters)
            .finish_non_exhaustive()
    }
}
