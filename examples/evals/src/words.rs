//! Two texts overlap in words.

use std::collections::BTreeSet;

fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words
        .filter(|word| word.len() > 2)
        .map(str::to_lowercase)
        .collect()
}

/// Returns the share of the words of `right` that are in `said`, from 0 to 1.
///
/// ```
/// assert_eq!(evals_example::overlap("a refund takes five days", "Refund: five days"), 1.0);
/// ```
#[must_use]
pub fn overlap(said: &str, right: &str) -> f64 {
    let (said, right) = (words(said), words(right));
    if right.is_empty() {
        return 0.0;
    }
    said.intersection(&right).count() as f64 / right.len() as f64
}
