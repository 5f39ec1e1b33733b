//! OTLP brings spans in protobuf or JSON, which become events.

mod event;
#[cfg(test)]
mod fuzz;
mod json;
mod protobuf;
mod scan;
mod span;

use serde_json::Value;

use crate::model::Arrival;
use crate::rest::Invalid;

pub(crate) use json::spans as spans_from_json;
pub(crate) use protobuf::spans as spans_from_protobuf;
pub(crate) use span::Span;

/// Returns the event that a span becomes.
pub(crate) fn arrival(span: Span) -> Arrival {
    event::arrival(span)
}

/// Returns the number of data points of a metrics request in protobuf.
pub(crate) fn data_points_in_protobuf(body: &[u8]) -> Result<u64, Invalid> {
    scan::records(body, &scan::METRICS)
}

/// Returns the number of records of a logs request in protobuf.
pub(crate) fn log_records_in_protobuf(body: &[u8]) -> Result<u64, Invalid> {
    scan::records(body, &scan::LOGS)
}

/// Returns the number of data points of a metrics request in JSON.
pub(crate) fn data_points_in_json(body: &Value) -> u64 {
    let groups = all(body, "resourceMetrics");
    let scopes = groups.flat_map(|group| all(group, "scopeMetrics"));
    let metrics = scopes.flat_map(|scope| all(scope, "metrics"));
    let points = metrics.flat_map(|metric| metric.as_object().into_iter().flatten());
    let points = points.map(|(_, data)| all(data, "dataPoints").count() as u64);
    points.sum()
}

/// Returns the number of records of a logs request in JSON.
pub(crate) fn log_records_in_json(body: &Value) -> u64 {
    let groups = all(body, "resourceLogs");
    let scopes = groups.flat_map(|group| all(group, "scopeLogs"));
    let records = scopes.map(|scope| all(scope, "logRecords").count() as u64);
    records.sum()
}

fn all<'v>(parent: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    parent[key].as_array().into_iter().flatten()
}
