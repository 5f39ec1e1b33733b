//! The typed client calls HoneyHive's API (feature `client`): datasets, datapoints, experiment runs, events, metrics
//! and configurations.
//!
//! ```
//! use honeyhive::client::{Client, NewDatapoint, NewDataset};
//! use honeyhive::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = honeyhive_local::LocalServer::builder().start().await?;
//! # let client = Client::builder().api_key("hh_local").server_url(server.url()).build()?;
//! # #[cfg(any())]
//! let client = Client::from_env()?; // HH_API_KEY; beside a tracer: `tracer.client()`
//!
//! let question = NewDatapoint::new(json!({"query": "6 * 7?"})).ground_truth(json!({"answer": 42}));
//! let question = client.datapoints().create(&question).await?;
//! let dataset = NewDataset::named("arithmetic").datapoints([&question]);
//! let dataset = client.datasets().create(&dataset).await?;
//!
//! let stored = client.datasets().get(&dataset).await?.ok_or("it was just made")?;
//! for datapoint in client.datapoints().get_many(&stored.datapoints).await? {
//!     assert_eq!(datapoint.inputs["query"], "6 * 7?");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - Calls go out on the background thread that delivers sessions and spans, with its HTTP client. They work on any
//!   runtime. A call goes on when its future is dropped.
//! - A call that fails for a passing reason is tried three times at the most, all within 10 s; a call that might then
//!   take effect twice is not repeated.
//! - An answer may have fields and values that this version does not know: fields are skipped, values are kept as text.
//! - The contents of a call go out as they are given: redaction applies to recordings only.
//! - [`Client::in_project`] uses the newer routes that name their project, with the data plane key.

mod body;
mod builder;
mod call;
mod configurations;
mod datapoints;
mod datasets;
mod error;
mod event;
mod event_kind;
mod event_search;
mod event_stream;
mod events;
mod handle;
mod metrics;
mod open;
mod path;
mod prompt;
mod results;
mod runs;
mod template;

pub use crate::secret::KeyKind;
pub use builder::ClientBuilder;
pub use configurations::{
    Configuration, Configurations, Environment, NewConfiguration, Parameters,
};
pub use datapoints::{Datapoint, Datapoints, NewDatapoint, UpdateDatapoint};
pub use datasets::{Dataset, Datasets, FieldMapping, NewDataset, UpdateDataset};
pub use error::ClientError;
pub use event::Event;
pub use event_kind::EventKind;
pub use event_search::{EventSearch, Operator};
pub use event_stream::EventStream;
pub use events::Events;
pub use handle::Client;
pub use metrics::{Measured, Metric, MetricVersion, Metrics, NewMetric, ReturnType, UpdateMetric};
pub use prompt::DeployedPrompt;
pub use results::{
    Aggregate, ComparedEvent, ComparedEvents, ComparedMetric, Comparison, DatapointResult,
    EventDetail, EventPresence, MetricKind, MetricResults, MetricSummary, PairFilter,
    PassedDatapoints, Presence, RunEvent, RunEvents, RunSummary,
};
pub use runs::{
    NewRun, Pagination, Run, RunFilter, RunPage, RunStatus, Runs, SortOrder, SortRuns, UpdateRun,
    UpdatedRun,
};
pub use template::{Template, TemplateMessage};
