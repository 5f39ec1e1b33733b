//! Which crates' items stand in the public API of ours: what a new major version of them would break for our users.
//!
//! ```text
//! cargo run -p integration-tests --bin public-dependencies            # compares with docs/public-dependencies.txt
//! cargo run -p integration-tests --bin public-dependencies -- --write # writes it anew
//! ```
//!
//! It reads what rustdoc knows of every public item, which a stable toolchain tells when it is asked by
//! `RUSTC_BOOTSTRAP`; cargo is given this program as its rustdoc, so that nothing else is asked so and built anew.
//! Items of the standard library do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde_json::{Map, Value};

const LIST: &str = "docs/public-dependencies.txt";
const HEAD: &str = "# The crates whose items stand in the public API of ours. CI compares this list with what rustdoc knows of every public\n\
                    # item: `cargo run -p integration-tests --bin public-dependencies`, with `-- --write` to write it anew.\n";

/// Says that this is called as rustdoc, and where the real one is.
const AS_RUSTDOC: &str = "PUBLIC_DEPENDENCIES_RUSTDOC";

type Failure = Box<dyn Error>;

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for a terminal"
)]
fn main() -> ExitCode {
    if let Some(rustdoc) = std::env::var_os(AS_RUSTDOC) {
        return run_rustdoc(&rustdoc);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let writes = std::env::args().any(|argument| argument == "--write");
    match check(&root, writes) {
        Ok(true) => {
            println!("{LIST} is as the crates are");
            ExitCode::SUCCESS
        }
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a program for a terminal")]
fn check(root: &Path, writes: bool) -> Result<bool, Failure> {
    let mut found = HEAD.to_owned();
    for name in crates(root)? {
        write!(found, "{name}:")?;
        for dependency in public_dependencies(root, &name)? {
            write!(found, " {dependency}")?;
        }
        found.push('\n');
    }
    let list = root.join(LIST);
    if writes {
        std::fs::write(&list, &found)?;
        return Ok(true);
    }
    let listed = std::fs::read_to_string(&list)?;
    if listed != found {
        eprintln!("{LIST} says\n\n{listed}\nbut the public API has\n\n{found}");
    }
    Ok(listed == found)
}

/// Our crates, by their folders' names.
fn crates(root: &Path) -> Result<BTreeSet<String>, Failure> {
    let folders = std::fs::read_dir(root.join("crates"))?;
    folders
        .map(|folder| Ok(folder?.file_name().to_string_lossy().into_owned()))
        .collect()
}

/// The crates whose items are named by public items of a crate.
fn public_dependencies(root: &Path, name: &str) -> Result<BTreeSet<String>, Failure> {
    let docs: Value = serde_json::from_slice(&std::fs::read(document(root, name)?)?)?;
    let crates = external_crates(&docs);
    let paths = object(&docs, "paths")?;
    let index = object(&docs, "index")?;
    let mut found = BTreeSet::new();
    let mut note = |id: &str| {
        let of = paths.get(id).and_then(|path| path["crate_id"].as_u64());
        found.extend(of.and_then(|of| crates.get(&of).cloned()));
    };
    for item in index.values().filter(|item| is_written_here(item)) {
        ids(&item["inner"], &mut note);
    }
    // A re-export of a whole crate names no item of it.
    for item in index.values() {
        let source = item["inner"]["use"]["source"].as_str().unwrap_or_default();
        let first = source.trim_start_matches("::").split("::").next();
        found.extend(
            first
                .filter(|it| crates.values().any(|name| name == it))
                .map(str::to_owned),
        );
    }
    found.remove(&name.replace('-', "_"));
    Ok(found.into_iter().filter(|it| !is_std(it)).collect())
}

/// Has rustdoc tell what it knows, and says where.
fn document(root: &Path, name: &str) -> Result<PathBuf, Failure> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root)
        .env("RUSTDOC", std::env::current_exe()?)
        .env(AS_RUSTDOC, "rustdoc")
        .args([
            "rustdoc",
            "--lib",
            "--all-features",
            "--package",
            name,
            "--",
        ])
        .args(["-Z", "unstable-options", "--output-format", "json"])
        .output()?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("rustdoc failed for {name}:\n{why}").into());
    }
    let file = format!("{}.json", name.replace('-', "_"));
    Ok(root.join("target/doc").join(file))
}

/// What cargo gets for its rustdoc.
fn run_rustdoc(rustdoc: &OsStr) -> ExitCode {
    let mut command = Command::new(rustdoc);
    command
        .args(std::env::args_os().skip(1))
        .env("RUSTC_BOOTSTRAP", "1");
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn external_crates(docs: &Value) -> BTreeMap<u64, String> {
    let crates = docs["external_crates"].as_object().into_iter().flatten();
    crates
        .filter_map(|(id, it)| Some((id.parse().ok()?, it["name"].as_str()?.to_owned())))
        .collect()
}

fn object<'a>(docs: &'a Value, key: &str) -> Result<&'a Map<String, Value>, Failure> {
    docs[key]
        .as_object()
        .ok_or_else(|| format!("rustdoc's answer has no `{key}`").into())
}

/// False for what the compiler implements by itself, for every type.
fn is_written_here(item: &Value) -> bool {
    let implementation = &item["inner"]["impl"];
    item["crate_id"] == 0
        && implementation["is_synthetic"] != true
        && implementation["blanket_impl"].is_null()
}

/// Every item that is named there.
fn ids(value: &Value, note: &mut impl FnMut(&str)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| ids(item, note)),
        Value::Object(fields) => {
            let is_path = fields.contains_key("path") || fields.contains_key("args");
            if let (true, Some(id)) = (is_path, fields.get("id")) {
                note(&id.to_string());
            }
            fields.values().for_each(|field| ids(field, note));
        }
        _ => {}
    }
}

fn is_std(name: &str) -> bool {
    ["std", "core", "alloc", "proc_macro"].contains(&name)
}
