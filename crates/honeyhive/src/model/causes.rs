//! [`with_causes`] writes an error's text and those of its causes.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::model::limits;
use crate::model::text::bounded;

/// A chain of causes is followed up to this length: it may be a circle.
const CAUSES: usize = 16;
/// The text of an error with its causes has this many bytes at the most.
const BYTES: usize = 64 * 1024;

/// Returns the error's text and those of its causes, outermost first, joined by `: `. A cause that the text tells
/// already (many errors write theirs into their own) is not told again. An error that panics has a
/// placeholder for its text.
pub(crate) fn with_causes(error: &(dyn Error + '_)) -> String {
    text_or_placeholder(|| chain_text(error))
}

/// Returns the text that an error formats itself as, bounded, or a placeholder where formatting it panics.
pub(crate) fn error_text(arguments: fmt::Arguments<'_>) -> String {
    text_or_placeholder(|| bounded(arguments))
}

/// Returns the text of an error of the program, or a placeholder where the program's code for it panics.
pub(crate) fn text_or_placeholder(text: impl FnOnce() -> String) -> String {
    caught(text).unwrap_or_else(|| "an error whose text cannot be had".to_owned())
}

/// Returns the text that a value shows itself as, bounded, or a placeholder where showing it panics.
#[cfg(feature = "tracing")]
pub(crate) fn shown(value: &dyn fmt::Debug) -> String {
    caught(|| bounded(format_args!("{value:?}")))
        .unwrap_or_else(|| "a value whose text cannot be had".to_owned())
}

fn caught(text: impl FnOnce() -> String) -> Option<String> {
    // A text that is half-written is dropped with the panic, so nobody sees it.
    catch_unwind(AssertUnwindSafe(text)).ok()
}

fn chain_text(error: &(dyn Error + '_)) -> String {
    let mut texts = Vec::with_capacity(2);
    let mut next = Some(error);
    while let Some(error) = next.filter(|_| texts.len() <= CAUSES) {
        texts.push(bounded(format_args!("{error}")));
        next = error.source();
    }
    let mut text = String::new();
    for (at, told) in texts.iter().enumerate() {
        let own = own_part(told, texts.get(at + 1));
        let all = text.len() + own.len();
        if all > BYTES && !text.is_empty() {
            text.push_str(&limits::mark(format_args!("over {all}")));
            break;
        }
        if !tells(&text, own) {
            text.push_str(if text.is_empty() { "" } else { ": " });
            text.push_str(own);
        }
    }
    text
}

/// Returns an error's text without that of its cause, where it ends with that.
fn own_part<'a>(text: &'a str, cause: Option<&String>) -> &'a str {
    let before = cause.and_then(|cause| text.strip_suffix(cause.as_str()));
    match before {
        Some("") => "",
        Some(before) => before.strip_suffix(": ").unwrap_or(text),
        None => text,
    }
}

/// Returns whether a text contains another as whole words.
fn tells(text: &str, cause: &str) -> bool {
    cause.is_empty()
        || text.match_indices(cause).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + cause.len()..].chars().next();
            let is_word = |symbol: Option<char>| symbol.is_some_and(char::is_alphanumeric);
            !is_word(before) && !is_word(after)
        })
}

/// The macro implements `Debug` as the text for people, with the causes: `main` shows `Debug` of an error that it
/// returns. The structure is in the variants.
macro_rules! debug_as_text {
    ($($error:ty),*) => {$(
        impl std::fmt::Debug for $error {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&$crate::model::causes::with_causes(self))
            }
        }
    )*};
}
pub(crate) use debug_as_text;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Layer(String, Option<Box<Self>>);

    impl fmt::Display for Layer {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str(&self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    fn chain(texts: &[&str]) -> Layer {
        let (last, others) = texts.split_last().expect("there is one");
        let innermost = Layer((*last).to_owned(), None);
        others.iter().rev().fold(innermost, |cause, text| {
            Layer((*text).to_owned(), Some(Box::new(cause)))
        })
    }

    #[test]
    fn causes_are_told_once_each_and_outermost_first() {
        for (texts, expected) in [
            (&["no"][..], "no"),
            (
                &["asking failed", "no route", "timed out"],
                "asking failed: no route: timed out",
            ),
            // The cause is written into the outer error already, whole or as a part.
            (
                &["asking failed: no route", "no route"],
                "asking failed: no route",
            ),
            (
                &["failed (timed out)", "timed out", "late"],
                "failed (timed out): late",
            ),
            (&["no", "no", "no"], "no"),
            // The errors are of one kind within itself, each with its cause written into it.
            (
                &["writing: writing: body", "writing: body", "body", "gone"],
                "writing: body: gone",
            ),
            // A part of a word does not count as the cause's text.
            (&["not known", "no"], "not known: no"),
            (&["", "cause"], "cause"),
            (&["outer", ""], "outer"),
        ] {
            assert_eq!(with_causes(&chain(texts)), expected, "{texts:?}");
        }
    }

    #[test]
    fn a_chain_without_end_and_a_text_without_end_are_bounded() {
        let many: Vec<String> = (0..1_000).map(|it| format!("cause {it}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(with_causes(&chain(&many)).ends_with(": cause 16"));
        let long = "x".repeat(60_000);
        let text = with_causes(&chain(&[&long, &format!("{long}y")]));
        assert!(
            text.len() < 66_000 && text.ends_with("in all]"),
            "{}",
            text.len()
        );
    }
}
