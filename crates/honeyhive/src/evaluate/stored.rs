//! Some datasets are stored in HoneyHive.

use serde_json::{Value, json};

use super::dataset::{Dataset, Prepared, PreparedRow, Source};
use super::dataset_error::DatasetError;
use super::error::EvaluateError;
use crate::client::Client;

/// Returns a dataset with the ids of its rows, fetched from HoneyHive where it is stored there.
pub(super) async fn prepared(
    mut dataset: Dataset,
    client: &Client,
) -> Result<Prepared, EvaluateError> {
    match std::mem::replace(&mut dataset.source, Source::Rows(Vec::new())) {
        Source::Rows(rows) => Ok(dataset.prepared(rows)?),
        Source::Stored(id) => {
            let rows = rows_of(&id, dataset.allow_missing, client).await?;
            Ok(dataset.stored_as(rows, id)?)
        }
    }
}

async fn rows_of(
    id: &str,
    allow_missing: bool,
    client: &Client,
) -> Result<Vec<PreparedRow>, EvaluateError> {
    let stored = client.datasets().get(id).await?;
    let Some(stored) = stored else {
        return Err(DatasetError::NotFound { id: id.to_owned() }.into());
    };
    let found = client.datapoints().get_many(&stored.datapoints).await?;
    let missing = stored
        .datapoints
        .iter()
        .filter(|id| !found.iter().any(|it| it.id == **id));
    let missing: Vec<String> = missing.cloned().collect();
    if !missing.is_empty() && !allow_missing {
        return Err(DatasetError::Missing { ids: missing }.into());
    }
    let rows = found.into_iter().enumerate().map(|(position, datapoint)| {
        let ground_truth = datapoint
            .ground_truth
            .filter(|it| !it.is_empty())
            .map(Value::Object);
        let json = json!({"inputs": datapoint.inputs, "ground_truth": ground_truth});
        PreparedRow::of(json, datapoint.id, position, None)
    });
    Ok(rows.collect())
}
