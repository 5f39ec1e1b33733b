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
    let unserialisable = HashMap::from([((1, 2), 3)]);
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
