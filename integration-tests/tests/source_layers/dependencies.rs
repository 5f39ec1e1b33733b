//! The core has few dependencies, by cargo's own account.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Returns cargo's output, without asking a registry.
fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--offline", "--quiet"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

/// Returns the platform that the tests run on: a fresh machine has downloaded the crates of no other.
fn platform() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let mut lines = said.lines();
    let host = lines.find_map(|line| line.strip_prefix("host: "));
    host.unwrap().to_owned()
}

/// Returns the crates under another, `name version` each.
fn under(arguments: &[&str]) -> BTreeSet<String> {
    let tree = [
        "tree", "-e", "normal", "--prefix", "none", "--format", "{p}",
    ];
    let tree = cargo(&[&tree, arguments].concat());
    let crates = tree.lines().map(|line| {
        let mut words = line.split_whitespace();
        let (name, version) = (words.next().unwrap(), words.next().unwrap());
        format!("{name} {}", version.trim_start_matches('v'))
    });
    crates.collect()
}

fn core_with(features: &str) -> BTreeSet<String> {
    under(&["-p", "honeyhive", "--features", features])
}

#[test]
fn experiments_take_two_crates_in_with_their_own_and_the_core_without_them_takes_none() {
    let (without, client) = (core_with(""), core_with("client"));
    assert_eq!(without, client);
    let with = core_with("evaluate");
    assert!(without.is_subset(&with));
    let direct = ["sha2", "libm"].map(|name| {
        let found = with.iter().find(|it| it.split(' ').next() == Some(name));
        found.unwrap().replace(' ', "@")
    });
    let own: BTreeSet<_> = direct.iter().flat_map(|it| under(&["-p", it])).collect();
    let added: BTreeSet<_> = with.difference(&without).cloned().collect();
    assert!(
        added.is_subset(&own),
        "of neither: {:?}",
        added.difference(&own)
    );
}

#[test]
fn no_crate_of_the_core_asks_for_a_newer_rust_than_the_core_does() {
    let platform = platform();
    let said = cargo(&[
        "metadata",
        "--format-version=1",
        "--filter-platform",
        &platform,
    ]);
    let metadata: Value = serde_json::from_str(&said).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let asked: BTreeMap<String, (u32, u32)> = packages
        .iter()
        .filter_map(|package| {
            let name = format!(
                "{} {}",
                package["name"].as_str()?,
                package["version"].as_str()?
            );
            let mut parts = package["rust_version"].as_str()?.split('.');
            let mut part = || parts.next()?.parse().ok();
            Some((name, (part()?, part()?)))
        })
        .collect();
    let all =
        core_with("evaluate,tracing,spool,http-json,lambda,signal,model-calls,signed-ids,testing");
    let own = all
        .iter()
        .find(|name| name.starts_with("honeyhive 0"))
        .unwrap();
    let own = asked[own];
    let newer = all
        .iter()
        .filter(|name| asked.get(*name).is_some_and(|it| *it > own));
    assert_eq!(
        newer.collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "newer than {own:?}"
    );
}
