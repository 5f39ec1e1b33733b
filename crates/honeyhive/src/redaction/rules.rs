//! [`Rules`] decide which values are hidden, by name and by form.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use regex_lite::Regex;

use super::quotes::decoded;
use super::{Field, Hook, MARK, Redaction, Verdict, text};
use crate::error::BuildError;
use crate::model::limits;
use crate::model::words::words;
use crate::secret::{is_secret_name, narrow};

/// So many bytes at the end of a cut text may be the beginning of something longer: more than keys and tokens have.
const UNSURE: usize = 4 * 1024;

/// The rules are a [`Redaction`] that has been understood.
pub(crate) struct Rules {
    by_default: bool,
    /// Each key has words, in lower case.
    keys: Vec<Vec<String>>,
    /// Each path has pieces.
    paths: Vec<Vec<String>>,
    patterns: Vec<Regex>,
    hook: Option<Hook>,
}

/// The hook is the program's, and has nothing to show.
impl fmt::Debug for Rules {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rules").finish_non_exhaustive()
    }
}

/// A named value is hidden for one of these reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hidden {
    /// The name sounds like a secret, so all values but flags are hidden.
    Likely,
    /// The program has named the value, so all values are hidden.
    Surely,
}

impl Rules {
    pub(crate) fn new(redaction: &Redaction) -> Result<Self, BuildError> {
        let pieces = |path: &String| path.split('.').map(str::to_owned).collect();
        Ok(Self {
            by_default: redaction.by_default,
            keys: redaction
                .keys
                .iter()
                .map(|key| key_words(key))
                .collect::<Result<_, _>>()?,
            paths: redaction.paths.iter().map(pieces).collect(),
            patterns: redaction
                .patterns
                .iter()
                .map(|it| pattern(it))
                .collect::<Result<_, _>>()?,
            hook: redaction.hook.clone(),
        })
    }

    /// Returns true where nothing is masked.
    pub(crate) fn is_empty(&self) -> bool {
        !self.by_default && !self.has_own()
    }

    /// Returns true where a rule is the program's own.
    pub(crate) fn has_own(&self) -> bool {
        self.names_count() || self.has_patterns() || self.has_hook()
    }

    pub(crate) const fn has_hook(&self) -> bool {
        self.hook.is_some()
    }

    pub(super) const fn has_patterns(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// Returns a text without the values that it names, and their number; `None` where there are none.
    pub(super) fn without_values(
        &self,
        text: &str,
        is_url: impl FnOnce() -> bool,
    ) -> Option<(String, u64)> {
        if !self.by_default && self.keys.is_empty() {
            return None;
        }
        let hides = |name: &str| self.is_named(name) || (self.by_default && is_secret_name(name));
        text::masked(text, is_url, self.by_default, hides)
    }

    fn names_count(&self) -> bool {
        !(self.keys.is_empty() && self.paths.is_empty())
    }

    /// Returns how the value at this path is hidden, by its name or its place.
    pub(super) fn hides(&self, path: &str) -> Option<Hidden> {
        if self.is_named(path) || self.paths.iter().any(|pieces| leads_to(pieces, path)) {
            return Some(Hidden::Surely);
        }
        (self.by_default && is_secret_name(path)).then_some(Hidden::Likely)
    }

    /// Returns whether one of the program's keys names the path.
    fn is_named(&self, path: &str) -> bool {
        if self.keys.is_empty() {
            return false;
        }
        let mut names = path.split('.');
        names.any(|name| {
            let words = small_words(name);
            let contains = |key: &Vec<String>| words.windows(key.len()).any(|part| part == key);
            self.keys.iter().any(contains)
        })
    }

    /// Returns whether a text that only looks like JSON (it may have been cut) holds a hidden name.
    pub(super) fn hides_a_name_in(&self, text: &str) -> bool {
        let mut pieces = text.split('"').peekable();
        while let Some(piece) = pieces.next() {
            let is_name = pieces
                .peek()
                .is_some_and(|next| next.trim_start().starts_with(':'));
            if is_name && self.hides(&decoded(piece)).is_some() {
                return true;
            }
        }
        false
    }

    /// Returns the text without matches of the patterns, and without text that might match had it not been cut; `None`
    /// where nothing goes.
    pub(crate) fn without_matches(&self, text: &str) -> Option<String> {
        if self.patterns.is_empty() {
            return None;
        }
        let mark = limits::mark_of(text);
        let (beginning, mark) = text.split_at(mark.unwrap_or(text.len()));
        // Each pattern goes through the text once: that is most of the time.
        let found = self.patterns.iter().flat_map(|it| it.find_iter(beginning));
        let mut found: Vec<_> = found.map(|it| it.range()).collect();
        found.sort_unstable_by_key(|it| it.start);
        let end = if mark.is_empty() {
            beginning.len()
        } else {
            sure_end(beginning, &found)
        };
        found.retain(|it| it.end <= end);
        if found.is_empty() && end == beginning.len() {
            return None;
        }
        let masked = masked(&beginning[..end], &found) + mark;
        // A pattern may match the mark itself.
        (masked != text).then_some(masked)
    }

    pub(super) fn ask(&self, field: &Field<'_>) -> Verdict {
        self.hook.as_ref().map_or(Verdict::Keep, |hook| hook(field))
    }
}

/// Returns the length of a cut text that stays: the rest may be the beginning of text that a pattern would have matched
/// as a whole.
fn sure_end(beginning: &str, found: &[Range<usize>]) -> usize {
    let end = beginning.len() - UNSURE.min(beginning.len() / 2);
    let mut ends = (0..=end).rev();
    let mut end = ends
        .find(|end| beginning.is_char_boundary(*end))
        .unwrap_or(0);
    // The new end must not be within a match.
    while let Some(across) = found.iter().find(|it| it.start < end && it.end > end) {
        end = across.start;
    }
    end
}

/// Returns the text with a mark for each of these, in the order of their beginnings, or for several that overlap.
fn masked(text: &str, found: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for range in found {
        if range.start >= copied {
            out.push_str(&text[copied..range.start]);
            out.push_str(MARK);
        }
        copied = copied.max(range.end);
    }
    out.push_str(&text[copied..]);
    out
}

fn key_words(key: &str) -> Result<Vec<String>, BuildError> {
    let words = small_words(key);
    if words.is_empty() {
        return Err(BuildError::InvalidValue {
            setting: Cow::Borrowed("`Redaction::key(..)`"),
            expected: "a name with a letter or a digit in it",
        });
    }
    Ok(words)
}

fn small_words(name: &str) -> Vec<String> {
    words(&narrow(name)).map(str::to_lowercase).collect()
}

fn pattern(pattern: &str) -> Result<Regex, BuildError> {
    let refused = |problem: String| BuildError::InvalidPattern {
        pattern: pattern.to_owned(),
        problem,
    };
    let regex = Regex::new(pattern).map_err(|error| refused(error.to_string()))?;
    if regex.is_match("") {
        return Err(refused(
            "it matches the empty text, so it would match everywhere".to_owned(),
        ));
    }
    Ok(regex)
}

/// Returns whether a path is `pieces`, or below them.
fn leads_to(pieces: &[String], path: &str) -> bool {
    let mut keys = path.split('.');
    pieces
        .iter()
        .all(|piece| keys.next().is_some_and(|key| piece == "*" || piece == key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(redaction: &Redaction) -> Rules {
        Rules::new(redaction).unwrap()
    }

    #[test]
    fn keys_match_whole_words_in_any_case_and_writing() {
        let rules = rules(&Redaction::none().key("card_number").key("SSN"));
        for name in [
            "cardNumber",
            "inputs.customer.card-number.last",
            "CARD NUMBER",
            "customerSsn",
            "customerSSNLast",
            "metadata.ssn",
        ] {
            assert_eq!(rules.hides(name), Some(Hidden::Surely), "{name}");
        }
        for name in [
            "discard_number",
            "card",
            "number.card",
            "card.number",
            "lesson",
            "cardnumbers",
        ] {
            assert_eq!(rules.hides(name), None, "{name}");
        }
    }

    #[test]
    fn a_path_hides_what_is_below_it_and_nothing_beside_it() {
        let rules = rules(
            &Redaction::none()
                .path("inputs.users.*.email")
                .path("outputs"),
        );
        for path in [
            "inputs.users.0.email",
            "inputs.users.b.email.home",
            "outputs.answer",
        ] {
            assert!(rules.hides(path).is_some(), "{path}");
        }
        for path in [
            "inputs.users.0.name",
            "inputs.email",
            "metadata.outputs",
            "inputs.users",
        ] {
            assert!(rules.hides(path).is_none(), "{path}");
        }
    }

    #[test]
    fn a_pattern_takes_what_matches_and_leaves_the_rest() {
        let rules = rules(&Redaction::none().pattern(r"\b\d{4}\b").pattern("b+"));
        assert_eq!(
            rules.without_matches("1234 abba $0 12345").as_deref(),
            Some("<redacted> a<redacted>a $0 12345")
        );
        assert_eq!(
            rules.without_matches("bb1234 b").as_deref(),
            Some("<redacted>1234 <redacted>")
        );
        assert_eq!(rules.without_matches("12345"), None);
    }

    #[test]
    fn what_several_patterns_match_is_gone_as_a_whole() {
        let rules = rules(&Redaction::none().pattern("bcd").pattern("[a-c]{3}"));
        for (text, expected) in [
            ("abcd", "<redacted>"),
            ("bcdabc", "<redacted><redacted>"),
            ("abcbcd", "<redacted><redacted>"),
            ("xbcdx abc", "x<redacted>x <redacted>"),
        ] {
            assert_eq!(rules.without_matches(text).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_a_pattern_would_have_matched_is_gone_where_the_text_was_cut_in_it() {
        const LIMIT: usize = 10_000;
        let rules = rules(&Redaction::none().pattern("sk-[a-z]{100}!"));
        let secret = format!("sk-{}!", "y".repeat(100));
        // The places are across the cut, and across where a piece is taken off.
        let places = (LIMIT - 110..LIMIT).chain(LIMIT - UNSURE - 110..LIMIT - UNSURE + 10);
        for place in places.step_by(7) {
            let mut text = format!("{} {secret} {}", "ü".repeat(place / 2), "x".repeat(LIMIT));
            assert!(limits::shorten(&mut text, LIMIT));
            let masked = rules.without_matches(&text).unwrap();
            assert!(!masked.contains("sk-"), "{place}");
            assert!(masked.len() > LIMIT - UNSURE - 200, "{place}");
            assert!(masked.ends_with(" bytes in all]"), "{place}");
        }
        let whole = "x".repeat(LIMIT);
        assert_eq!(rules.without_matches(&whole), None);
    }

    #[test]
    fn half_of_a_short_text_that_was_cut_stays() {
        let rules = rules(&Redaction::none().pattern("sk-[a-z]+!"));
        let mut text = "x".repeat(2_000);
        assert!(limits::shorten(&mut text, 1_000));
        let expected = format!("{}… [cut: 2000 bytes in all]", "x".repeat(500));
        assert_eq!(rules.without_matches(&text), Some(expected));
    }

    #[test]
    fn a_pattern_or_a_key_that_cannot_be_used_is_an_error_that_names_it() {
        for bad in ["(", r"\d*", ""] {
            let error = Rules::new(&Redaction::new().pattern(bad)).unwrap_err();
            assert!(error.to_string().contains(&format!("{bad:?}")), "{error}");
        }
        let error = Rules::new(&Redaction::new().key("--")).unwrap_err();
        assert!(error.to_string().contains("Redaction::key"), "{error}");
    }

    #[test]
    fn names_are_found_in_json_that_was_cut() {
        let rules = rules(&Redaction::new());
        assert!(rules.hides_a_name_in(r#"{"a": 1, "password" : "x… [cut"#));
        assert!(rules.hides_a_name_in(r#"[{\"api_key\": \"x… [cut"#));
        assert!(!rules.hides_a_name_in(r#"{"a": "password", "b": "x… [cut"#));
    }
}
