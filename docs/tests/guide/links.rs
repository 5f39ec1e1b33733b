//! Where the pages point to: the guide, and what leads to it.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    assert!(pages.len() > 10, "{pages:?}");
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            assert!(leads_somewhere(&page, link), "{}: {link}", page.display());
        }
    }
}

/// Returns the pages of the guide and the examples, and the repository's own.
fn pages() -> Vec<PathBuf> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = docs.parent().unwrap();
    let entries = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let examples = entries(root.join("examples")).map(|example| example.join("README.md"));
    entries(docs.join("guide"))
        .chain(examples.filter(|page| page.exists()))
        .chain([root.join("README.md"), docs.join("architecture.md")])
        .collect()
}

fn leads_somewhere(page: &Path, link: &str) -> bool {
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = match file {
        "" => page.to_owned(),
        file => page.with_file_name(file),
    };
    match fs::read_to_string(&target) {
        Ok(there) => heading.is_empty() || has_heading(&there, heading),
        // A folder, perhaps.
        Err(_) => heading.is_empty() && target.exists(),
    }
}

/// Returns the links to files inside the repository.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let rest = text.split("](").skip(1);
    let links = rest.filter_map(|rest| Some(rest.split_once(')')?.0));
    links.filter(|link| !link.starts_with("http"))
}

fn has_heading(text: &str, wanted: &str) -> bool {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(anchor).any(|anchor| anchor == wanted)
}

/// As code hosts make them of a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}
