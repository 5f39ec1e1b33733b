//! The table has every row in it, and every exception says why.

#![allow(
    clippy::unwrap_used,
    reason = "what goes wrong here should stop the test"
)]

use std::collections::BTreeSet;
use std::path::Path;

use integration_tests::table::{Applies, rows};

/// A row can be an exception for these adapters.
const ADAPTERS: [&str; 2] = ["tower", "actix"];

#[test]
fn every_row_that_is_written_is_in_the_table() {
    let listed: BTreeSet<_> = rows()
        .into_iter()
        .map(|row| (row.topic.to_owned(), row.name.to_owned()))
        .collect();
    assert_eq!(listed.len(), rows().len(), "a row is listed once");
    assert_eq!(listed, written());
}

/// Returns the functions over an adapter, by file.
fn written() -> BTreeSet<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rows");
    let files = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut written = BTreeSet::new();
    for file in files {
        let topic = file
            .path()
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let source = std::fs::read_to_string(file.path()).unwrap();
        for line in source.lines() {
            let name = line.strip_prefix("pub async fn ");
            let name = name.and_then(|line| line.strip_suffix("<A: Adapter>() {"));
            written.extend(name.map(|name| (topic.clone(), name.to_owned())));
        }
    }
    written
}

#[test]
fn every_exception_names_an_adapter_and_says_why() {
    for row in rows() {
        if let Applies::Except { adapter, why } = row.applies {
            assert!(ADAPTERS.contains(&adapter), "{}: {adapter}", row.name);
            assert!(why.len() > 20, "{}: {why:?} explains nothing", row.name);
        }
    }
}
