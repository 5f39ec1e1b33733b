//! [`Experiment`] names the run, the dataset and the datapoint that a session is of.

use std::sync::Arc;

use opentelemetry::{KeyValue, Value};

use crate::attributes::EXPERIMENT;

/// The experiment's ids are facts of a session that is part of one. They stand on each of its spans, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Experiment {
    pub(crate) run_id: Arc<str>,
    pub(crate) dataset_id: Option<Arc<str>>,
    pub(crate) datapoint_id: Option<Arc<str>>,
}

impl Experiment {
    /// Returns an experiment by its ids, in the order of [`EXPERIMENT`]; without a run there is none.
    pub(crate) fn of([run_id, dataset_id, datapoint_id]: [Option<Arc<str>>; 3]) -> Option<Self> {
        Some(Self {
            run_id: run_id?,
            dataset_id,
            datapoint_id,
        })
    }

    /// Returns the ids that there are, by their names.
    pub(crate) fn ids(&self) -> impl Iterator<Item = (&'static str, &Arc<str>)> {
        self.all().map(|(name, _, id)| (name, id))
    }

    /// Returns the ids as attributes of a span.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = KeyValue> {
        self.all()
            .map(|(_, key, id)| KeyValue::new(key, Value::from(Arc::clone(id))))
    }

    fn all(&self) -> impl Iterator<Item = (&'static str, &'static str, &Arc<str>)> {
        let ids = [
            Some(&self.run_id),
            self.dataset_id.as_ref(),
            self.datapoint_id.as_ref(),
        ];
        let named = EXPERIMENT.into_iter().zip(ids);
        named.filter_map(|((name, key), id)| Some((name, key, id?)))
    }
}
