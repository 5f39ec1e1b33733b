//! The words of a search, as the index is asked for them.

/// A query for rows that hold all words of `text`, the last of them perhaps only begun; none where it has no words.
pub(super) fn query(text: &str) -> Option<String> {
    let words = text.split(|character: char| !character.is_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(|word| format!("\"{word}\""))
        .collect();
    let begun = text.ends_with(char::is_alphanumeric);
    (!words.is_empty()).then(|| words.join(" ") + if begun { "*" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::query;

    #[test]
    fn every_word_is_quoted_and_the_last_may_be_begun() {
        assert_eq!(
            query("gpt-4.1 mini").as_deref(),
            Some("\"gpt\" \"4\" \"1\" \"mini\"*")
        );
        assert_eq!(
            query("\"NEAR(a OR b)").as_deref(),
            Some("\"NEAR\" \"a\" \"OR\" \"b\"")
        );
        assert_eq!(query(" *\"- "), None);
    }
}
