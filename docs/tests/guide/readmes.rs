//! The pages that a stranger reads first: those of the published crates, which a registry shows as well as a code host
//! and rustdoc, and the table of settings.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::commands::packages;
use crate::files::root;
use crate::links::targets;

/// Returns the name, the features and the page of each published crate.
fn published() -> Vec<(String, BTreeSet<String>, String)> {
    let packages = packages().into_iter();
    let published = packages.filter(|package| package["publish"].is_null());
    let published: Vec<_> = published
        .map(|package| {
            let folder = Path::new(package["manifest_path"].as_str().unwrap());
            let page = fs::read_to_string(folder.with_file_name("README.md")).unwrap();
            let name = package["name"].as_str().unwrap().to_owned();
            (name, features(&package), page)
        })
        .collect();
    assert!(published.len() > 7, "{published:?}");
    published
}

fn features(package: &Value) -> BTreeSet<String> {
    let features = package["features"].as_object().unwrap().keys();
    let named = features.filter(|name| *name != "default");
    named.cloned().collect()
}

/// Returns what stands first in the rows of the table below a heading.
fn rows(page: &str, heading: &str) -> BTreeSet<String> {
    let below = page.split_once(heading).map_or("", |(_, below)| below);
    let table = below.lines().skip_while(|line| !line.starts_with('|'));
    let rows = table.take_while(|line| line.starts_with('|'));
    let names = rows.filter_map(|row| Some(row.strip_prefix("| `")?.split_once('`')?.0.to_owned()));
    names.collect()
}

#[test]
fn the_page_of_a_crate_lists_its_features() {
    for (name, features, page) in published() {
        assert_eq!(rows(&page, "# Feature flags\n"), features, "{name}");
    }
}

#[test]
fn every_badge_says_the_rust_that_is_promised() {
    let promised = packages()[0]["rust_version"].as_str().unwrap().to_owned();
    let badge =
        format!("![Rust {promised} or later](https://img.shields.io/badge/rust-{promised}%2B-");
    let first = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(first.contains(&badge));
    for (name, _, page) in published() {
        assert!(page.contains(&badge), "{name}");
    }
}

#[test]
fn the_page_of_a_crate_leads_to_nothing_beside_it() {
    for (name, _, page) in published() {
        let beside = targets(&page).find(|target| !target.starts_with("https://"));
        assert_eq!(beside, None, "{name}");
    }
}

#[test]
fn the_page_of_a_crate_has_no_line_that_rustdoc_alone_hides() {
    for (name, _, page) in published() {
        for block in page.split("```rust").skip(1) {
            let block = block.split("```").next().unwrap();
            let hidden = block.lines().find(|line| line.starts_with("# "));
            assert_eq!(hidden, None, "{name}");
        }
    }
}

#[test]
fn every_setting_of_a_tracer_is_in_the_table() {
    let builder = root().join("crates/honeyhive/src/tracer/builder.rs");
    let builder = fs::read_to_string(builder).unwrap();
    let setters = builder.lines().filter(|line| line.contains("(mut self"));
    let setters: Vec<_> = setters
        .filter_map(|line| line.trim().strip_prefix("pub fn ")?.split('(').next())
        .collect();
    assert!(setters.len() > 20, "{setters:?}");
    let page = fs::read_to_string(root().join("docs/guide/settings.md")).unwrap();
    for setter in setters {
        assert!(page.contains(&format!(".{setter}(")), "{setter}");
    }
}

#[test]
fn every_attribute_of_a_model_call_is_in_the_table() {
    let code = root().join("crates/honeyhive/src/model_call");
    let code =
        ["attributes.rs", "shared.rs"].map(|file| fs::read_to_string(code.join(file)).unwrap());
    let quoted = code
        .iter()
        .flat_map(|code| code.split('"').skip(1).step_by(2));
    let of_ours = quoted
        .clone()
        .filter_map(|it| it.strip_prefix("honeyhive_metadata."));
    let of_others = quoted.filter(|it| it.starts_with("gen_ai."));
    let names: BTreeSet<_> = of_ours.chain(of_others).collect();
    assert!(names.len() > 20, "{names:?}");
    let page = fs::read_to_string(root().join("docs/guide/model-calls.md")).unwrap();
    for name in names {
        let is_there =
            page.contains(&format!("`{name}")) || page.contains(&format!("`metadata.{name}"));
        assert!(is_there, "{name}");
    }
}
