//! [`Dataset`]: what a function is run over.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::{fs, io};

use serde::Serialize;
use serde_json::{Map, Value};

use super::ids::{self, Ids};
use super::splitmix::SplitMix64;
use crate::model::causes::debug_as_text;

/// What a function is run over: rows of inputs and, where they are known, what would be right.
///
/// Ids are those of the official Python SDK, so that a run in Rust and one in Python over one file can be compared. They
/// are made before [`take`](Self::take), [`sample`](Self::sample) and [`only`](Self::only) choose, so a part of a dataset
/// has the ids that it has in the whole. What cannot give Python's ids: integers beyond 64 bits, which are read as floats.
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
/// `from_jsonl("evals/support.jsonl")?` reads `{"inputs": …, "ground_truth": …}` a line, as Python's dicts are; and
/// `stored("…")` reads a dataset of HoneyHive.
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

/// A row of a [`Dataset`].
#[derive(Debug, Clone)]
#[must_use = "it is a part of a `Dataset`"]
pub struct Row {
    json: Result<Value, String>,
    /// Where it stands in a file, from 1.
    line: Option<usize>,
}

impl Row {
    /// A row with these inputs: anything that serialises. What is no object is sent as `{"input": …}`.
    pub fn new(inputs: impl Serialize) -> Self {
        let row = Self {
            json: Ok(Value::Object(Map::new())),
            line: None,
        };
        row.with("inputs", inputs)
    }

    /// What would be right.
    pub fn ground_truth(self, ground_truth: impl Serialize) -> Self {
        self.with("ground_truth", ground_truth)
    }

    /// An id of its own, instead of one made from what it says. `EXT-` is put before it.
    pub fn id(self, id: impl Into<String>) -> Self {
        self.with("id", id.into())
    }

    /// How often the function is run on it, instead of [`trials`](crate::evaluate::Evaluate::trials) of the run.
    pub fn trials(self, trials: u32) -> Self {
        self.with("trials", trials)
    }

    /// Words about it.
    pub fn tags(self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let tags: Vec<String> = tags.into_iter().map(Into::into).collect();
        self.with("tags", tags)
    }

    pub(super) fn with(mut self, key: &str, value: impl Serialize) -> Self {
        match (serde_json::to_value(value), &mut self.json) {
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

/// A dataset cannot be used. Nothing was run.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The file could not be read.
    #[error("the dataset {path} cannot be read")]
    #[non_exhaustive]
    File {
        /// Which file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A row is not what it should be.
    #[error("{place} of the dataset cannot be used: {problem}")]
    #[non_exhaustive]
    Row {
        /// Which line or row, from 1.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Two rows have one id.
    #[error(
        "rows {first} and {second} of the dataset have one id, {id:?}; give each its own, or use `.ids(Ids::ByContent)`"
    )]
    #[non_exhaustive]
    SameId {
        /// The id.
        id: String,
        /// The first row, from 1.
        first: usize,
        /// The second row, from 1.
        second: usize,
    },
    /// HoneyHive has no such dataset.
    #[error("HoneyHive has no dataset {id:?}: look at its id, and at the project of the key")]
    #[non_exhaustive]
    NotFound {
        /// The id.
        id: String,
    },
    /// HoneyHive has the dataset, but not all of its datapoints.
    #[error(
        "HoneyHive has no datapoints {ids:?} of the dataset; `.allow_missing()` runs the others"
    )]
    #[non_exhaustive]
    Missing {
        /// The ids of those that are missing.
        ids: Vec<String>,
    },
    /// The dataset has no rows.
    #[error("the dataset has no rows")]
    Empty,
}

debug_as_text!(DatasetError);

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

    /// A dataset of [`Row`]s, or of pairs of inputs and what would be right.
    pub fn new<R: Into<Row>>(rows: impl IntoIterator<Item = R>) -> Self {
        Self::of(Source::Rows(rows.into_iter().map(Into::into).collect()))
    }

    /// A dataset of HoneyHive, by its id.
    pub fn stored(id: impl Into<String>) -> Self {
        Self::of(Source::Stored(id.into()))
    }

    /// Reads a file with a JSON object a line: `{"inputs": …, "ground_truth": …}`, and where it is wanted `id`, `trials`,
    /// `tags` and anything else. Blank lines are left out.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, or a line is no JSON object.
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
    /// As [`from_jsonl`](Self::from_jsonl).
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

    /// Its name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// An id of its own, instead of one made from its rows. `EXT-` is put before it.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// How rows without an id of their own get one (default: as the official Python SDK does).
    pub const fn ids(mut self, ids: Ids) -> Self {
        self.ids = ids;
        self
    }

    /// The first rows only.
    pub fn take(mut self, n: usize) -> Self {
        self.picks.push(Pick::Take(n));
        self
    }

    /// Some rows only, drawn by chance; a seed draws the same ones everywhere.
    pub fn sample(mut self, n: usize, seed: u64) -> Self {
        self.picks.push(Pick::Sample(n, seed));
        self
    }

    /// The rows with these ids only.
    pub fn only(mut self, ids: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let ids = ids.into_iter().map(|id| ids::outside(id.as_ref()));
        self.picks.push(Pick::Only(ids.collect()));
        self
    }

    /// Of a [`stored`](Self::stored) dataset: runs those datapoints that are there, where some are missing.
    pub const fn allow_missing(mut self) -> Self {
        self.allow_missing = true;
        self
    }

    /// The rows with their ids, as far as they are chosen.
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

    /// The datapoints that HoneyHive has.
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

/// A dataset with the ids of its rows.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) id: String,
    pub(super) is_stored: bool,
    pub(super) name: Option<String>,
    pub(super) rows: Vec<PreparedRow>,
}

/// A row with its id.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PreparedRow {
    pub(super) id: String,
    /// Where it stands in the whole dataset, from 0.
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

    /// A part of it that does not fit the type of the function.
    pub(super) fn misfit(&self, part: &str, error: &serde_json::Error) -> DatasetError {
        let problem = format!("its {part} do not fit the function: {error}");
        row_error(self.line, self.position, problem)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn numbered(n: u32) -> Dataset {
        Dataset::new((0..n).map(|q| (json!({"q": q}), None::<Value>)))
    }

    fn prepared(dataset: Dataset) -> Result<Prepared, DatasetError> {
        match dataset.source.clone() {
            Source::Rows(rows) => dataset.prepared(rows),
            _ => unreachable!("rows only"),
        }
    }

    fn positions(dataset: Dataset) -> Vec<usize> {
        prepared(dataset)
            .unwrap()
            .rows
            .iter()
            .map(|row| row.position)
            .collect()
    }

    #[test]
    fn a_part_of_a_dataset_has_the_ids_of_the_whole() {
        let whole = prepared(numbered(11)).unwrap();
        assert_eq!(whole.id, "EXT-cdf16a09aa311698");
        for part in [
            numbered(11).take(3),
            numbered(11).sample(4, 7),
            numbered(11).only([&whole.rows[10].id]),
        ] {
            let part = prepared(part).unwrap();
            assert_eq!(part.id, whole.id);
            assert!(part.rows.iter().all(|row| *row == whole.rows[row.position]));
        }
        assert_eq!(positions(numbered(11).only(["b29caf196424e2cf"])), [10]);
    }

    #[test]
    fn a_sample_is_the_same_everywhere() {
        assert_eq!(
            positions(numbered(11).sample(4, 7)),
            positions(numbered(11).sample(4, 7))
        );
        assert_eq!(positions(numbered(10).sample(3, 0)), [2, 4, 8]);
        assert_eq!(positions(numbered(3).sample(9, 1)), [0, 1, 2]);
    }

    #[test]
    fn two_equal_ids_are_refused_with_their_places() {
        let rows = Dataset::new([
            Row::new(1).id("a"),
            Row::new(2).id("b"),
            Row::new(3).id("EXT-a"),
        ]);
        let refused = prepared(rows).unwrap_err();
        assert!(
            matches!(
                refused,
                DatasetError::SameId {
                    first: 1,
                    second: 3,
                    ..
                }
            ),
            "{refused}"
        );
    }

    #[test]
    fn what_is_no_row_is_told_with_its_place() {
        let folder = std::env::temp_dir().join(format!("honeyhive-dataset-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("rows.jsonl");
        fs::write(&path, "{\"inputs\": 1}\n\n[2]\n").unwrap();
        let refused = Dataset::from_jsonl(&path).unwrap_err().to_string();
        assert!(
            refused.contains("line 3") && refused.contains("no object"),
            "{refused}"
        );
        fs::write(&path, "[{\"inputs\": 1, \"id\": 5}]").unwrap();
        let refused = prepared(Dataset::from_json(&path).unwrap())
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("row 1") && refused.contains("id is no text"),
            "{refused}"
        );
        fs::remove_dir_all(&folder).unwrap();
        assert!(matches!(
            Dataset::from_json(&path),
            Err(DatasetError::File { .. })
        ));
        assert!(matches!(prepared(numbered(0)), Err(DatasetError::Empty)));
        let unserialisable = std::collections::HashMap::from([((1, 2), 3)]);
        assert!(matches!(
            prepared(Dataset::new([Row::new(unserialisable)])),
            Err(DatasetError::Row { .. })
        ));
    }

    #[test]
    fn a_row_has_inputs_ground_truth_and_trials() {
        let rows = Dataset::new([
            Row::new("hi")
                .ground_truth(json!({"a": 1}))
                .trials(3)
                .tags(["x"]),
            Row::new(json!({})),
        ]);
        let rows = prepared(rows).unwrap().rows;
        assert_eq!(
            (&rows[0].inputs, &rows[0].ground_truth, rows[0].trials),
            (&json!("hi"), &Some(json!({"a": 1})), Some(3))
        );
        assert_eq!(
            (&rows[1].inputs, &rows[1].ground_truth, rows[1].trials),
            (&json!({}), &None, None)
        );
    }
}
