//! The index is asked for words in a form of its own.

/// Returns the queries for rows that hold all words of `text`: whole ones, then with the last of them perhaps only
/// begun, which takes longer; none where it has no words.
pub(super) fn queries(text: &str) -> Vec<String> {
    let words = text.split(|character: char| !character.is_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(|word| format!("\"{word}\""))
        .collect();
    if words.is_empty() {
        return Vec::new();
    }
    let whole = words.join(" ");
    let begun = text.ends_with(char::is_alphanumeric);
    let begun = begun.then(|| format!("{whole}*"));
    [whole].into_iter().chain(begun).collect()
}

#[cfg(test)]
mod tests {
    use super::queries;

    #[test]
    fn every_word_is_quoted_and_the_last_may_be_begun() {
        let whole = "\"gpt\" \"4\" \"1\" \"mini\"";
        assert_eq!(queries("gpt-4.1 mini"), [whole, &format!("{whole}*")]);
        assert_eq!(queries("\"NEAR(a OR b)"), ["\"NEAR\" \"a\" \"OR\" \"b\""]);
        assert!(queries(" *\"- ").is_empty());
    }
}
