//! The files of each crate know only files below them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod dependencies;
mod graph;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use graph::Graph;
use source::Sources;

/// The core has floors (`docs/architecture.md`): a file knows its own floor and those below.
const FLOORS: [(u8, &[&str]); 10] = [
    (
        0,
        &[
            "attributes",
            "context",
            "log",
            "missing",
            "owners",
            "report",
        ],
    ),
    (
        1,
        &["error", "instruments", "model", "prometheus", "secret"],
    ),
    (
        2,
        &[
            "budget",
            "enrichment",
            "event_type",
            "gen_ai",
            "sampling",
            "settings",
            "span_filter",
            "stream",
        ],
    ),
    (3, &["redaction", "spool", "wire"]),
    (4, &["outbox", "panics"]),
    (5, &["session"]),
    (
        6,
        &[
            "model_span",
            "processor",
            "propagation",
            "span",
            "span_ids",
            "span_marks",
        ],
    ),
    (7, &["delivery"]),
    (
        8,
        &[
            "client",
            "incoming",
            "hosts",
            "metrics",
            "model_call",
            "testing",
            "traced",
            "tracer",
            "tracing_layer",
        ],
    ),
    (9, &["doctor", "evaluate", "feedback", "http", "lambda"]),
];

/// Imports in this list may look upwards, while both sides are being rebuilt.
const UPWARDS: [(&str, &str); 0] = [];

/// Returns the root files of a crate: its library, and each of its programs.
fn roots(krate: &Path) -> Vec<PathBuf> {
    let programs = fs::read_dir(krate.join("src/bin")).into_iter().flatten();
    let programs = programs.map(|entry| entry.unwrap().path());
    std::iter::once(krate.join("src"))
        .chain(programs.filter(|path| path.is_dir()))
        .collect()
}

fn read(root: &Path) -> Sources {
    let mut sources = Sources::default();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            if path.is_dir() && name != "bin" {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                sources.add(name, &fs::read_to_string(&path).unwrap());
            }
        }
    }
    sources
}

fn crates() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let entries = fs::read_dir(folder).unwrap();
    let mut crates: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    crates.sort();
    crates
}

#[test]
fn no_files_of_a_crate_know_each_other_in_a_circle() {
    let mut found = Vec::new();
    for krate in crates() {
        let name = krate.file_name().unwrap().to_str().unwrap();
        for root in roots(&krate) {
            let graph = Graph::of(&read(&root));
            let circles = graph.circles();
            let told = circles.iter().map(|circle| graph.told(circle));
            found.extend(told.map(|circle| format!("{name}:\n    {circle}")));
        }
    }
    assert!(found.is_empty(), "circles:\n{}", found.join("\n"));
}

/// Returns the floor of a file of the core; the crate's root stands above all.
fn floor(file: &str) -> Option<u8> {
    if file == "lib.rs" {
        return Some(u8::MAX);
    }
    let module = file.split('/').next()?;
    let module = module.strip_suffix(".rs").unwrap_or(module);
    let mut floors = FLOORS.iter();
    Some(floors.find(|(_, modules)| modules.contains(&module))?.0)
}

#[test]
fn the_core_knows_only_what_is_below() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/honeyhive/src");
    let graph = Graph::of(&read(&core));
    let mut found = Vec::new();
    for (file, others) in &graph.edges {
        let is_known = |other: &str| UPWARDS.contains(&(file.as_str(), other));
        let above = others
            .iter()
            .filter(|(other, _)| floor(other) > floor(file) && !is_known(other));
        found.extend(above.map(|(other, name)| format!("{file} names {other} (`{name}`)")));
    }
    assert!(found.is_empty(), "upwards:\n{}", found.join("\n"));
}

#[test]
fn each_file_of_the_core_has_a_floor() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/honeyhive/src");
    let sources = read(&core);
    let files = sources.scopes.values().map(|scope| scope.file.as_str());
    let without: Vec<_> = files.filter(|file| floor(file).is_none()).collect();
    assert!(without.is_empty(), "no floor: {without:?}");
}

/// Returns the graph of a crate whose files were never written.
fn crate_of(files: &[(&str, &str)]) -> Graph {
    let mut sources = Sources::default();
    for (name, text) in files {
        sources.add(name, text);
    }
    Graph::of(&sources)
}

#[test]
fn a_circle_is_found_whichever_way_a_file_is_named() {
    for back in [
        "use crate::upper::Upper;",
        "use super::upper::Upper;",
        "use crate::{upper::Upper as Other};",
        "use crate::Upper;",
        "use super::*; fn f(_: Upper) {}",
        "fn f() -> crate::upper::Upper { loop {} }",
        "fn f() { assert!(crate::upper::Upper::NEW) }",
        "mod inner { use super::super::upper::Upper; }",
    ] {
        let graph = crate_of(&[
            ("lib.rs", "mod lower; mod upper; pub use upper::Upper;"),
            ("upper.rs", "use crate::lower::Lower; pub struct Upper;"),
            ("lower.rs", &format!("pub struct Lower; {back}")),
        ]);
        let circles = graph.circles();
        assert_eq!(circles, [["lower.rs", "upper.rs"]], "{back}");
    }
}

#[test]
fn a_folder_that_only_tells_what_is_in_it_makes_no_circle() {
    let graph = crate_of(&[
        ("lib.rs", "mod folder; pub use folder::Upper;"),
        (
            "folder/mod.rs",
            "mod lower; mod upper; pub use lower::Lower; pub(crate) use upper::{Upper};",
        ),
        ("folder/upper.rs", "use super::Lower; pub struct Upper;"),
        ("folder/lower.rs", "pub struct Lower; use std::fmt;"),
    ]);
    assert_eq!(graph.circles(), Vec::<Vec<String>>::new());
    let known: Vec<_> = graph.edges["folder/upper.rs"].keys().collect();
    assert_eq!(known, ["folder/lower.rs"]);
}

#[test]
fn a_folder_that_makes_use_of_what_is_in_it_can_be_in_one() {
    let graph = crate_of(&[
        ("lib.rs", "mod folder;"),
        (
            "folder/mod.rs",
            "mod part; pub use part::Part; pub struct Whole(Part);",
        ),
        ("folder/part.rs", "pub struct Part(super::Whole);"),
    ]);
    assert_eq!(graph.circles(), [["folder/mod.rs", "folder/part.rs"]]);
}
