//! Markdown: a page an eval, all of them within what a comment of a pull request takes.

use std::fmt::Write as _;

use crate::outcome::Finished;

/// The longest comment of a pull request, in bytes.
const BYTES: usize = 64 * 1024;

/// The pages of all evals, the first ones whole. Of an eval whose page does not fit there is the beginning, which has its
/// name and its counts.
pub(crate) fn markdown(evals: &[Finished]) -> String {
    let pages: Vec<_> = evals
        .iter()
        .map(|eval| eval.report.markdown_with(&eval.verdicts))
        .collect();
    within(BYTES, &pages)
}

/// The pages, where one that does not fit is cut after its second paragraph, and those that do not fit even so are counted.
fn within(bytes: usize, pages: &[String]) -> String {
    let short: Vec<_> = pages.iter().map(|page| beginning(page)).collect();
    let mut text = String::new();
    for (index, page) in pages.iter().enumerate() {
        let rest: usize = short[index + 1..].iter().map(String::len).sum();
        let fits = |page: &str| text.len() + page.len() + rest <= bytes;
        match [page, &short[index]].into_iter().find(|page| fits(page)) {
            Some(page) => text.push_str(page),
            None => {
                text.truncate(text.floor_char_boundary(bytes.saturating_sub(100)));
                // Writing to a text does not fail.
                let _ = write!(
                    text,
                    "\n\n{} more evals are left out.\n",
                    pages.len() - index
                );
                break;
            }
        }
    }
    text
}

fn beginning(page: &str) -> String {
    let paragraphs: Vec<_> = page.splitn(3, "\n\n").take(2).collect();
    format!(
        "{}\n\nThe rest is left out: the reports of all evals are too long.\n\n",
        paragraphs.join("\n\n")
    )
}
