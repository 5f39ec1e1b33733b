//! A configuration is a prompt, and the model that it is for.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::body::Body;
use super::call::Call;
use super::error::ClientError;
use super::handle::Client;
use super::open::{object, open_enum, or_default};
use super::template::Template;

impl Client {
    /// Returns the calls about configurations.
    #[must_use]
    pub const fn configurations(&self) -> Configurations<'_> {
        Configurations { client: self }
    }
}

/// The handle makes the calls about configurations; it comes from [`Client::configurations`]. A service that needs the
/// prompt for its model uses [`Client::deployed_prompt`].
///
/// # Errors
///
/// Every call fails with a [`ClientError`].
#[derive(Debug, Clone, Copy)]
pub struct Configurations<'c> {
    client: &'c Client,
}

open_enum! {
    /// A configuration is deployed to such environments.
    Environment {
        /// Development uses this environment.
        Dev = "dev",
        /// Tests use this environment.
        Staging = "staging",
        /// The service that users reach is in this environment.
        Prod = "prod",
    }
}

/// A configuration names a model and holds the prompt for it, as HoneyHive has them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Configuration {
    /// The id names the configuration in calls.
    #[serde(alias = "_id")]
    pub id: String,
    /// A program finds its prompt by this name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// The kind of the prompt is `LLM` or `pipeline`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The provider offers the model.
    #[serde(deserialize_with = "or_default")]
    pub provider: String,
    /// The parameters name the model and hold the prompt.
    #[serde(deserialize_with = "or_default")]
    pub parameters: Parameters,
    /// The configuration is deployed to these environments.
    #[serde(deserialize_with = "or_default")]
    pub env: Vec<Environment>,
    /// Tags help to find a configuration.
    #[serde(deserialize_with = "or_default")]
    pub tags: Vec<String>,
    /// The user properties tell who has made the configuration.
    #[serde(deserialize_with = "object")]
    pub user_properties: Map<String, Value>,
    /// The time of creation is in ISO 8601.
    pub created_at: Option<String>,
    /// The time of the last change is in ISO 8601.
    pub updated_at: Option<String>,
}

/// The parameters of a configuration name the model and hold the prompt.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Parameters {
    /// The type of the call is `chat` or `completion`.
    pub call_type: Option<String>,
    /// The model answers the prompt.
    #[serde(deserialize_with = "or_default")]
    pub model: String,
    /// The hyperparameters are those of the model, such as its temperature.
    #[serde(deserialize_with = "object")]
    pub hyperparameters: Map<String, Value>,
    /// The template becomes the prompt.
    #[serde(deserialize_with = "or_default")]
    pub template: Template,
    /// The model answers in this format.
    #[serde(rename = "responseFormat")]
    pub response_format: Option<Value>,
    /// The model may call these functions.
    #[serde(rename = "selectedFunctions", deserialize_with = "or_default")]
    pub selected_functions: Vec<Value>,
    /// The model uses functions in this way: `none`, `auto` or `force`.
    #[serde(rename = "functionCallParams")]
    pub function_call_params: Option<String>,
    /// The model has to call this function.
    #[serde(rename = "forceFunction")]
    pub force_function: Option<Value>,
}

/// A new configuration is made, or replaces another.
#[derive(Debug, Clone)]
#[must_use = "it is made by `Configurations::create`"]
pub struct NewConfiguration(Body);

impl NewConfiguration {
    /// Returns a configuration of a language model: its name, the provider of the model, and an object with at least
    /// `call_type`, `model` and `template`.
    pub fn new(
        name: impl Into<String>,
        provider: impl Into<String>,
        parameters: impl Serialize,
    ) -> Self {
        let body = Body::default().set("name", name.into()).set("type", "LLM");
        let body = body.set("provider", provider.into());
        Self(body.object("parameters", parameters))
    }

    /// Sets the environments that the configuration is deployed to.
    pub fn env(self, environments: impl IntoIterator<Item = Environment>) -> Self {
        let environments: Vec<_> = environments.into_iter().collect();
        Self(self.0.set("env", environments))
    }

    /// Sets tags, by which a configuration is found.
    pub fn tags(self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let tags: Vec<String> = tags.into_iter().map(Into::into).collect();
        Self(self.0.set("tags", tags))
    }
}

impl<'c> Configurations<'c> {
    fn call(self, method: Method, parts: &[&str]) -> Call<'c> {
        self.client
            .call(method, &[&["configurations"], parts].concat())
    }

    /// Returns all configurations of the project.
    pub async fn list(&self) -> Result<Vec<Configuration>, ClientError> {
        self.call(Method::GET, &[]).take("configurations").await
    }

    /// Returns configurations with this name.
    pub async fn named(&self, name: &str) -> Result<Vec<Configuration>, ClientError> {
        let call = self.call(Method::GET, &[]).query("name", name);
        let mut found: Vec<Configuration> = call.take("configurations").await?;
        found.retain(|it| it.name == name);
        Ok(found)
    }

    /// Returns configurations with this name that are deployed to an environment.
    pub async fn deployed(
        &self,
        name: &str,
        environment: Environment,
    ) -> Result<Vec<Configuration>, ClientError> {
        let mut found: Vec<_> = self
            .deployed_call(name, &environment)
            .take("configurations")
            .await?;
        found.retain(|it| is_deployed(it, name, &environment));
        Ok(found)
    }

    pub(super) fn deployed_call(self, name: &str, environment: &Environment) -> Call<'c> {
        let call = self.call(Method::GET, &[]).query("name", name);
        call.query("env", environment.as_str())
    }

    /// Makes a configuration, and returns its id.
    pub async fn create(&self, new: &NewConfiguration) -> Result<String, ClientError> {
        let call = self.call(Method::POST, &[]).body(&new.0);
        call.take("insertedId").await
    }

    /// Replaces a configuration by another.
    pub async fn replace(&self, id: &str, new: &NewConfiguration) -> Result<(), ClientError> {
        self.call(Method::PUT, &[id]).body(&new.0).done().await
    }

    /// Removes a configuration.
    pub async fn delete(&self, id: &str) -> Result<(), ClientError> {
        self.call(Method::DELETE, &[id]).done().await
    }
}

/// Returns whether a configuration is the deployed one: HoneyHive may take its filters less literally, so they are
/// checked again here.
pub(super) fn is_deployed(it: &Configuration, name: &str, environment: &Environment) -> bool {
    it.name == name && it.env.contains(environment)
}
