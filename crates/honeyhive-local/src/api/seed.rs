//! A test may start with a dataset.

use serde_json::{Value, json};

use super::records::{self, Kind};
use crate::rest;
use crate::store::{Failed, Writing};

/// `Seeded` is a dataset with its datapoints, before they are kept.
#[derive(Debug)]
pub(crate) struct Seeded {
    pub(crate) id: String,
    dataset: Value,
    datapoints: Vec<Value>,
}

/// Makes a dataset of these datapoints; a value that is no datapoint becomes an empty one.
pub(crate) fn seed_dataset(name: &str, datapoints: &[Value]) -> Seeded {
    let mut dataset = rest::new_dataset(&json!({ "name": name })).unwrap_or_default();
    let id = records::text(&dataset, "id");
    let datapoints: Vec<Value> = datapoints
        .iter()
        .map(|datapoint| {
            let mut made = rest::new_datapoint(datapoint)
                .or_else(|_| rest::new_datapoint(&json!({})))
                .unwrap_or_default();
            made["linked_datasets"] = json!([id]);
            made
        })
        .collect();
    let ids: Vec<&Value> = datapoints
        .iter()
        .map(|datapoint| &datapoint["id"])
        .collect();
    dataset["datapoints"] = json!(ids);
    Seeded {
        id,
        dataset,
        datapoints,
    }
}

impl Seeded {
    pub(crate) fn keep(&self, writing: &mut Writing<'_>) -> Result<(), Failed> {
        writing.put_record(Kind::DATASET, &self.id, None, &self.dataset)?;
        for datapoint in &self.datapoints {
            let id = records::text(datapoint, "id");
            writing.put_record(Kind::DATAPOINT, &id, None, datapoint)?;
        }
        Ok(())
    }
}
