//! The public API of our crates names foreign items: a new major version of their crates would break our users.
//!
//! ```text
//! cargo run -p integration-tests --bin public-dependencies            # compares with docs/public-dependencies.txt
//! cargo run -p integration-tests --bin public-dependencies -- --write # writes it anew
//! ```
//!
//! It reads what rustdoc knows of every public item, which a stable toolchain tells when it is asked by
//! `RUSTC_BOOTSTRAP`; cargo is given this program as its rustdoc, so that nothing else is asked so and built anew.
//! The whole workspace is documented at once, with the dependencies that are checked already where its documentation is built.
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

/// The variable that marks the call as rustdoc's, and holds the path of the real one.
const AS_RUSTDOC: &str = "PUBLIC_DEPENDENCIES_RUSTDOC";

/// The variable names the crates to run rustdoc for.
const CRATES: &str = "PUBLIC_DEPENDENCIES_CRATES";

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
    let crates = crates(root)?;
    let folder = documents(root, &crates)?;
    for name in crates {
        write!(found, "{name}:")?;
        for dependency in public_dependencies(&folder, &name)? {
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

/// Returns our crates, by their folders' names.
fn crates(root: &Path) -> Result<BTreeSet<String>, Failure> {
    let folders = std::fs::read_dir(root.join("crates"))?;
    folders
        .map(|folder| Ok(folder?.file_name().to_string_lossy().into_owned()))
        .collect()
}

/// Returns the crates whose items are named by public items of a crate.
fn public_dependencies(folder: &Path, name: &str) -> Result<BTreeSet<String>, Failure> {
    let file = folder.join(format!("{}.json", name.replace('-', "_")));
    let docs: Value = serde_json::from_slice(&std::fs::read(file)?)?;
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

/// Lets rustdoc write what it knows of our crates, and returns the folder.
fn documents(root: &Path, crates: &BTreeSet<String>) -> Result<PathBuf, Failure> {
    let program = std::env::current_exe()?;
    let names: Vec<_> = crates.iter().map(|name| name.replace('-', "_")).collect();
    let output = Command::new(env!("CARGO"))
        .current_dir(root)
        .env("RUSTDOC", &program)
        .env("RUSTDOCFLAGS", "-Zunstable-options --output-format=json")
        .env(AS_RUSTDOC, "rustdoc")
        .env(CRATES, names.join(","))
        .args(["doc", "--workspace", "--no-deps", "--all-features"])
        .output()?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("rustdoc failed:\n{why}").into());
    }
    // The program lies in `target/debug`.
    let target = program.ancestors().nth(2);
    Ok(target.ok_or("no target folder")?.join("doc"))
}

/// Runs as cargo's rustdoc; crates that are not ours are left out.
fn run_rustdoc(rustdoc: &OsStr) -> ExitCode {
    let ours = std::env::var(CRATES).unwrap_or_default();
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let mut after = arguments.iter().skip_while(|it| *it != "--crate-name");
    let name = after.nth(1).and_then(|it| it.to_str());
    if name.is_some_and(|name| !ours.split(',').any(|it| it == name)) {
        return ExitCode::SUCCESS;
    }
    let mut command = Command::new(rustdoc);
    command.args(arguments).env("RUSTC_BOOTSTRAP", "1");
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

/// Returns false for what the compiler implements by itself, for every type.
fn is_written_here(item: &Value) -> bool {
    let implementation = &item["inner"]["impl"];
    item["crate_id"] == 0
        && implementation["is_synthetic"] != true
        && implementation["blanket_impl"].is_null()
}

/// Notes every item that a value names.
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
