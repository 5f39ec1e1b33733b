//! The calls make, change and read experiment runs.

use std::ops::{Bound, RangeBounds};

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::body::Body;
use super::call::Call;
use super::error::ClientError;
use super::handle::Client;
use super::open::{open_enum, or_default};
use crate::model::id::SessionId;

impl Client {
    /// Returns the calls about experiment runs.
    #[must_use]
    pub const fn runs(&self) -> Runs<'_> {
        Runs { client: self }
    }
}

/// The handle makes the calls about experiment runs; it comes from [`Client::runs`].
///
/// ```
/// use honeyhive::client::{Aggregate, Client, NewRun, RunStatus, UpdateRun};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = honeyhive_local::LocalServer::builder().start().await?;
/// # let client = Client::builder().api_key("hh_local").server_url(server.url()).build()?;
/// let run = client.runs().create(&NewRun::named("support-bot")).await?;
/// // Sessions name it in their metadata: `run_id`, `datapoint_id`.
/// let done = UpdateRun::new().status(RunStatus::Completed).event_ids(["session ids"]);
/// client.runs().update(&run.run_id, &done).await?;
/// let summary = client.runs().summary(&run.run_id, Aggregate::Average).await?;
/// assert_eq!(summary.run.status, Some(RunStatus::Completed));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Every call fails with a [`ClientError`].
#[derive(Debug, Clone, Copy)]
pub struct Runs<'c> {
    pub(super) client: &'c Client,
}

open_enum! {
    /// The status of a run says how far it has come.
    RunStatus {
        /// The run has begun.
        Pending = "pending",
        /// The run goes on.
        Running = "running",
        /// The run ended normally, whatever its scores are.
        Completed = "completed",
        /// The run broke off, or too many of its trials did.
        Failed = "failed",
        /// The run was ended by hand.
        Cancelled = "cancelled",
    }
}

/// A run is one execution of an experiment, as HoneyHive has it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Run {
    /// Calls and sessions name the run by this id.
    pub run_id: String,
    /// The record itself has this id, which is not `run_id`.
    pub id: Option<String>,
    /// The run has this name.
    pub name: Option<String>,
    /// The description is a text about the run.
    pub description: Option<String>,
    /// The run has this status.
    pub status: Option<RunStatus>,
    /// The metadata holds facts about the run.
    #[serde(deserialize_with = "or_default")]
    pub metadata: Map<String, Value>,
    /// The results of the run are here, if any were stored.
    #[serde(deserialize_with = "or_default")]
    pub results: Map<String, Value>,
    /// The run starts with these settings.
    #[serde(deserialize_with = "or_default")]
    pub configuration: Map<String, Value>,
    /// The metrics hold numbers about the run.
    #[serde(deserialize_with = "or_default")]
    pub metrics: Map<String, Value>,
    /// The run's sessions have these ids.
    #[serde(deserialize_with = "or_default")]
    pub event_ids: Vec<String>,
    /// The run's dataset has this id, where HoneyHive has it.
    pub dataset_id: Option<String>,
    /// The dataset has this name.
    pub dataset_name: Option<String>,
    /// The flag says whether the run is shown.
    pub is_active: Option<bool>,
    /// The time of creation is in ISO 8601.
    pub created_at: Option<String>,
    /// The time of the last change is in ISO 8601.
    pub updated_at: Option<String>,
}

/// `NewRun` describes a run to create.
#[derive(Debug, Clone)]
#[must_use = "it is made by `Runs::create`"]
pub struct NewRun(Body);

impl NewRun {
    /// Returns a run with a name, which must not be blank.
    pub fn named(name: impl Into<String>) -> Self {
        Self(Body::default().set("name", name.into()))
    }

    /// Sets the run's id (default: a new one). HoneyHive takes UUIDs.
    pub fn id(self, id: impl Into<String>) -> Self {
        Self(self.0.set("run_id", id.into()))
    }

    /// Sets the stored dataset of the run.
    pub fn dataset_id(self, id: impl Into<String>) -> Self {
        Self(self.0.set("dataset_id", id.into()))
    }
}

/// An update changes a run; fields that are not given stay.
#[derive(Debug, Clone, Default)]
#[must_use = "it is made by `Runs::update`"]
pub struct UpdateRun(Body);

impl UpdateRun {
    /// Returns no changes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets another name, which must not be blank.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self(self.0.set("name", name.into()))
    }
}

macro_rules! fields_of_run {
    ($($name:ident),*) => {$(
        impl $name {
            /// Sets a text about the run.
            pub fn description(self, text: impl Into<String>) -> Self {
                Self(self.0.set("description", text.into()))
            }

            /// Sets the run's status.
            pub fn status(self, status: RunStatus) -> Self {
                Self(self.0.set("status", status))
            }

            /// Sets facts about the run: anything that serialises to an object.
            pub fn metadata(self, map: impl Serialize) -> Self {
                Self(self.0.object("metadata", map))
            }

            /// Sets the results of the run: anything that serialises to an object.
            pub fn results(self, map: impl Serialize) -> Self {
                Self(self.0.object("results", map))
            }

            /// Sets the settings of the run: anything that serialises to an object.
            pub fn configuration(self, map: impl Serialize) -> Self {
                Self(self.0.object("configuration", map))
            }

            /// Sets the ids of the run's sessions.
            pub fn event_ids(self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
                Self(self.0.set("event_ids", texts(ids)))
            }

            /// Sets the ids of the run's sessions, under their other name.
            pub fn session_ids(self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
                Self(self.0.set("session_ids", texts(ids)))
            }

            /// Sets the ids of the run's datapoints.
            pub fn datapoint_ids(self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
                Self(self.0.set("datapoint_ids", texts(ids)))
            }

            /// Sets the names of the run's evaluators.
            pub fn evaluators(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
                Self(self.0.set("evaluators", texts(names)))
            }

            /// Sets the range in which a metric passes: `0.8..`, `..=100.0`, `0.2..=0.4`.
            pub fn passing_range(self, metric: &str, range: impl RangeBounds<f64>) -> Self {
                Self(self.0.insert("passing_ranges", metric, passing(&range)))
            }
        }
    )*};
}
fields_of_run!(NewRun, UpdateRun);

fn texts(texts: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    texts.into_iter().map(Into::into).collect()
}

fn passing(range: &impl RangeBounds<f64>) -> Value {
    let mut found = Map::new();
    for (name, bound) in [("min", range.start_bound()), ("max", range.end_bound())] {
        if let Bound::Included(bound) | Bound::Excluded(bound) = bound {
            found.insert(name.to_owned(), json!(bound));
        }
    }
    found.into()
}

/// A filter selects and orders listed runs; without any condition all of them, the newest first, 20 at a time.
#[derive(Debug, Clone, Default)]
#[must_use = "it is used by `Runs::list`"]
pub struct RunFilter(Vec<(&'static str, String)>);

open_enum! {
    /// A list of runs is sorted by one of these fields.
    SortRuns {
        /// The key is their time of creation.
        CreatedAt = "created_at",
        /// The key is their time of the last change.
        UpdatedAt = "updated_at",
        /// The key is their names.
        Name = "name",
        /// The key is their statuses.
        Status = "status",
    }
}

open_enum! {
    /// Runs are sorted in one of two directions.
    SortOrder {
        /// The smallest or oldest run comes first.
        Ascending = "asc",
        /// The largest or newest run comes first.
        Descending = "desc",
    }
}

impl RunFilter {
    /// Selects all runs.
    pub fn all() -> Self {
        Self::default()
    }

    /// Selects runs over a stored dataset.
    pub fn dataset_id(self, id: impl Into<String>) -> Self {
        self.with("dataset_id", id)
    }

    /// Selects runs whose name contains this text.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.with("name", name)
    }

    /// Selects runs with this status.
    #[expect(clippy::needless_pass_by_value, reason = "as the other setters")]
    pub fn status(self, status: RunStatus) -> Self {
        self.with("status", status.as_str())
    }

    /// Selects runs with these ids.
    pub fn run_ids(self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut filter = self;
        for id in ids {
            filter = filter.with("run_ids[]", id);
        }
        filter
    }

    /// Sets the key and the direction of sorting (default: the time of creation, the newest first).
    #[expect(clippy::needless_pass_by_value, reason = "as the other setters")]
    pub fn sort(self, by: SortRuns, order: SortOrder) -> Self {
        let sorted = self.with("sort_by", by.as_str());
        sorted.with("sort_order", order.as_str())
    }

    /// Sets the number of the page, from 1 on (default 1).
    pub fn page(self, page: u32) -> Self {
        self.with("page", page.to_string())
    }

    /// Sets the number of runs per page (default 20, at most 100).
    pub fn limit(self, limit: u32) -> Self {
        self.with("limit", limit.to_string())
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, value.into()));
        self
    }
}

/// A page holds some of the listed runs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunPage {
    /// The page has these runs.
    #[serde(rename = "evaluations", deserialize_with = "or_default")]
    pub runs: Vec<Run>,
    /// The pagination tells the page's place in the list.
    #[serde(deserialize_with = "or_default")]
    pub pagination: Pagination,
    /// The runs have metrics of these names.
    #[serde(deserialize_with = "or_default")]
    pub metrics: Vec<String>,
}

/// The pagination tells the place of a page in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Pagination {
    /// The number of the page counts from 1.
    pub page: u64,
    /// A page has this many items at the most.
    pub limit: u64,
    /// The total counts the items on all pages.
    pub total: u64,
    /// The unfiltered total counts the items without the filter.
    pub total_unfiltered: u64,
    /// The list has this many pages.
    pub total_pages: u64,
    /// A next page exists.
    pub has_next: bool,
    /// A previous page exists.
    pub has_prev: bool,
}

/// An updated run may come with a warning.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct UpdatedRun {
    /// The run is as it is after the update.
    pub run: Run,
    /// HoneyHive's warning says, for instance, that sessions name no datapoint.
    pub warning: Option<String>,
}

/// The answer is HoneyHive's to the creation, the change or the reading of a run.
#[derive(Deserialize)]
struct Answer {
    run_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    evaluation: Run,
    warning: Option<String>,
}

impl Answer {
    /// Returns the run, under the id that HoneyHive gives it.
    fn run(self, asked: &str) -> UpdatedRun {
        let mut run = self.evaluation;
        if let Some(id) = self.run_id {
            run.run_id = id;
        }
        if run.run_id.is_empty() {
            asked.clone_into(&mut run.run_id);
        }
        let warning = self.warning;
        UpdatedRun { run, warning }
    }
}

impl<'c> Runs<'c> {
    pub(super) fn call(self, method: Method, parts: &[&str]) -> Call<'c> {
        self.client.call(method, &[&["runs"], parts].concat())
    }

    /// Makes a run. HoneyHive's answer has its id.
    pub async fn create(&self, new: &NewRun) -> Result<Run, ClientError> {
        // A call with an id of ours can be repeated.
        let new = match new.0.text("run_id") {
            Some(_) => new.clone(),
            None => new.clone().id(SessionId::new().to_string()),
        };
        let id = new.0.text("run_id").unwrap_or_default();
        let call = self.call(Method::POST, &[]).body(&new.0).repeatable();
        let answer: Answer = call.whole("evaluation").await?;
        Ok(answer.run(id).run)
    }

    /// Returns one run. HoneyHive answers 400 to an unknown id.
    pub async fn get(&self, id: &str) -> Result<Run, ClientError> {
        let answer: Answer = self.call(Method::GET, &[id]).whole("evaluation").await?;
        Ok(answer.run(id).run)
    }

    /// Returns runs, a page at a time.
    ///
    /// ```
    /// use honeyhive::client::{Client, RunFilter, RunStatus};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = honeyhive_local::LocalServer::builder().start().await?;
    /// # let client = Client::builder().api_key("hh_local").server_url(server.url()).build()?;
    /// let newest = RunFilter::all().name("support-bot").status(RunStatus::Completed).limit(1);
    /// let newest = client.runs().list(&newest).await?.runs.pop();
    /// # assert_eq!(newest, None);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list(&self, filter: &RunFilter) -> Result<RunPage, ClientError> {
        let pairs = filter.0.iter();
        let call = self.call(Method::GET, &[]);
        let call = pairs.fold(call, |call, (name, value)| call.query(name, value));
        call.whole("evaluations").await
    }

    /// Changes a run.
    pub async fn update(&self, id: &str, change: &UpdateRun) -> Result<UpdatedRun, ClientError> {
        let answer: Answer = self.updating(id, change).whole("evaluation").await?;
        Ok(answer.run(id))
    }

    fn updating(self, id: &str, change: &UpdateRun) -> Call<'c> {
        let method = match self.client.project_id() {
            Some(_) => Method::PATCH,
            None => Method::PUT,
        };
        self.call(method, &[id]).body(&change.0)
    }

    /// Removes a run. Its sessions stay.
    pub async fn delete(&self, id: &str) -> Result<(), ClientError> {
        self.call(Method::DELETE, &[id]).done().await
    }
}
