//! Datasets, datapoints and runs have the ids that the official Python SDK makes.

use std::collections::HashMap;

use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::python::dumps;
use crate::model::id_text;

/// The mark of an id that HoneyHive has not given.
const OUTSIDE: &str = "EXT-";

/// `Ids` selects the source of ids for datapoints without one of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Ids {
    /// Hashes the datapoint's contents and its place: the ids that the official Python SDK gives (the default).
    #[default]
    AsPython,
    /// Hashes the datapoint's contents alone, so that a further row changes no other id. The second of two equal rows
    /// ends in `-2`.
    ByContent,
}

/// Returns the id of a dataset that HoneyHive does not have.
pub(super) fn of_dataset(rows: &[Value]) -> String {
    let mut hasher = Sha256::new();
    hasher.update("[");
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            hasher.update(", ");
        }
        hasher.update(dumps(row));
    }
    hasher.update("]");
    outside(&hex(&hasher.finalize()))
}

/// Returns the ids of all datapoints, or the position of one whose own id is no text.
pub(super) fn of_datapoints(rows: &[Value], ids: Ids) -> Result<Vec<String>, usize> {
    let mut seen = HashMap::new();
    let of_row = |(position, row)| match own_id(row) {
        Own::Text(id) => Ok(outside(id)),
        Own::Unusable => Err(position),
        Own::None => Ok(made_up(row, position, ids, &mut seen)),
    };
    rows.iter().enumerate().map(of_row).collect()
}

enum Own<'r> {
    None,
    Text(&'r str),
    Unusable,
}

/// Returns the value of Python's `row.get("id") or row.get("datapoint_id")`.
fn own_id(row: &Value) -> Own<'_> {
    let given = ["id", "datapoint_id"]
        .into_iter()
        .filter_map(|key| row.get(key));
    match given.into_iter().find(|value| is_true(value)) {
        None => Own::None,
        Some(Value::String(id)) => Own::Text(id),
        Some(_) => Own::Unusable,
    }
}

/// Returns whether Python takes a value for true.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(object) => !object.is_empty(),
    }
}

fn made_up(row: &Value, position: usize, ids: Ids, seen: &mut HashMap<String, usize>) -> String {
    let json = dumps(row);
    if ids == Ids::AsPython {
        let digest = Sha256::new()
            .chain_update(json)
            .chain_update(position.to_string());
        return outside(&hex(&digest.finalize()));
    }
    let id = outside(&hex(&Sha256::digest(json)));
    let times = seen.entry(id.clone()).or_insert(0);
    *times += 1;
    if *times == 1 {
        id
    } else {
        format!("{id}-{times}")
    }
}

/// Puts `EXT-` before an id that does not have it.
pub(super) fn outside(id: &str) -> String {
    if id.starts_with(OUTSIDE) {
        id.to_owned()
    } else {
        format!("{OUTSIDE}{id}")
    }
}

/// Returns the first sixteen hexadecimal digits.
fn hex(digest: &[u8]) -> String {
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Returns the id of a run, and the text that it was made from where that is no UUID, such as a CI job's id. The path
/// of a run takes UUIDs only.
pub(super) fn of_run(key: &str) -> Option<(Uuid, Option<String>)> {
    match Uuid::parse_str(key) {
        Ok(id) if !id.is_nil() && !id.is_max() => Some((id, None)),
        Err(_) if id_text::says_something(key) => {
            let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, key.as_bytes());
            Some((id, Some(key.to_owned())))
        }
        Ok(_) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(json: &str) -> Vec<Value> {
        serde_json::from_str(json).unwrap()
    }

    #[track_caller]
    fn assert_ids(json: &str, dataset: &str, datapoints: &[&str]) {
        let rows = rows(json);
        assert_eq!(of_dataset(&rows), outside(dataset), "{json}");
        let expected: Vec<String> = datapoints.iter().map(|id| outside(id)).collect();
        assert_eq!(
            of_datapoints(&rows, Ids::AsPython).unwrap(),
            expected,
            "{json}"
        );
    }

    #[test]
    fn ids_of_datasets_and_datapoints_are_those_of_python() {
        // Case A is that of capture 110; the letters below name further cases.
        assert_ids(
            r#"[{"inputs":{"q":"a"},"ground_truth":{"answer":"A"}},{"inputs":{"q":"b"},"ground_truth":{"answer":"B"}},{"inputs":{"q":"c"},"ground_truth":{"answer":"X"}}]"#,
            "b045de5fec521f09",
            &["b1945cb4b0f940b6", "ed5d3417c2332e87", "a978a1c411987a66"],
        );
        // B to D
        assert_ids(
            r#"[{"inputs":{"q":1}}]"#,
            "625df0c2f0b89115",
            &["adc85f0c0ae6b306"],
        );
        assert_ids("[]", "4f53cda18c2baa0c", &[]);
        assert_ids(
            r#"[{},{"inputs":{}},{"inputs":{"l":[]},"ground_truth":{}}]"#,
            "5de0034d484076d1",
            &["4a87bb9d804304a9", "3048f55c9cb3ef1c", "eb72f8bf01012599"],
        );
        // I: explicit nulls are part of the row.
        assert_ids(
            r#"[{"inputs":{"a":true,"b":false,"c":null},"ground_truth":null}]"#,
            "cb276ca112a6ba6d",
            &["3ccbe9fa1a2083fd"],
        );
        // K and L
        assert_ids(
            r#"[{"inputs":{"chat_history":[{"role":"user","content":[{"type":"text","text":"hi"}]}],"n":{"b":{"d":1,"c":[{"y":1,"x":2}]}}}}]"#,
            "620a574110f38df6",
            &["3a69af00cb9295d3"],
        );
        assert_ids(
            r#"[{"inputs":{"q":"same"}},{"inputs":{"q":"same"}}]"#,
            "5c358f627b5e0071",
            &["26f346ce744543fb", "3a447b2641912300"],
        );
        // N: further fields of a row are part of the row.
        assert_ids(
            r#"[{"inputs":{"q":1},"ground_truth":{"a":1},"metadata":{"split":"dev"},"tags":["x"]}]"#,
            "95dd6d20ae83635f",
            &["008afd687ecdd1de"],
        );
    }

    #[test]
    fn texts_numbers_and_keys_of_every_kind_give_the_ids_of_python() {
        // E
        assert_ids(
            r#"[{"inputs":{"q":"Grüße, 世界 😀 \u2028 \u007f / \" \\ \b\f\n\r\t\u0000"}}]"#,
            "6f026f00f48be9d3",
            &["8d6e5d96cfb6b66d"],
        );
        // F
        assert_ids(
            r#"[{"inputs":{"f":[1.0, 0.1, 1e-07, 1e-05, 0.0001, 1000000000000000.0, 1e+16, 1e+22, 1e+23, -0.0, 1.2345678901234568e+17, 5e-324, 1.7976931348623157e+308, 2.5e-05, 100000.0]}}]"#,
            "9abe5119272fdf00",
            &["86f603f1f66500e1"],
        );
        // G
        assert_ids(
            r#"[{"inputs":{"i":[0,-1,9007199254740993,9223372036854775807,-9223372036854775808,18446744073709551615]}}]"#,
            "b081c83b94ef868d",
            &["685a32adea96f197"],
        );
        // J
        assert_ids(
            r#"[{"ground_truth":{"b":2,"a":1},"inputs":{"z":1,"é":3,"a":2,"Z":4,"😀":5,"\uffff":6,"":7}}]"#,
            "a41f25b9a2d45519",
            &["57ca5b5ad8d473f6"],
        );
    }

    #[test]
    fn an_integer_beyond_64_bits_is_a_float_and_cannot_give_the_id_of_python() {
        // H
        let rows = rows(r#"[{"inputs":{"i":1180591620717411303424}}]"#);
        assert_ne!(of_dataset(&rows), "EXT-52be2af5b3290aae");
    }

    #[test]
    fn an_own_id_counts_where_it_says_something() {
        // M
        assert_ids(
            r#"[{"id":"dp-1","inputs":{"q":1}},{"datapoint_id":"EXT-dp-2","inputs":{"q":2}},{"id":"","datapoint_id":"x","inputs":{"q":3}},{"id":"","inputs":{"q":4}}]"#,
            "36ebe53fa65782ba",
            &["EXT-dp-1", "EXT-dp-2", "EXT-x", "EXT-ef05a86fcd7a6702"],
        );
        let rows = rows(r#"[{"id":null,"inputs":1},{"id":5,"inputs":2}]"#);
        assert_eq!(of_datapoints(&rows, Ids::AsPython), Err(1));
    }

    #[test]
    fn the_position_is_part_of_an_id_and_the_rows_beside_it_are_not() {
        // Q
        let rows: Vec<Value> = (0..=10)
            .map(|q| serde_json::json!({"inputs": {"q": q}}))
            .collect();
        let json = serde_json::to_string(&rows).unwrap();
        let ids = [
            "517635575ad52939",
            "d27d95b54a34835a",
            "a542b561073e5a1d",
            "be8f6f442f88aaa5",
            "a6fee81a9810d231",
            "d9f82a780c325461",
            "80fae605bc729807",
            "dd74e94000772b61",
            "4ae5b706b6733d7f",
            "b18b458f0f170e06",
            "b29caf196424e2cf",
        ];
        assert_ids(&json, "cdf16a09aa311698", &ids);
        assert_ids(
            r#"[{"inputs":{"q":0}}]"#,
            "1a7014b7ca95947c",
            &["517635575ad52939"],
        );
    }

    #[test]
    fn an_id_by_content_stays_where_a_row_is_inserted() {
        let before = rows(r#"[{"inputs":1},{"inputs":2},{"inputs":2}]"#);
        let after = rows(r#"[{"inputs":0},{"inputs":1},{"inputs":2},{"inputs":2}]"#);
        let before = of_datapoints(&before, Ids::ByContent).unwrap();
        let after = of_datapoints(&after, Ids::ByContent).unwrap();
        assert_eq!(before, after[1..]);
        assert_eq!(before[2], format!("{}-2", before[1]));
    }

    #[test]
    fn a_text_gives_the_same_run_id_each_time_and_a_uuid_is_itself() {
        let (id, key) = of_run("ci-job-4711").unwrap();
        assert_eq!(id, Uuid::new_v5(&Uuid::NAMESPACE_URL, b"ci-job-4711"));
        assert_eq!(key.as_deref(), Some("ci-job-4711"));
        assert_eq!(of_run(&id.to_string()), Some((id, None)));
        assert_eq!(of_run(" "), None);
        assert_eq!(of_run("00000000-0000-0000-0000-000000000000"), None);
    }
}
