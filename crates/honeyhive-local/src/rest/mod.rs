//! These types read the bodies of the REST calls.

mod batch;
mod dataset;
mod event;
mod fields;
mod metric;
mod plain;
mod run;
mod search;
mod session;
mod shape;
mod update;

pub(crate) use batch::{check_batch, check_session_batch, single_session};
pub(crate) use dataset::{
    FromEvents, changed_datapoint, changed_dataset, changed_dataset_legacy, datapoint_of_event,
    mapped_datapoints, new_datapoint, new_dataset,
};
pub(crate) use event::{PostOptions, Posted, answer as event_answer, parse as parse_event};
pub(crate) use metric::{changed_metric, changed_metric_legacy, new_metric, new_version, trial};
pub(crate) use plain::{
    changed_chart, changed_configuration, changed_queue, new_chart, new_configuration, new_queue,
};
pub(crate) use run::{blank_run, changed_run, new_run, run_answer};
pub(crate) use search::{Filter, Operator, Search, date_range};
pub(crate) use session::{
    answer as session_answer, check_fields as check_session_fields, parse as parse_session,
};
pub(crate) use update::Update;

/// `Invalid` tells the client why a body was refused.
#[derive(Debug)]
pub(crate) struct Invalid(pub(crate) String);
