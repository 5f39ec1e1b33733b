//! The Markdown has a page per eval, all of them within the length of a comment of a pull request.

use crate::bounded::{BYTES, Bounded};
use crate::outcome::Finished;

/// The longest line that counts the rest, in bytes.
const LAST: usize = 100;

/// Returns the pages of all evals, the first ones whole. A page that does not fit is cut to its beginning, which has its
/// name and its counts.
pub(crate) fn markdown(evals: &[Finished]) -> String {
    let pages: Vec<_> = evals
        .iter()
        .map(|eval| eval.report.markdown_with(&eval.verdicts))
        .collect();
    within(BYTES, &pages)
}

/// Joins the pages: one that does not fit is cut after its second paragraph, and those that do not fit even so are
/// counted.
fn within(bytes: usize, pages: &[String]) -> String {
    let short: Vec<_> = pages.iter().map(|page| beginning(page)).collect();
    let mut all = Bounded::new(bytes);
    all.open("", LAST);
    let mut left_out = 0;
    for (index, page) in pages.iter().enumerate() {
        let rest: usize = short[index + 1..].iter().map(String::len).sum();
        let is_whole = all.has_room_for(page.len() + rest);
        let page = if is_whole { page } else { &short[index] };
        if !all.push(page) {
            left_out = pages.len() - index;
            break;
        }
    }
    if left_out > 0 {
        all.close(LAST, &format!("{left_out} more evals are left out.\n"));
    }
    all.into_text()
}

fn beginning(page: &str) -> String {
    let paragraphs: Vec<_> = page.splitn(3, "\n\n").take(2).collect();
    format!(
        "{}\n\nThe rest is left out: the reports of all evals are too long.\n\n",
        paragraphs.join("\n\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_whole_cut_or_counted() {
        let page = |name: &str, length: usize| {
            format!("### {name}\n\ncompleted\n\n{}\n", "x".repeat(length))
        };
        let cut = "The rest is left out: the reports of all evals are too long.\n\n";
        let (small, large) = (page("small", 10), page("large", 900));
        for (bytes, pages, expected) in [
            (500, vec![], String::new()),
            (500, vec![&small, &small], format!("{small}{small}")),
            (
                500,
                vec![&large, &small],
                format!("### large\n\ncompleted\n\n{cut}{small}"),
            ),
            (
                240,
                vec![&large, &large, &large],
                format!("### large\n\ncompleted\n\n{cut}2 more evals are left out.\n"),
            ),
        ] {
            let pages: Vec<String> = pages.into_iter().cloned().collect();
            let text = within(bytes, &pages);
            assert_eq!(text, expected);
            assert!(text.len() <= bytes);
        }
    }
}
