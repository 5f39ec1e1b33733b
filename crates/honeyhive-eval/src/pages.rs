//! Markdown: a page an eval, all of them within what a comment of a pull request takes.

use std::fmt::Write as _;

use crate::outcome::Finished;

/// The longest comment of a pull request, in bytes.
const BYTES: usize = 64 * 1024;
/// Room that is kept for the line that counts the rest.
const LAST: usize = 100;

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
        let fits = |page: &&String, rest| text.len() + page.len() + rest <= bytes - LAST;
        let whole = Some(page).filter(|page| fits(page, rest));
        let Some(page) = whole.or(Some(&short[index]).filter(|page| fits(page, 0))) else {
            // Writing to a text does not fail.
            let _ = writeln!(text, "{} more evals are left out.", pages.len() - index);
            break;
        };
        text.push_str(page);
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
