//! Two runs of an experiment are compared.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::params::Params;
use super::runs::{aggregate, filters, metric_kinds, side};
use crate::experiments::{self, Aggregate};
use crate::reply::{Answer, Reply};
use crate::rest::Filter;
use crate::shared::Server;

/// A page of compared events has at most this many.
const MOST_PAIRS: u64 = 1000;

/// Answers `GET /v1/runs/{new}/compare/{old}`.
pub(super) async fn compare(
    State(shared): State<Server>,
    Path((new, old)): Path<(String, String)>,
    params: Params,
) -> Answer {
    let aggregate = aggregate(&params)?;
    compared(&shared, new, old, aggregate, filters(&params, "filters")?).await
}

/// Answers `GET /v1/runs/{new}/compare-with/{old}`: any text is taken for an aggregate, and an unknown one is the average.
pub(super) async fn compare_legacy(
    State(shared): State<Server>,
    Path((new, old)): Path<(String, String)>,
    params: Params,
) -> Answer {
    let aggregate = params.text("aggregate_function").and_then(Aggregate::named);
    let filters = filters(&params, "filters")?;
    compared(&shared, new, old, aggregate.unwrap_or_default(), filters).await
}

async fn compared(
    shared: &Server,
    new: String,
    old: String,
    aggregate: Aggregate,
    filters: Vec<Filter>,
) -> Answer {
    let comparison = shared.read(move |reading| {
        let (new, old) = (
            side(reading, &new, &filters)?,
            side(reading, &old, &filters)?,
        );
        let kinds = metric_kinds(reading)?;
        Ok(experiments::compare(&new, &old, aggregate, &kinds))
    });
    Ok(Reply::json(&comparison.await?))
}

/// Answers `GET /v1/runs/{new}/compare/{old}/events`.
pub(super) async fn compare_events(
    State(shared): State<Server>,
    Path((new, old)): Path<(String, String)>,
    params: Params,
) -> Answer {
    paired(&shared, new, old, &params).await
}

/// Answers `GET /v1/runs/compare/events?run_id_1=&run_id_2=`.
pub(super) async fn compare_events_legacy(State(shared): State<Server>, params: Params) -> Answer {
    let id = |name: &str| {
        let missing = || Reply::bad_request(&format!("`{name}` is missing"));
        params.text(name).map(str::to_owned).ok_or_else(missing)
    };
    paired(&shared, id("run_id_1")?, id("run_id_2")?, &params).await
}

async fn paired(shared: &Server, first: String, second: String, params: &Params) -> Answer {
    let wanted = ["event_name", "event_type"].map(|name| params.text(name).map(str::to_owned));
    let filters = filters(params, "filter")?;
    let limit = params.number("limit", MOST_PAIRS, MOST_PAIRS)?;
    let page = params.number("page", 1, u64::from(u32::MAX))?;
    let pairs = shared.read(move |reading| {
        let first = side(reading, &first, &filters)?;
        let second = side(reading, &second, &[])?;
        let [name, kind] = &wanted;
        Ok(experiments::pairs(&first, &second, |row| {
            name.as_ref().is_none_or(|name| row.event_name == *name)
                && kind.as_ref().is_none_or(|kind| row.event_type == *kind)
        }))
    });
    let pairs = pairs.await?;
    let (limit, page) = (limit as usize, page as usize);
    let shown = pairs
        .iter()
        .skip(limit.saturating_mul(page - 1))
        .take(limit);
    let shown: Vec<&Value> = shown.collect();
    Ok(Reply::json(
        &json!({ "events": shown, "totalEvents": pairs.len() }),
    ))
}
