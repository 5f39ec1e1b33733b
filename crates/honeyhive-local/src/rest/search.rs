//! `POST /v1/events/search` and `POST /v1/events/export` have conditions.

use serde_json::Value;

use super::Invalid;
use super::shape::{Kind, Shape};
use crate::model::{Object, parse_iso};

const SEARCH: Shape = Shape {
    strict: true,
    required: &[],
    fields: &[
        ("filters", Kind::Objects),
        ("dateRange", Kind::Object),
        ("limit", Kind::Number),
        ("page", Kind::Number),
        ("evaluation_id", Kind::Text),
        ("ignore_order", Kind::Bool),
    ],
};

const EXPORT: Shape = Shape {
    strict: false,
    required: &[],
    fields: &[
        ("filters", Kind::Objects),
        ("dateRange", Kind::Object),
        ("projections", Kind::Texts),
        ("limit", Kind::Number),
        ("page", Kind::Number),
        ("evaluation_id", Kind::Text),
    ],
};

const FILTER: Shape = Shape {
    strict: true,
    required: &["field", "operator"],
    fields: &[
        ("field", Kind::Filled),
        ("operator", Kind::OneOf(&OPERATORS)),
        ("value", Kind::Any),
        (
            "type",
            Kind::OneOf(&["string", "number", "boolean", "datetime"]),
        ),
    ],
};

const OPERATORS: [&str; 10] = [
    "exists",
    "not exists",
    "is",
    "is not",
    "contains",
    "not contains",
    "greater than",
    "less than",
    "after",
    "before",
];

const MOST_FOUND: u64 = 1000;
const MOST_EXPORTED: u64 = 7500;

/// An `Operator` compares a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Exists,
    NotExists,
    Is,
    IsNot,
    Contains,
    NotContains,
    Above,
    Below,
}

/// A `Filter` is a condition of a search.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter {
    /// The parts of the field's name: `metadata.run_id` is two.
    pub(crate) path: Vec<String>,
    pub(crate) operator: Operator,
    pub(crate) value: Value,
}

/// A `Search` looks for sessions and events; all its conditions must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Search {
    pub(crate) filters: Vec<Filter>,
    /// The bounds of the start, in Unix milliseconds, both included.
    pub(crate) from: Option<f64>,
    pub(crate) to: Option<f64>,
    pub(crate) run_id: Option<String>,
    /// The fields to answer with; all where none is named.
    pub(crate) projections: Vec<String>,
    pub(crate) limit: u64,
    pub(crate) page: u64,
}

impl Search {
    /// Reads the body of a search.
    pub(crate) fn parse(body: &Value) -> Result<Self, Invalid> {
        let sent = SEARCH.read(body)?;
        let mut search = Self::of(&sent, MOST_FOUND)?;
        if let Some(range) = sent.get("dateRange") {
            search.from = Some(moment(range, "start_time")?.ok_or_else(|| missing("start_time"))?);
            search.to = Some(moment(range, "end_time")?.ok_or_else(|| missing("end_time"))?);
        }
        Ok(search)
    }

    /// Reads the body of an export.
    pub(crate) fn parse_export(body: &Value) -> Result<Self, Invalid> {
        let sent = EXPORT.read(body)?;
        let mut search = Self::of(&sent, MOST_EXPORTED)?;
        if let Some(range) = sent.get("dateRange") {
            search.from = moment(range, "$gte")?;
            search.to = moment(range, "$lte")?;
        }
        let projections = sent.get("projections").and_then(Value::as_array);
        let names = projections.into_iter().flatten().filter_map(Value::as_str);
        search.projections = names.map(str::to_owned).collect();
        Ok(search)
    }

    fn of(sent: &Object, most: u64) -> Result<Self, Invalid> {
        let filters = sent.get("filters").and_then(Value::as_array);
        let filters = filters.into_iter().flatten().map(filter);
        let whole = |name: &str, usual: u64| match sent.get(name) {
            None => Ok(usual),
            Some(value) => {
                let whole = value.as_f64().filter(|number| number.fract() == 0.0);
                let whole = whole.filter(|number| (1.0..=1e9).contains(number));
                let wrong = || Invalid(format!("`{name}` must be a whole number above 0"));
                whole.map(|number| number as u64).ok_or_else(wrong)
            }
        };
        let limit = whole("limit", MOST_FOUND)?;
        if limit > most {
            return Err(Invalid(format!("`limit` must be at most {most}")));
        }
        let run_id = sent.get("evaluation_id").and_then(Value::as_str);
        Ok(Self {
            filters: filters.collect::<Result<_, _>>()?,
            run_id: run_id.map(str::to_owned),
            limit,
            page: whole("page", 1)?,
            ..Self::default()
        })
    }

    /// Reads filters that travel in a query, as JSON.
    pub(crate) fn filters_from(text: &str) -> Result<Vec<Filter>, Invalid> {
        let parsed: Value = serde_json::from_str(text)
            .map_err(|error| Invalid(format!("`filters` must be JSON: {error}")))?;
        match &parsed {
            Value::Array(items) => items.iter().map(filter).collect(),
            object @ Value::Object(_) => Ok(vec![filter(object)?]),
            _ => Err(Invalid("`filters` must be objects".to_owned())),
        }
    }
}

/// Reads one filter.
fn filter(sent: &Value) -> Result<Filter, Invalid> {
    let read = FILTER.read(sent)?;
    let text = |name: &str| read.get(name).and_then(Value::as_str).unwrap_or_default();
    let operator = match text("operator") {
        "exists" => Operator::Exists,
        "not exists" => Operator::NotExists,
        "is" => Operator::Is,
        "is not" => Operator::IsNot,
        "contains" => Operator::Contains,
        "not contains" => Operator::NotContains,
        "greater than" | "after" => Operator::Above,
        _ => Operator::Below,
    };
    let value = read.get("value").cloned().unwrap_or_default();
    if value.is_array() || value.is_object() {
        return Err(Invalid(
            "`value` must be a string, a number, a boolean or null".to_owned(),
        ));
    }
    let path = text("field").split('.').map(str::to_owned).collect();
    Ok(Filter {
        value: typed(&value, text("type"), operator)?,
        path,
        operator,
    })
}

/// Returns a value in the type that the filter names: filters often travel as text.
fn typed(value: &Value, kind: &str, operator: Operator) -> Result<Value, Invalid> {
    let ordered = matches!(operator, Operator::Above | Operator::Below);
    let Some(text) = value.as_str() else {
        return Ok(value.clone());
    };
    let number = || text.trim().parse::<f64>().ok().map(Value::from);
    let wrong = |what: &str| Invalid(format!("`value` must be {what}"));
    match kind {
        "number" => number().ok_or_else(|| wrong("a number")),
        "boolean" => match text {
            "true" => Ok(true.into()),
            "false" => Ok(false.into()),
            _ => Err(wrong("true or false")),
        },
        "datetime" => {
            let moment = parse_iso(text).map(Value::from).or_else(number);
            moment.ok_or_else(|| wrong("a time such as 2026-01-31T12:00:00Z"))
        }
        _ if ordered => Ok(number().unwrap_or_else(|| value.clone())),
        _ => Ok(value.clone()),
    }
}

/// Returns a time that comes as ISO 8601 or in Unix milliseconds.
fn moment(range: &Value, name: &str) -> Result<Option<f64>, Invalid> {
    let read = match range.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => parse_iso(text),
        Some(value) => value.as_f64(),
    };
    let wrong = || {
        Invalid(format!(
            "`dateRange.{name}` must be a time such as 2026-01-31T12:00:00Z"
        ))
    };
    read.map(Some).ok_or_else(wrong)
}

/// Returns the ends of a range that travels in a query, `{$gte, $lte}`; from the beginning to the end of time where
/// none is given.
pub(crate) fn date_range(range: Option<&Value>) -> Result<(f64, f64), Invalid> {
    let Some(range) = range else {
        return Ok((f64::MIN, f64::MAX));
    };
    let from = moment(range, "$gte")?.unwrap_or(f64::MIN);
    Ok((from, moment(range, "$lte")?.unwrap_or(f64::MAX)))
}

fn missing(name: &str) -> Invalid {
    Invalid(format!("`dateRange.{name}` is missing"))
}
