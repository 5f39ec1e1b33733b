//! The links of the pages.

use std::fs;
use std::path::Path;

use crate::files::{pages, root};

/// Where the repository is published: pages that a registry shows, too, have such addresses for its files.
const PUBLISHED: [&str; 3] = [
    "https://github.com/honeyhiveai/honeyhive-rust/blob/main/",
    "https://github.com/honeyhiveai/honeyhive-rust/tree/main/",
    "https://raw.githubusercontent.com/honeyhiveai/honeyhive-rust/main/",
];

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    assert!(pages.len() > 30, "{pages:?}");
    for (page, text) in pages {
        for target in targets(&text) {
            let of_ours = PUBLISHED.iter().find_map(|it| target.strip_prefix(it));
            let leads = match of_ours {
                Some(file) => leads_somewhere(&root().join("README.md"), file),
                None => target.starts_with("http") || leads_somewhere(&page, target),
            };
            assert!(leads, "{}: {target}", page.display());
        }
    }
}

/// A name that rustdoc alone resolves shows its brackets on a code host and on a registry.
#[test]
fn every_name_in_brackets_has_an_address() {
    for (page, text) in pages() {
        for name in text.split("[`").skip(1) {
            let Some((name, rest)) = name.split_once("`]") else {
                continue;
            };
            let has_address = rest.starts_with(['(', '[', ':']);
            let is_defined = || text.contains(&format!("\n[`{name}`]: "));
            assert!(has_address || is_defined(), "{}: {name}", page.display());
        }
    }
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

/// Returns where the links and the pictures of a page lead.
pub(crate) fn targets(text: &str) -> impl Iterator<Item = &str> {
    [("](", ')'), (" src=\"", '"'), (" srcset=\"", '"')]
        .into_iter()
        .flat_map(move |(before, after)| {
            let rest = text.split(before).skip(1);
            rest.filter_map(move |rest| Some(rest.split_once(after)?.0))
        })
}

fn has_heading(text: &str, wanted: &str) -> bool {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(anchor).any(|anchor| anchor == wanted)
}

/// Returns the anchor that code hosts make of a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}
