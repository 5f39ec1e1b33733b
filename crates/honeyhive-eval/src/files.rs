//! Journals, baselines and reports have their places here.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{env, fs};

/// Returns the folder of the package, which cargo names; without cargo, the working directory.
fn package() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| ".".into(), PathBuf::from)
}

/// Returns a name as a part of a path.
fn as_part(eval: &str) -> String {
    let plain = |c: char| {
        if c.is_alphanumeric() || matches!(c, '-' | '_') {
            c
        } else {
            '_'
        }
    };
    eval.chars().map(plain).collect()
}

/// Returns the folder of an eval's journals, and of the result of its last run.
pub(crate) fn journals(eval: &str) -> PathBuf {
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| package().join("target"), PathBuf::from);
    target.join("honeyhive").join("evals").join(as_part(eval))
}

/// Returns the file of a baseline. `last` is the last run here, and belongs to nobody else.
pub(crate) fn baseline(eval: &str, name: &str) -> PathBuf {
    if name == "last" {
        return journals(eval).join("last.json");
    }
    let folder = package()
        .join("evals")
        .join("baselines")
        .join(as_part(eval));
    folder.join(format!("{name}.json"))
}

/// Returns the journal that was written last.
pub(crate) fn last_journal(eval: &str) -> Option<PathBuf> {
    let files = fs::read_dir(journals(eval))
        .ok()?
        .flatten()
        .map(|entry| entry.path());
    let journals = files.filter(|path| path.extension().is_some_and(|it| it == "jsonl"));
    let written = |path: &PathBuf| {
        fs::metadata(path)
            .and_then(|it| it.modified())
            .unwrap_or(SystemTime::UNIX_EPOCH)
    };
    journals.max_by_key(written)
}

pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

/// Adds to the page that GitHub shows of a step.
pub(crate) fn add_to_step_summary(text: &str) -> io::Result<()> {
    let Some(path) = env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)?
        .write_all(text.as_bytes())
}
