//! [`Ids`]: the ids on a page, and those of this run.

use std::collections::BTreeMap;

const LENGTH: usize = 36;

/// The ids of this run, and the ids of the page that they stand for.
#[derive(Debug, Default)]
pub(crate) struct Ids(BTreeMap<String, String>);

impl Ids {
    /// A text of the page, with the ids of this run as far as they are known.
    pub(crate) fn translate(&self, page: &str) -> String {
        let mut text = page.to_owned();
        for (theirs, ours) in &self.0 {
            text = text.replace(theirs, ours);
        }
        text
    }

    /// Learns from two lines that should be the same but for ids.
    pub(crate) fn learn(&mut self, page: &str, actual: &str) {
        for (theirs, ours) in ids_in(page).zip(ids_in(actual)) {
            // A second id for the same one is a mistake, which the comparison will find.
            self.0.entry(theirs.to_owned()).or_insert(ours.to_owned());
        }
    }
}

fn ids_in(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_hexdigit() && c != '-');
    words.filter(|word| word.len() == LENGTH && word.matches('-').count() == 4)
}
