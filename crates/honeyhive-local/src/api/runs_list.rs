//! The list of runs has filters, an order and pages.

use serde_json::{Value, json};

use super::params::Params;
use super::records::{self, Kind};
use crate::model::{canonical_id, parse_iso};
use crate::reply::Reply;
use crate::rest::{self, run_answer};
use crate::store::{Failed, Reading};

const MOST: u64 = 100;
const USUAL: u64 = 20;
const ORDERS: [&str; 4] = ["created_at", "updated_at", "name", "status"];

/// `Wanted` says which runs are asked for, and in which order.
#[derive(Debug)]
pub(super) struct Wanted {
    dataset_id: Option<String>,
    name: Option<String>,
    status: Option<String>,
    ids: Vec<String>,
    from: f64,
    to: f64,
    sort_by: String,
    ascending: bool,
    page: u64,
    limit: u64,
}

impl Wanted {
    pub(super) fn of(params: &Params) -> Result<Self, Reply> {
        let text = |name: &str| params.text(name).map(str::to_owned);
        let (from, to) = rest::date_range(params.object("dateRange")?.as_ref())?;
        let sort_by = text("sort_by").unwrap_or_else(|| ORDERS[0].to_owned());
        if !ORDERS.contains(&sort_by.as_str()) {
            return Err(Reply::bad_request(
                "`sort_by` must be created_at, updated_at, name or status",
            ));
        }
        let ascending = match params.text("sort_order") {
            None | Some("desc") => false,
            Some("asc") => true,
            Some(_) => return Err(Reply::bad_request("`sort_order` must be asc or desc")),
        };
        Ok(Self {
            dataset_id: text("dataset_id"),
            name: text("name"),
            status: text("status"),
            ids: params
                .list("run_ids")
                .into_iter()
                .map(canonical_id)
                .collect(),
            from,
            to,
            sort_by,
            ascending,
            page: params.number("page", 1, u64::from(u32::MAX))?,
            limit: params.number("limit", USUAL, MOST)?,
        })
    }

    fn lets_through(&self, run: &Value) -> bool {
        let is = |wanted: &Option<String>, name: &str| {
            wanted.as_ref().is_none_or(|wanted| run[name] == *wanted)
        };
        let name = run["name"].as_str().unwrap_or_default().to_lowercase();
        let named = |wanted: &String| name.contains(&wanted.to_lowercase());
        let created = run["created_at"].as_str().and_then(parse_iso);
        is(&self.dataset_id, "dataset_id")
            && is(&self.status, "status")
            && self.name.as_ref().is_none_or(named)
            && (self.ids.is_empty() || self.ids.contains(&records::text(run, "run_id")))
            && created.is_none_or(|created| (self.from..=self.to).contains(&created))
    }
}

/// Returns a page of the wanted runs, as HoneyHive answers with it.
pub(super) fn page(reading: &Reading<'_>, wanted: &Wanted) -> Result<Value, Failed> {
    let all = reading.records(Kind::RUN)?;
    let unfiltered = all.len() as u64;
    let mut runs: Vec<Value> = all
        .into_iter()
        .filter(|run| wanted.lets_through(run))
        .collect();
    runs.sort_by_cached_key(|run| records::text(run, &wanted.sort_by));
    if !wanted.ascending {
        runs.reverse();
    }
    let (total, limit) = (runs.len() as u64, wanted.limit);
    let pages = total.div_ceil(limit);
    let skipped = usize::try_from(limit.saturating_mul(wanted.page - 1)).unwrap_or(usize::MAX);
    let shown = runs.iter().skip(skipped).take(limit as usize);
    let (mut evaluations, mut metrics) = (Vec::new(), Vec::new());
    for run in shown {
        let dataset = match run["dataset_id"].as_str() {
            Some(id) => reading.record(Kind::DATASET, id)?,
            None => None,
        };
        let name = dataset
            .as_ref()
            .and_then(|dataset| dataset["name"].as_str());
        evaluations.push(run_answer(run, name));
        metrics.extend(reading.metric_names(&records::text(run, "run_id"))?);
    }
    metrics.sort();
    metrics.dedup();
    Ok(json!({
        "evaluations": evaluations,
        "metrics": metrics,
        "pagination": {
            "page": wanted.page,
            "limit": limit,
            "total": total,
            "total_unfiltered": unfiltered,
            "total_pages": pages,
            "has_next": wanted.page < pages,
            "has_prev": wanted.page > 1 && total > 0,
        },
    }))
}
