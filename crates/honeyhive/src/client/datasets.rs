//! A dataset has a name and a list of datapoints.

use http::Method;
use serde::{Deserialize, Serialize};

use super::body::Body;
use super::call::Call;
use super::error::ClientError;
use super::handle::Client;
use super::open::or_default;

impl Client {
    /// Returns the calls about datasets.
    #[must_use]
    pub const fn datasets(&self) -> Datasets<'_> {
        Datasets { client: self }
    }
}

/// The handle makes the calls about datasets; it comes from [`Client::datasets`].
///
/// # Errors
///
/// Every call fails with a [`ClientError`].
#[derive(Debug, Clone, Copy)]
pub struct Datasets<'c> {
    client: &'c Client,
}

/// A dataset has a name and a list of datapoints, as HoneyHive has them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Dataset {
    /// The id names the dataset in calls.
    pub id: String,
    /// The dataset has this name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// The description is a text about the dataset.
    pub description: Option<String>,
    /// The ids of the datapoints are in the dataset's order.
    #[serde(deserialize_with = "or_default")]
    pub datapoints: Vec<String>,
    /// The time of creation is in ISO 8601.
    pub created_at: Option<String>,
    /// The time of the last change is in ISO 8601.
    pub updated_at: Option<String>,
}

/// `NewDataset` describes a dataset to create.
#[derive(Debug, Clone)]
#[must_use = "it is made by `Datasets::create`"]
pub struct NewDataset(Body);

impl NewDataset {
    /// Returns a dataset with a name, of 200 characters at the most.
    pub fn named(name: impl Into<String>) -> Self {
        Self(Body::default().set("name", name.into()))
    }

    /// Sets a text about the dataset.
    pub fn description(self, text: impl Into<String>) -> Self {
        Self(self.0.set("description", text.into()))
    }

    /// Adds datapoints that exist already, by their ids.
    pub fn datapoints<T: AsRef<str>>(self, ids: impl IntoIterator<Item = T>) -> Self {
        Self(self.0.set("datapoints", texts(ids)))
    }
}

/// An update changes a dataset; fields that are not given stay.
#[derive(Debug, Clone, Default)]
#[must_use = "it is made by `Datasets::update`"]
pub struct UpdateDataset(Body);

impl UpdateDataset {
    /// Returns no changes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets another name.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self(self.0.set("name", name.into()))
    }

    /// Sets another description.
    pub fn description(self, text: impl Into<String>) -> Self {
        Self(self.0.set("description", text.into()))
    }

    /// Sets the ids of all datapoints that the dataset is to have from now on.
    pub fn datapoints<T: AsRef<str>>(self, ids: impl IntoIterator<Item = T>) -> Self {
        Self(self.0.set("datapoints", texts(ids)))
    }
}

/// A mapping tells which fields of a row become inputs, chat history and ground truth of a datapoint.
#[derive(Debug, Clone, Default, Serialize)]
#[must_use = "it is used by `Datasets::add_rows`"]
pub struct FieldMapping {
    inputs: Vec<String>,
    history: Vec<String>,
    ground_truth: Vec<String>,
}

impl FieldMapping {
    /// Returns a mapping with the fields that are inputs.
    pub fn inputs<T: AsRef<str>>(fields: impl IntoIterator<Item = T>) -> Self {
        Self {
            inputs: texts(fields),
            ..Self::default()
        }
    }

    /// Sets the fields that are the chat history.
    pub fn history<T: AsRef<str>>(mut self, fields: impl IntoIterator<Item = T>) -> Self {
        self.history = texts(fields);
        self
    }

    /// Sets the fields that are the ground truth.
    pub fn ground_truth<T: AsRef<str>>(mut self, fields: impl IntoIterator<Item = T>) -> Self {
        self.ground_truth = texts(fields);
        self
    }
}

fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Vec<String> {
    texts.into_iter().map(|it| it.as_ref().to_owned()).collect()
}

impl<'c> Datasets<'c> {
    fn call(self, method: Method, parts: &[&str]) -> Call<'c> {
        self.client.call(method, &[&["datasets"], parts].concat())
    }

    /// Returns all datasets of the project.
    pub async fn list(&self) -> Result<Vec<Dataset>, ClientError> {
        self.call(Method::GET, &[]).take("datasets").await
    }

    /// Returns datasets with this name.
    pub async fn named(&self, name: &str) -> Result<Vec<Dataset>, ClientError> {
        let call = self.call(Method::GET, &[]).query("name", name);
        call.take("datasets").await
    }

    /// Returns one dataset; `None` where none has this id.
    pub async fn get(&self, id: &str) -> Result<Option<Dataset>, ClientError> {
        let call = self.call(Method::GET, &[]).query("dataset_id", id);
        let mut found: Vec<Dataset> = call.take("datasets").await?;
        found.retain(|dataset| dataset.id == id);
        Ok(found.pop())
    }

    /// Makes a dataset, and returns its id.
    pub async fn create(&self, new: &NewDataset) -> Result<String, ClientError> {
        #[derive(Deserialize)]
        struct Made {
            #[serde(rename = "insertedId")]
            id: String,
        }
        let call = self.call(Method::POST, &[]).body(&new.0);
        let made: Made = call.take("result").await?;
        Ok(made.id)
    }

    /// Changes a dataset, and returns it.
    pub async fn update(&self, id: &str, change: &UpdateDataset) -> Result<Dataset, ClientError> {
        let call = self.call(Method::PUT, &[id]).body(&change.0);
        call.take("result").await
    }

    /// Removes a dataset. Its datapoints stay.
    pub async fn delete(&self, id: &str) -> Result<(), ClientError> {
        self.call(Method::DELETE, &[id]).done().await
    }

    /// Makes datapoints of rows and adds them to a dataset. Returns their ids, in the order of the rows.
    ///
    /// ```
    /// use honeyhive::client::{Client, FieldMapping, NewDataset};
    /// use honeyhive::json;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = honeyhive_local::LocalServer::builder().start().await?;
    /// # let client = Client::builder().api_key("hh_local").server_url(server.url()).build()?;
    /// let dataset = client.datasets().create(&NewDataset::named("capitals")).await?;
    /// let rows = [json!({"country": "Peru", "capital": "Lima"})];
    /// let mapping = FieldMapping::inputs(["country"]).ground_truth(["capital"]);
    /// let ids = client.datasets().add_rows(&dataset, &rows, &mapping).await?;
    /// # let datapoint = client.datapoints().get(&ids[0]).await?.ok_or("it was just made")?;
    /// # assert_eq!(datapoint.ground_truth, json!({"capital": "Lima"}).as_object().cloned());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn add_rows<T: Serialize + Sync>(
        &self,
        id: &str,
        rows: &[T],
        mapping: &FieldMapping,
    ) -> Result<Vec<String>, ClientError> {
        let body = Body::default().set("data", rows).set("mapping", mapping);
        let call = self.call(Method::POST, &[id, "datapoints"]).body(&body);
        call.take("datapoint_ids").await
    }

    /// Takes a datapoint out of a dataset. The datapoint itself stays.
    pub async fn remove_datapoint(&self, id: &str, datapoint: &str) -> Result<(), ClientError> {
        let call = self.call(Method::DELETE, &[id, "datapoints", datapoint]);
        call.done().await
    }
}
