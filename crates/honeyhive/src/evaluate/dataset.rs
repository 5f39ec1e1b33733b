//! [`Dataset`] holds the rows that a function is run over.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use super::dataset_error::DatasetError;
use super::ids::{self, Ids};
use super::splitmix::SplitMix64;
use crate::model::json::to_json_as_it_is;

/// A `Dataset` holds the rows that a function is run over: inputs and, where they are known, expected outputs.
///
/// Ids are those of the official Python SDK, so that a run in Rust and one in Python over one file can be compared.
/// They are made before [`take`](Self::take), [`sample`](Self::sample) and [`only`](Self::only) choose, so a part of a
/// dataset has the ids that it has in the whole. Integers beyond 64 bits are the exception: they are read as floats,
/// and the ids of their rows differ from Python's.
///
/// ```
/// use honeyhive::evaluate::{Dataset, Row};
/// use honeyhive::json;
///
/// let pairs = Dataset::new([
///     (json!({"query": "6 * 7?"}), Some(json!({"answer": 42}))),
///     (json!({"query": "a joke?"}), None),
/// ]);
/// let rows = Dataset::new([Row::new(json!({"query": "6 * 7?"})).id("arithmetic-1").trials(5)]).named("arithmetic");
/// # drop((pairs, rows));
/// ```
///
/// `from_jsonl("evals/support.jsonl")?` reads one `{"inputs": …, "ground_truth": …}` per line, as Python's dicts are;
/// and `stored("…")` reads a dataset of HoneyHive.
#[derive(Debug, Clone)]
#[must_use = "it is given to `.dataset(..)`"]
pub struct Dataset {
    pub(super) source: Source,
    name: Option<String>,
    id: Option<String>,
    ids: Ids,
    picks: Vec<Pick>,
    pub(super) allow_missing: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Source {
    Rows(Vec<Row>),
    Stored(String),
}

#[derive(Debug, Clone)]
enum Pick {
    Take(usize),
    Sample(usize, u64),
    Only(HashSet<String>),
}

/// A `Row` of a [`Dataset`] has inputs and perhaps expected outputs.
#[derive(Debug, Clone)]
#[must_use = "it is a part of a `Dataset`"]
pub struct Row {
    json: Result<Value, String>,
    /// The row's line in a file, from 1.
    line: Option<usize>,
}

impl Row {
    /// Returns a row with these inputs: anything that serialises. A value other than an object is sent as `{"input":
    /// …}`.
    pub fn new(inputs: impl Serialize) -> Self {
        let row = Self {
            json: Ok(Value::Object(Map::new())),
            line: None,
        };
        row.with("inputs", inputs)
    }

    /// Sets the expected outputs.
    pub fn ground_truth(self, ground_truth: impl Serialize) -> Self {
        self.with("ground_truth", ground_truth)
    }

    /// Sets an id, instead of one made from the row's contents. `EXT-` is put before it.
    pub fn id(self, id: impl Into<String>) -> Self {
        self.with("id", id.into())
    }

    /// Sets the number of calls of the function for this row, instead of [`trials`](crate::evaluate::Evaluate::trials)
    /// of the run.
    pub fn trials(self, trials: u32) -> Self {
        self.with("trials", trials)
    }

    /// Adds tags to the row.
    pub fn tags(self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let tags: Vec<String> = tags.into_iter().map(Into::into).collect();
        self.with("tags", tags)
    }

    pub(super) fn with(mut self, key: &str, value: impl Serialize) -> Self {
        match (to_json_as_it_is(value), &mut self.json) {
            (Ok(value), Ok(Value::Object(row))) => drop(row.insert(key.to_owned(), value)),
            (Err(error), Ok(_)) => self.json = Err(format!("`{key}` is no JSON: {error}")),
            _ => {}
        }
        self
    }
}

impl<I: Serialize, G: Serialize> From<(I, Option<G>)> for Row {
    fn from((inputs, ground_truth): (I, Option<G>)) -> Self {
        let row = Self::new(inputs);
        match ground_truth {
            Some(ground_truth) => row.ground_truth(ground_truth),
            None => row,
        }
    }
}

impl Dataset {
    const fn of(source: Source) -> Self {
        Self {
            source,
            name: None,
            id: None,
            ids: Ids::AsPython,
            picks: Vec::new(),
            allow_missing: false,
        }
    }

    /// Returns a dataset of [`Row`]s, or of pairs of inputs and expected outputs.
    pub fn new<R: Into<Row>>(rows: impl IntoIterator<Item = R>) -> Self {
        Self::of(Source::Rows(rows.into_iter().map(Into::into).collect()))
    }

    /// Returns a dataset that HoneyHive has, by its id.
    pub fn stored(id: impl Into<String>) -> Self {
        Self::of(Source::Stored(id.into()))
    }

    /// Reads a file with a JSON object per line: `{"inputs": …, "ground_truth": …}`, and optionally `id`, `trials`,
    /// `tags` and anything else. Blank lines are left out.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a line is no JSON object.
    pub fn from_jsonl(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let text = read(path.as_ref())?;
        let lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty());
        let rows = lines.map(|(index, line)| {
            let json = serde_json::from_str(line).map_err(|error| error.to_string());
            row_of(json, index + 1, true)
        });
        Ok(Self::of(Source::Rows(rows.collect::<Result<_, _>>()?)))
    }

    /// Reads a file with a JSON list of such objects.
    ///
    /// # Errors
    ///
    /// The same as those of [`from_jsonl`](Self::from_jsonl).
    pub fn from_json(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let text = read(path.as_ref())?;
        let rows: Vec<Value> = serde_json::from_str(&text).map_err(|error| DatasetError::Row {
            place: format!("line {}", error.line()),
            problem: format!("it is no list of objects: {error}"),
        })?;
        let rows = rows
            .into_iter()
            .enumerate()
            .map(|(index, row)| row_of(Ok(row), index + 1, false));
        Ok(Self::of(Source::Rows(rows.collect::<Result<_, _>>()?)))
    }

    /// Names the dataset.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets an id, instead of one made from the rows. `EXT-` is put before it.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the source of ids for rows without one of their own (default: the official Python SDK's hash).
    pub const fn ids(mut self, ids: Ids) -> Self {
        self.ids = ids;
        self
    }

    /// Keeps the first rows only.
    pub fn take(mut self, n: usize) -> Self {
        self.picks.push(Pick::Take(n));
        self
    }

    /// Keeps a random sample of rows; a seed draws the same ones everywhere.
    pub fn sample(mut self, n: usize, seed: u64) -> Self {
        self.picks.push(Pick::Sample(n, seed));
        self
    }

    /// Keeps the rows with these ids only.
    pub fn only(mut self, ids: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let ids = ids.into_iter().map(|id| ids::outside(id.as_ref()));
        self.picks.push(Pick::Only(ids.collect()));
        self
    }

    /// Allows a [`stored`](Self::stored) dataset to lack some of its datapoints: the others run.
    pub const fn allow_missing(mut self) -> Self {
        self.allow_missing = true;
        self
    }

    /// Returns the chosen rows with their ids.
    pub(super) fn prepared(self, rows: Vec<Row>) -> Result<Prepared, DatasetError> {
        let lines: Vec<_> = rows.iter().map(|row| row.line).collect();
        let json = rows.into_iter().enumerate().map(|(index, row)| {
            row.json
                .map_err(|problem| row_error(row.line, index, problem))
        });
        let json: Vec<Value> = json.collect::<Result<_, _>>()?;
        let own = self.id.as_deref().map(ids::outside);
        let dataset_id = own.unwrap_or_else(|| ids::of_dataset(&json));
        let ids = ids::of_datapoints(&json, self.ids)
            .map_err(|index| row_error(lines[index], index, "its id is no text".to_owned()))?;
        expect_distinct(&ids)?;
        let made = json.into_iter().zip(ids).zip(lines).enumerate();
        let made =
            made.map(|(position, ((json, id), line))| PreparedRow::of(json, id, position, line));
        self.finished(dataset_id, false, made.collect())
    }

    /// Returns the datapoints that HoneyHive has.
    pub(super) fn stored_as(
        self,
        rows: Vec<PreparedRow>,
        id: String,
    ) -> Result<Prepared, DatasetError> {
        self.finished(id, true, rows)
    }

    fn finished(
        self,
        id: String,
        is_stored: bool,
        rows: Vec<PreparedRow>,
    ) -> Result<Prepared, DatasetError> {
        let rows = self
            .picks
            .into_iter()
            .fold(rows, |rows, pick| pick.of(rows));
        if rows.is_empty() {
            return Err(DatasetError::Empty);
        }
        Ok(Prepared {
            id,
            is_stored,
            name: self.name,
            rows,
        })
    }
}

fn read(path: &Path) -> Result<String, DatasetError> {
    fs::read_to_string(path).map_err(|source| DatasetError::File {
        path: path.display().to_string(),
        source,
    })
}

fn row_of(json: Result<Value, String>, number: usize, is_line: bool) -> Result<Row, DatasetError> {
    let line = is_line.then_some(number);
    match json {
        Ok(json @ Value::Object(_)) => Ok(Row {
            json: Ok(json),
            line,
        }),
        Ok(_) => Err(row_error(line, number - 1, "it is no object".to_owned())),
        Err(problem) => Err(row_error(line, number - 1, problem)),
    }
}

fn row_error(line: Option<usize>, index: usize, problem: String) -> DatasetError {
    let place = match line {
        Some(line) => format!("line {line}"),
        None => format!("row {}", index + 1),
    };
    DatasetError::Row { place, problem }
}

fn expect_distinct(ids: &[String]) -> Result<(), DatasetError> {
    let mut seen = HashMap::new();
    for (index, id) in ids.iter().enumerate() {
        if let Some(first) = seen.insert(id, index) {
            return Err(DatasetError::SameId {
                id: id.clone(),
                first: first + 1,
                second: index + 1,
            });
        }
    }
    Ok(())
}

impl Pick {
    fn of(self, mut rows: Vec<PreparedRow>) -> Vec<PreparedRow> {
        match self {
            Self::Take(n) => rows.truncate(n),
            Self::Only(ids) => rows.retain(|row| ids.contains(&ids::outside(&row.id))),
            Self::Sample(n, seed) => {
                let mut random = SplitMix64::new(seed);
                let n = n.min(rows.len());
                for index in 0..n {
                    let drawn = index + random.index(rows.len() - index);
                    rows.swap(index, drawn);
                }
                rows.truncate(n);
                rows.sort_by_key(|row| row.position);
            }
        }
        rows
    }
}

#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) id: String,
    pub(super) is_stored: bool,
    pub(super) name: Option<String>,
    pub(super) rows: Vec<PreparedRow>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct PreparedRow {
    pub(super) id: String,
    /// The row's place in the whole dataset, from 0.
    pub(super) position: usize,
    line: Option<usize>,
    pub(super) inputs: Value,
    pub(super) ground_truth: Option<Value>,
    pub(super) trials: Option<u32>,
}

impl PreparedRow {
    pub(super) fn of(mut json: Value, id: String, position: usize, line: Option<usize>) -> Self {
        let mut part = |key: &str| json.get_mut(key).map(Value::take);
        Self {
            inputs: part("inputs").unwrap_or_else(|| Value::Object(Map::new())),
            ground_truth: part("ground_truth").filter(|value| !value.is_null()),
            trials: part("trials").and_then(|trials| trials.as_u64()?.try_into().ok()),
            id,
            position,
            line,
        }
    }

    /// Returns the error for a part of the row that does not fit the type of the function.
    pub(super) fn misfit(&self, part: &str, error: &serde_json::Error) -> DatasetError {
        let problem = format!("its {part} do not fit the function: {error}");
        row_error(self.line, self.position, problem)
    }
}

#[cfg(test)]
mod tests;
