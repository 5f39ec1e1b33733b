//! A metric defines one of HoneyHive's own evaluators.

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
    /// Returns the calls about metrics.
    #[must_use]
    pub const fn metrics(&self) -> Metrics<'_> {
        Metrics { client: self }
    }
}

/// The handle makes the calls about metrics; it comes from [`Client::metrics`].
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
/// Every call fails with a [`ClientError`].
#[derive(Debug, Clone, Copy)]
pub struct Metrics<'c> {
    client: &'c Client,
}

open_enum! {
    /// A metric measures a value of one of these kinds.
    ReturnType {
        /// The value is a number.
        Float = "float",
        /// The value is yes or no.
        Boolean = "boolean",
        /// The value is a text.
        Text = "string",
        /// The value is a category of the metric.
        Categorical = "categorical",
    }
}

/// A metric says how events are measured, as HoneyHive has it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Metric {
    /// The id names the metric in calls.
    pub id: String,
    /// The metric has this name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// The kind says who measures: a program, a model or people.
    #[serde(rename = "type")]
    pub kind: Option<MetricKind>,
    /// The criteria are the program, the prompt, or the question for people.
    #[serde(deserialize_with = "or_default")]
    pub criteria: String,
    /// The description is a text about the metric.
    pub description: Option<String>,
    /// The measured value is of this kind.
    pub return_type: Option<ReturnType>,
    /// The flag says whether events are measured as they arrive.
    pub enabled_in_prod: Option<bool>,
    /// The flag says whether the metric needs a ground truth.
    pub needs_ground_truth: Option<bool>,
    /// The share of events that are measured is in per cent.
    #[serde(deserialize_with = "number")]
    pub sampling_percentage: Option<f64>,
    /// The provider offers the model that measures, such as `openai`.
    pub model_provider: Option<String>,
    /// The model that measures the events has this name.
    pub model_name: Option<String>,
    /// The scale ends at this value.
    #[serde(deserialize_with = "number")]
    pub scale: Option<f64>,
    /// Values within the threshold pass.
    pub threshold: Option<Value>,
    /// Each category of the metric has a number.
    #[serde(deserialize_with = "or_default")]
    pub categories: Vec<Value>,
    /// The filters select the events that are measured.
    pub filters: Option<Value>,
    /// The time of creation is in ISO 8601.
    pub created_at: Option<String>,
    /// The time of the last change is in ISO 8601.
    pub updated_at: Option<String>,
}

/// `NewMetric` describes a metric to create, or to try without storing it.
#[derive(Debug, Clone)]
#[must_use = "it is made by `Metrics::create`"]
pub struct NewMetric(Body);

impl NewMetric {
    fn new(name: String, kind: MetricKind, criteria: String) -> Self {
        let body = Body::default().set("name", name).set("type", kind);
        Self(body.set("criteria", criteria))
    }

    /// Returns a metric that a program at HoneyHive measures, with the program.
    pub fn python(name: impl Into<String>, code: impl Into<String>) -> Self {
        Self::new(name.into(), MetricKind::Python, code.into())
    }

    /// Returns a metric that a language model measures, with its prompt.
    pub fn llm(name: impl Into<String>, prompt: impl Into<String>) -> Self {
        Self::new(name.into(), MetricKind::Llm, prompt.into())
    }

    /// Returns a metric that people measure, with their question.
    pub fn human(name: impl Into<String>, question: impl Into<String>) -> Self {
        Self::new(name.into(), MetricKind::Human, question.into())
    }
}

/// An update changes a metric; fields that are not given stay.
#[derive(Debug, Clone, Default)]
#[must_use = "it is made by `Metrics::update`"]
pub struct UpdateMetric(Body);

impl UpdateMetric {
    /// Returns no changes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets another name.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self(self.0.set("name", name.into()))
    }

    /// Sets another program, prompt or question.
    pub fn criteria(self, text: impl Into<String>) -> Self {
        Self(self.0.set("criteria", text.into()))
    }
}

macro_rules! fields_of_metric {
    ($($name:ident),*) => {$(
        impl $name {
            /// Sets a text about the metric.
            pub fn description(self, text: impl Into<String>) -> Self {
                Self(self.0.set("description", text.into()))
            }

            /// Sets the kind of value that is measured (default: a number).
            pub fn return_type(self, of: ReturnType) -> Self {
                Self(self.0.set("return_type", of))
            }

            /// Sets whether events are measured as they arrive (default: no).
            pub fn enabled_in_prod(self, on: bool) -> Self {
                Self(self.0.set("enabled_in_prod", on))
            }

            /// Sets the share of events that are measured, in per cent (default 10).
            pub fn sampling_percentage(self, share: f64) -> Self {
                Self(self.0.set("sampling_percentage", share))
            }

            /// Sets the model and its provider.
            pub fn model(self, provider: impl Into<String>, name: impl Into<String>) -> Self {
                let body = self.0.set("model_provider", provider.into());
                Self(body.set("model_name", name.into()))
            }

            /// Sets the top of the rating scale.
            pub fn scale(self, largest: u32) -> Self {
                Self(self.0.set("scale", largest))
            }

            /// Sets the values that pass: an object with `min`, `max`, `pass_when` or `passing_categories`.
            pub fn threshold(self, map: impl Serialize) -> Self {
                Self(self.0.object("threshold", map))
            }

            /// Sets the categories of the metric, each with its number.
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

/// A version keeps a metric as it is at a time.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MetricVersion {
    /// The name is that of the metric.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// HoneyHive's message tells of the creation of the metric.
    pub message: Option<String>,
    /// The time of the version is in ISO 8601.
    pub date: Option<String>,
    /// The flag says whether this version is the one that measures.
    #[serde(deserialize_with = "or_default")]
    pub deployed: bool,
    /// The content is the metric of that version.
    #[serde(deserialize_with = "or_default")]
    pub content: Map<String, Value>,
}

/// A trial of a metric on an event gives such a measure.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Measured {
    /// The flag says whether the metric could be measured.
    #[serde(deserialize_with = "or_default")]
    pub success: bool,
    /// The result is the number, the flag or the text.
    pub result: Value,
    /// The explanation gives the reason for the value.
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
