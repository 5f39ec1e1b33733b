//! Metrics: the definitions of HoneyHive's own evaluators.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::body::Body;
use super::call::Call;
use super::error::ClientError;
use super::handle::Client;
use super::open::{number, open_enum, or_default};
use super::results::MetricKind;

impl Client {
    /// Metrics.
    #[must_use]
    pub const fn metrics(&self) -> Metrics<'_> {
        Metrics { client: self }
    }
}

/// The calls about metrics, from [`Client::metrics`].
///
/// ```
/// use honeyhive::client::{Client, NewMetric, ReturnType};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = honeyhive_local::LocalServer::builder().start().await?;
/// # let client = Client::builder().api_key("hh_local").server_url(server.url()).build()?;
/// let code = "def is_short(event):\n    return len(event['outputs']['answer']) < 200";
/// let short = NewMetric::python("is_short", code).return_type(ReturnType::Boolean);
/// let short = client.metrics().create(&short).await?;
/// assert_eq!(client.metrics().get(&short).await?.ok_or("it was just made")?.name, "is_short");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// All of them: [`ClientError`].
#[derive(Debug, Clone, Copy)]
pub struct Metrics<'c> {
    client: &'c Client,
}

open_enum! {
    /// The kind of value that a metric measures.
    ReturnType {
        /// A number.
        Float = "float",
        /// Yes or no.
        Boolean = "boolean",
        /// A text.
        Text = "string",
        /// A category of the metric.
        Categorical = "categorical",
    }
}

/// A metric, as HoneyHive has it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Metric {
    /// The metric's id.
    pub id: String,
    /// The metric's name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// The kind of the metric: a program, a model or people measure it.
    #[serde(rename = "type")]
    pub kind: Option<MetricKind>,
    /// The program, the prompt, or the question for people.
    #[serde(deserialize_with = "or_default")]
    pub criteria: String,
    /// A text about the metric.
    pub description: Option<String>,
    /// The kind of value that is measured.
    pub return_type: Option<ReturnType>,
    /// Whether events are measured as they arrive.
    pub enabled_in_prod: Option<bool>,
    /// Whether the metric needs a ground truth.
    pub needs_ground_truth: Option<bool>,
    /// The share of events that are measured, in per cent.
    #[serde(deserialize_with = "number")]
    pub sampling_percentage: Option<f64>,
    /// The provider of the model.
    pub model_provider: Option<String>,
    /// The model.
    pub model_name: Option<String>,
    /// The largest value.
    #[serde(deserialize_with = "number")]
    pub scale: Option<f64>,
    /// The values that pass.
    pub threshold: Option<Value>,
    /// The categories of the metric, each with its number.
    #[serde(deserialize_with = "or_default")]
    pub categories: Vec<Value>,
    /// The events that are measured.
    pub filters: Option<Value>,
    /// The time of creation (ISO 8601).
    pub created_at: Option<String>,
    /// The time of the last change (ISO 8601).
    pub updated_at: Option<String>,
}

/// A metric to be made, or one to be tried.
#[derive(Debug, Clone)]
#[must_use = "it is made by `Metrics::create`"]
pub struct NewMetric(Body);

impl NewMetric {
    fn new(name: String, kind: MetricKind, criteria: String) -> Self {
        let body = Body::default().set("name", name).set("type", kind);
        Self(body.set("criteria", criteria))
    }

    /// A metric that a program at HoneyHive measures, with the program.
    pub fn python(name: impl Into<String>, code: impl Into<String>) -> Self {
        Self::new(name.into(), MetricKind::Python, code.into())
    }

    /// A metric that a language model measures, with its prompt.
    pub fn llm(name: impl Into<String>, prompt: impl Into<String>) -> Self {
        Self::new(name.into(), MetricKind::Llm, prompt.into())
    }

    /// A metric that people measure, with their question.
    pub fn human(name: impl Into<String>, question: impl Into<String>) -> Self {
        Self::new(name.into(), MetricKind::Human, question.into())
    }
}

/// Changes of a metric; fields that are not given stay.
#[derive(Debug, Clone, Default)]
#[must_use = "it is made by `Metrics::update`"]
pub struct UpdateMetric(Body);

impl UpdateMetric {
    /// Returns no changes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another name.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self(self.0.set("name", name.into()))
    }

    /// Another program, prompt or question.
    pub fn criteria(self, text: impl Into<String>) -> Self {
        Self(self.0.set("criteria", text.into()))
    }
}

macro_rules! fields_of_metric {
    ($($name:ident),*) => {$(
        impl $name {
            /// A text about the metric.
            pub fn description(self, text: impl Into<String>) -> Self {
                Self(self.0.set("description", text.into()))
            }

            /// The kind of value that is measured (default: a number).
            pub fn return_type(self, of: ReturnType) -> Self {
                Self(self.0.set("return_type", of))
            }

            /// Whether events are measured as they arrive (default: no).
            pub fn enabled_in_prod(self, on: bool) -> Self {
                Self(self.0.set("enabled_in_prod", on))
            }

            /// The share of events that are measured, in per cent (default 10).
            pub fn sampling_percentage(self, share: f64) -> Self {
                Self(self.0.set("sampling_percentage", share))
            }

            /// The model and its provider.
            pub fn model(self, provider: impl Into<String>, name: impl Into<String>) -> Self {
                let body = self.0.set("model_provider", provider.into());
                Self(body.set("model_name", name.into()))
            }

            /// The largest value.
            pub fn scale(self, largest: u32) -> Self {
                Self(self.0.set("scale", largest))
            }

            /// The values that pass: an object with `min`, `max`, `pass_when` or `passing_categories`.
            pub fn threshold(self, map: impl Serialize) -> Self {
                Self(self.0.object("threshold", map))
            }

            /// The categories of the metric, each with its number.
            pub fn categories(self, of: impl IntoIterator<Item = (impl Into<String>, Option<f64>)>) -> Self {
                let of = of.into_iter().map(|(name, score)| {
                    let name: String = name.into();
                    json!({"category": name, "score": score})
                });
                let of: Vec<Value> = of.collect();
                Self(self.0.set("categories", of))
            }
        }
    )*};
}
fields_of_metric!(NewMetric, UpdateMetric);

/// A version of a metric.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MetricVersion {
    /// The metric's name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// HoneyHive's message about the creation of the metric.
    pub message: Option<String>,
    /// The time of the version (ISO 8601).
    pub date: Option<String>,
    /// Whether this version is the one that measures.
    #[serde(deserialize_with = "or_default")]
    pub deployed: bool,
    /// The metric of that version.
    #[serde(deserialize_with = "or_default")]
    pub content: Map<String, Value>,
}

/// The measure of an event by a metric that was tried.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Measured {
    /// Whether the metric could be measured.
    #[serde(deserialize_with = "or_default")]
    pub success: bool,
    /// The number, the flag or the text.
    pub result: Value,
    /// The explanation of the value.
    pub explanation: Option<String>,
}

impl<'c> Metrics<'c> {
    fn call(self, method: Method, parts: &[&str]) -> Call<'c> {
        self.client.call(method, &[&["metrics"], parts].concat())
    }

    /// Returns all metrics of the project.
    pub async fn list(&self) -> Result<Vec<Metric>, ClientError> {
        self.call(Method::GET, &[]).take("metrics").await
    }

    /// Returns metrics of one kind.
    pub async fn of_kind(&self, kind: MetricKind) -> Result<Vec<Metric>, ClientError> {
        let call = self.call(Method::GET, &[]).query("type", kind.as_str());
        call.take("metrics").await
    }

    /// Returns one metric; `None` where none has this id.
    pub async fn get(&self, id: &str) -> Result<Option<Metric>, ClientError> {
        let call = self.call(Method::GET, &[]).query("id", id);
        let mut found: Vec<Metric> = call.take("metrics").await?;
        found.retain(|metric| metric.id == id);
        Ok(found.pop())
    }

    /// Makes a metric, and returns its id.
    pub async fn create(&self, new: &NewMetric) -> Result<String, ClientError> {
        let call = self.call(Method::POST, &[]).body(&new.0);
        call.take("metric_id").await
    }

    /// Changes a metric.
    pub async fn update(&self, id: &str, change: &UpdateMetric) -> Result<(), ClientError> {
        let call = self.call(Method::PUT, &[id]).body(&change.0);
        call.done().await
    }

    /// Removes a metric.
    pub async fn delete(&self, id: &str) -> Result<(), ClientError> {
        self.call(Method::DELETE, &[id]).done().await
    }

    /// Returns the versions of a metric, the oldest first.
    pub async fn versions(&self, id: &str) -> Result<Vec<MetricVersion>, ClientError> {
        self.call(Method::GET, &[id, "versions"]).take("data").await
    }

    /// Makes a version the one that measures.
    pub async fn deploy(&self, id: &str, version: &str) -> Result<MetricVersion, ClientError> {
        let call = self.call(Method::POST, &[id, "versions", version, "deploy"]);
        call.repeatable().take("data").await
    }

    /// Tries a metric on an event: an object with `event_type`, `event_name`, `inputs`, `outputs` and, in `feedback`, a
    /// `ground_truth`. Nothing is kept.
    pub async fn run(
        &self,
        metric: &NewMetric,
        event: impl Serialize,
    ) -> Result<Measured, ClientError> {
        let body = Body::default()
            .nested("metric", &metric.0)
            .object("event", event);
        let call = self.call(Method::POST, &["run"]).body(&body).repeatable();
        call.whole("result").await
    }
}
