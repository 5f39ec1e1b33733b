//! The Cargo commands of the pages name packages, targets and features that exist.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::files::{below, pages, root};

#[test]
fn every_cargo_command_names_what_there_is() {
    let packages = packages();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (page, text) in pages() {
        for command in commands(&text) {
            seen += usize::from(command.package.is_some());
            if let Err(what) = command.check(&packages) {
                wrong.push(format!("{}: `{}`: {what}", page.display(), command.text));
            }
        }
    }
    assert!(seen > 30, "{seen}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Returns the members of the workspace, as Cargo describes them.
pub(crate) fn packages() -> Vec<Value> {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(root())
        .output()
        .unwrap();
    let mut metadata: Value = serde_json::from_slice(&cargo.stdout).unwrap();
    match metadata["packages"].take() {
        Value::Array(packages) => packages,
        other => panic!("{other}"),
    }
}

/// A call of Cargo, as far as it names something.
#[derive(Debug, Default)]
struct Cargo<'t> {
    text: &'t str,
    verb: &'t str,
    package: Option<&'t str>,
    /// The kinds and the names of targets.
    targets: Vec<(&'t str, &'t str)>,
    features: Vec<&'t str>,
    /// The filter of `cargo test`.
    filter: Option<&'t str>,
}

fn commands(text: &str) -> impl Iterator<Item = Cargo<'_>> {
    let lines = text.lines().flat_map(|line| line.split("cargo ").skip(1));
    lines.map(|rest| {
        Cargo::read(
            rest.split(['`', '|', '#', '&', ';'])
                .next()
                .unwrap_or_default(),
        )
    })
}

impl<'t> Cargo<'t> {
    fn read(text: &'t str) -> Self {
        let text = text.split(" -- ").next().unwrap_or_default().trim();
        let mut words = text.split_whitespace();
        let mut command = Self {
            text,
            verb: words.next().unwrap_or_default(),
            ..Self::default()
        };
        while let Some(word) = words.next() {
            match word {
                "-p" | "--package" => command.package = words.next(),
                "--bin" | "--test" | "--bench" | "--example" => {
                    let name = words.next().unwrap_or_default();
                    command.targets.push((word.trim_start_matches('-'), name));
                }
                "--features" => {
                    command.features = words.next().unwrap_or_default().split(',').collect();
                }
                "-e" | "--target" | "--prefix" | "--git" | "--path" => drop(words.next()),
                _ if !word.starts_with('-') && command.verb == "test" => {
                    command.filter = Some(word);
                }
                _ => {}
            }
        }
        command
    }

    fn check(&self, packages: &[Value]) -> Result<(), String> {
        let Some(name) = self.package else {
            return Ok(());
        };
        let package = packages.iter().find(|it| it["name"] == name);
        let package = package.ok_or("there is no such package")?;
        for feature in &self.features {
            // A feature of a dependency stands in no manifest of ours.
            if !feature.contains('/') && package["features"].get(feature).is_none() {
                return Err(format!("it has no feature {feature}"));
            }
        }
        for (kind, target) in &self.targets {
            target_of(package, kind, target).ok_or(format!("it has no {kind} {target}"))?;
        }
        if self.verb == "run" {
            self.check_program(package)?;
        }
        self.filter
            .map_or(Ok(()), |filter| has_test(package, filter))
    }

    /// Checks that `cargo run` has a program, and the features that the program needs.
    fn check_program(&self, package: &Value) -> Result<(), String> {
        let named = self.targets.first().map(|(_, name)| *name);
        let program = match named.or_else(|| package["default_run"].as_str()) {
            Some(name) => target_of(package, "bin", name),
            None => targets(package).find(|it| it["kind"][0] == "bin"),
        };
        let required = &program.ok_or("it has no program")?["required-features"];
        let mut required = required.as_array().into_iter().flatten();
        match required.find(|it| !self.features.iter().any(|has| *it == has)) {
            Some(missing) => Err(format!("the program needs --features {missing}")),
            None => Ok(()),
        }
    }
}

fn targets(package: &Value) -> impl Iterator<Item = &Value> {
    package["targets"].as_array().into_iter().flatten()
}

fn target_of<'p>(package: &'p Value, kind: &str, name: &str) -> Option<&'p Value> {
    targets(package).find(|it| it["kind"][0] == kind && it["name"] == name)
}

/// Checks that the package has the modules and the beginning of a test's name somewhere.
fn has_test(package: &Value, filter: &str) -> Result<(), String> {
    let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
    let sources = below(manifest.parent().unwrap(), ".rs");
    for part in filter.split("::").filter(|it| !it.is_empty()) {
        let names = [format!("fn {part}"), format!("mod {part}")];
        let is_named = |(_, text): &(_, String)| names.iter().any(|name| text.contains(name));
        if !sources.iter().any(is_named) {
            return Err(format!("it has no test {part}"));
        }
    }
    Ok(())
}
