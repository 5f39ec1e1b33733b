//! [`EventSearch`] holds the conditions of a search for events.

use std::time::{Duration, SystemTime};

use http::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::body::Body;
use super::error::ClientError;
use super::event::Event;
use super::event_kind::EventKind;
use super::handle::Client;
use super::open::open_enum;
use crate::model::json::to_json_as_it_is;
use crate::model::rfc3339;

/// A request asks for this many events by default.
const PAGE: u32 = 200;
/// HoneyHive returns this many events at the most for one request.
const LARGEST_PAGE: u32 = 1_000;

open_enum! {
    /// An operator compares an event's field with a value.
    Operator {
        /// The field exists.
        Exists = "exists",
        /// The field does not exist.
        NotExists = "not exists",
        /// The field is equal.
        Is = "is",
        /// The field is not equal.
        IsNot = "is not",
        /// The text contains the value.
        Contains = "contains",
        /// The field does not contain the value.
        NotContains = "not contains",
        /// The number is larger.
        GreaterThan = "greater than",
        /// The number is smaller.
        LessThan = "less than",
        /// The time is later.
        After = "after",
        /// The time is earlier.
        Before = "before",
    }
}

/// A search finds events, the newest first; all conditions have to hold.
#[derive(Debug, Clone, Default)]
#[must_use = "it is used by `Events::search`"]
pub struct EventSearch {
    filters: Vec<Value>,
    since: Option<SystemTime>,
    until: Option<SystemTime>,
    run_id: Option<String>,
    page_size: Option<u32>,
    problem: Option<String>,
}

impl EventSearch {
    /// Searches for all events.
    pub fn all() -> Self {
        Self::default()
    }

    /// Searches for sessions, without the events in them.
    pub fn sessions() -> Self {
        Self::all().kind(EventKind::Session)
    }

    /// Searches for events of one kind.
    #[expect(clippy::needless_pass_by_value, reason = "as the other setters")]
    pub fn kind(self, kind: EventKind) -> Self {
        self.filter("event_type", Operator::Is, kind.as_str())
    }

    /// Searches for events of one session.
    pub fn in_session(self, id: impl AsRef<str>) -> Self {
        self.filter("session_id", Operator::Is, id.as_ref())
    }

    /// Adds a condition on a field, such as `event_name`, `metadata.user_tier` or `metrics.score`. The value is a text,
    /// a number or a flag; where it does not matter, `()`.
    #[expect(clippy::needless_pass_by_value, reason = "as the other setters")]
    pub fn filter(mut self, field: &str, operator: Operator, value: impl Serialize) -> Self {
        let value = to_json_as_it_is(value).unwrap_or_else(|error| {
            let problem = format!("the condition on `{field}` is no JSON: {error}");
            self.problem.get_or_insert(problem);
            Value::Null
        });
        let kind = match (&operator, &value) {
            (Operator::After | Operator::Before, _) => "datetime",
            (_, Value::Number(_)) => "number",
            (_, Value::Bool(_)) => "boolean",
            (_, Value::String(_) | Value::Null) => "string",
            (_, Value::Array(_) | Value::Object(_)) => {
                let problem =
                    format!("the condition on `{field}` takes a text, a number or a flag");
                self.problem.get_or_insert(problem);
                return self;
            }
        };
        self.filters
            .push(json!({"field": field, "operator": operator, "value": value, "type": kind}));
        self
    }

    /// Searches for events that began at this time or later.
    pub const fn since(mut self, then: SystemTime) -> Self {
        self.since = Some(then);
        self
    }

    /// Searches for events that began at this time or earlier.
    pub const fn until(mut self, then: SystemTime) -> Self {
        self.until = Some(then);
        self
    }

    /// Searches for events of one experiment run.
    pub fn run(mut self, id: impl Into<String>) -> Self {
        self.run_id = Some(id.into());
        self
    }

    /// Sets the number of events of one request (default 200, at most 1,000): take fewer where events are large.
    pub fn page_size(mut self, events: u32) -> Self {
        self.page_size = Some(events.clamp(1, LARGEST_PAGE));
        self
    }

    pub(super) fn most_on_a_page(&self) -> usize {
        self.page_size.unwrap_or(PAGE) as usize
    }

    fn body(&self, page: u32) -> Body {
        let body = Body::default()
            .set("filters", &self.filters)
            .set("limit", self.most_on_a_page())
            .set("page", page);
        let body = match &self.run_id {
            Some(id) => body.set("evaluation_id", id),
            None => body,
        };
        let body = match &self.problem {
            Some(problem) => body.refused(problem.clone()),
            None => body,
        };
        if self.since.is_none() && self.until.is_none() {
            return body;
        }
        let range = json!({
            "start_time": self.since.map_or_else(|| iso(SystemTime::UNIX_EPOCH), iso),
            "end_time": self.until.map_or_else(|| LAST.to_owned(), iso),
        });
        body.set("dateRange", range)
    }
}

/// The format cannot express a later time.
const LAST: &str = "9999-12-31T23:59:59Z";

fn iso(then: SystemTime) -> String {
    let since = then.duration_since(SystemTime::UNIX_EPOCH);
    // A time before the Unix epoch counts as the epoch.
    let since: Duration = since.unwrap_or_default();
    rfc3339::format(since).unwrap_or_else(|| LAST.to_owned())
}

/// Returns one page of the found events.
pub(super) async fn page(
    client: &Client,
    search: &EventSearch,
    page: u32,
) -> Result<Vec<Event>, ClientError> {
    let call = client.call(Method::POST, &["events", "search"]);
    // A search changes nothing, so it may be repeated.
    let call = call.body(&search.body(page)).repeatable();
    call.take("events").await
}
