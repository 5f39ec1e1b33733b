//! A datapoint holds inputs, and the expected outputs.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::body::Body;
use super::call::Call;
use super::error::ClientError;
use super::handle::Client;
use super::open::{first, or_default};

/// A request names this many datapoints at the most: their ids stand in the URL.
const BATCH: usize = 100;

impl Client {
    /// Returns the calls about datapoints.
    #[must_use]
    pub const fn datapoints(&self) -> Datapoints<'_> {
        Datapoints { client: self }
    }
}

/// The handle makes the calls about datapoints; it comes from [`Client::datapoints`].
///
/// # Errors
///
/// Every call fails with a [`ClientError`].
#[derive(Debug, Clone, Copy)]
pub struct Datapoints<'c> {
    client: &'c Client,
}

/// A datapoint holds inputs and expected outputs, as HoneyHive has them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Datapoint {
    /// The id names the datapoint in calls.
    #[serde(alias = "_id")]
    pub id: String,
    /// The function gets these inputs.
    #[serde(deserialize_with = "or_default")]
    pub inputs: Map<String, Value>,
    /// The history holds the earlier messages of the conversation.
    #[serde(deserialize_with = "or_default")]
    pub history: Vec<Value>,
    /// The ground truth holds the expected outputs.
    pub ground_truth: Option<Map<String, Value>>,
    /// The metadata holds facts about the datapoint.
    pub metadata: Option<Map<String, Value>>,
    /// The datapoint is made of this event.
    pub linked_event: Option<String>,
    /// The datapoint is in the datasets with these ids.
    #[serde(deserialize_with = "or_default")]
    pub linked_datasets: Vec<String>,
    /// The time of creation is in ISO 8601.
    pub created_at: Option<String>,
    /// The time of the last change is in ISO 8601.
    pub updated_at: Option<String>,
}

/// A new datapoint is made of these fields.
#[derive(Debug, Clone)]
#[must_use = "it is made by `Datapoints::create`"]
pub struct NewDatapoint(Body);

/// An update changes a datapoint; fields that are not given stay.
#[derive(Debug, Clone, Default)]
#[must_use = "it is made by `Datapoints::update`"]
pub struct UpdateDatapoint(Body);

impl NewDatapoint {
    /// Returns a datapoint with these inputs: anything that serialises to an object.
    pub fn new(inputs: impl Serialize) -> Self {
        Self(Body::default().object("inputs", inputs))
    }
}

impl UpdateDatapoint {
    /// Returns no changes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets other inputs: anything that serialises to an object.
    pub fn inputs(self, map: impl Serialize) -> Self {
        Self(self.0.object("inputs", map))
    }
}

macro_rules! fields_of_datapoint {
    ($($name:ident),*) => {$(
        impl $name {
            /// Sets the expected outputs: anything that serialises to an object.
            pub fn ground_truth(self, map: impl Serialize) -> Self {
                Self(self.0.object("ground_truth", map))
            }

            /// Sets the earlier messages of the conversation.
            pub fn history(self, messages: impl IntoIterator<Item = impl Serialize>) -> Self {
                let messages: Vec<_> = messages.into_iter().collect();
                Self(self.0.set("history", messages))
            }

            /// Sets facts about the datapoint: anything that serialises to an object.
            pub fn metadata(self, map: impl Serialize) -> Self {
                Self(self.0.object("metadata", map))
            }

            /// Sets the event that the datapoint is made of.
            pub fn linked_event(self, id: impl Into<String>) -> Self {
                Self(self.0.set("linked_event", id.into()))
            }

            /// Sets the ids of all datasets of the datapoint.
            pub fn linked_datasets(self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
                let ids: Vec<String> = ids.into_iter().map(Into::into).collect();
                Self(self.0.set("linked_datasets", ids))
            }
        }
    )*};
}
fields_of_datapoint!(NewDatapoint, UpdateDatapoint);

impl<'c> Datapoints<'c> {
    fn call(self, method: Method, parts: &[&str]) -> Call<'c> {
        self.client.call(method, &[&["datapoints"], parts].concat())
    }

    /// Returns one datapoint; `None` where none has this id.
    pub async fn get(&self, id: &str) -> Result<Option<Datapoint>, ClientError> {
        // HoneyHive answers with a list of one.
        let found = self.call(Method::GET, &[id]).take_one("datapoint").await;
        match found {
            Err(error) if error.is_not_found() => Ok(None),
            found => found,
        }
    }

    /// Returns datapoints by their ids, in that order; ids without a datapoint are left out. One call for each 100.
    pub async fn get_many<T: AsRef<str> + Sync>(
        &self,
        ids: &[T],
    ) -> Result<Vec<Datapoint>, ClientError> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(BATCH) {
            let call = self.call(Method::GET, &[]);
            let call = call.queries("datapoint_ids[]", ids);
            let some: Vec<Datapoint> = call.take("datapoints").await?;
            let of = |id: &T| some.iter().find(|it| it.id == id.as_ref()).cloned();
            found.extend(ids.iter().filter_map(of));
        }
        Ok(found)
    }

    /// Returns the datapoints of the datasets with this name.
    pub async fn of_dataset_named(&self, name: &str) -> Result<Vec<Datapoint>, ClientError> {
        let call = self.call(Method::GET, &[]).query("dataset_name", name);
        call.take("datapoints").await
    }

    /// Makes a datapoint, and returns its id.
    pub async fn create(&self, new: &NewDatapoint) -> Result<String, ClientError> {
        #[derive(Deserialize)]
        struct Made {
            #[serde(rename = "insertedIds", deserialize_with = "first")]
            id: String,
        }
        let call = self.call(Method::POST, &[]).body(&new.0);
        let made: Made = call.take("result").await?;
        Ok(made.id)
    }

    /// Makes a datapoint of each of these events (or sessions), with the event's inputs as inputs and its outputs as
    /// ground truth, in a dataset where one is given. Returns their ids.
    pub async fn create_from_events<T: AsRef<str>>(
        &self,
        events: &[T],
        dataset: Option<&str>,
    ) -> Result<Vec<String>, ClientError> {
        let checked: Map<String, Value> = events
            .iter()
            .map(|id| (id.as_ref().to_owned(), Value::Bool(true)))
            .collect();
        let body = Body::default().set("checkState", checked);
        let body = match dataset {
            Some(id) => body.set("dataset_id", id),
            None => body,
        };
        let call = self.call(Method::POST, &["batch"]).body(&body);
        call.take("insertedIds").await
    }

    /// Changes a datapoint.
    pub async fn update(&self, id: &str, change: &UpdateDatapoint) -> Result<(), ClientError> {
        let call = self.call(Method::PUT, &[id]).body(&change.0);
        call.done().await
    }

    /// Removes a datapoint, also from its datasets.
    pub async fn delete(&self, id: &str) -> Result<(), ClientError> {
        self.call(Method::DELETE, &[id]).done().await
    }
}
