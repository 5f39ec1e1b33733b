//! Values that Python's `repr` has written are made JSON: `{'role': 'user', 'content': "it's"}`.

/// Returns the text as JSON, where it may be a list or an object of Python's; reading it shows whether it was.
pub(super) fn as_json(text: &str) -> Option<String> {
    let text = text.trim();
    if !text.starts_with(['{', '[', '(']) || !text.contains('\'') {
        return None;
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(symbol) = rest.chars().next() {
        rest = match symbol {
            '\'' | '"' => string(&rest[1..], symbol, &mut out)?,
            '(' => {
                out.push('[');
                &rest[1..]
            }
            ')' => {
                // A tuple of one has a comma at its end.
                if out.trim_end().ends_with(',') {
                    out.truncate(out.trim_end().len() - 1);
                }
                out.push(']');
                &rest[1..]
            }
            first if first.is_alphabetic() => word(rest, &mut out)?,
            other => {
                out.push(other);
                &rest[other.len_utf8()..]
            }
        };
    }
    Some(out)
}

/// Writes the string that begins here; returns the text behind its quote.
fn string<'t>(text: &'t str, quote: char, out: &mut String) -> Option<&'t str> {
    out.push('"');
    let mut symbols = text.char_indices();
    while let Some((at, symbol)) = symbols.next() {
        match symbol {
            _ if symbol == quote => {
                out.push('"');
                return Some(&text[at + symbol.len_utf8()..]);
            }
            '\\' => {
                let (at, escaped) = symbols.next()?;
                match escaped {
                    'b' | 'f' | 'n' | 'r' | 't' | 'u' | '\\' | '"' => out.extend(['\\', escaped]),
                    '\'' => out.push('\''),
                    'x' => {
                        let digits = text.get(at + 1..at + 3)?;
                        out.push_str("\\u00");
                        out.push_str(digits);
                        symbols.nth(1)?;
                    }
                    other => out.extend(['\\', '\\', other]),
                }
            }
            '"' => out.push_str("\\\""),
            other => out.push(other),
        }
    }
    None
}

/// Writes one of Python's three constants; returns the text behind it.
fn word<'t>(text: &'t str, out: &mut String) -> Option<&'t str> {
    let length = text.find(|symbol: char| !symbol.is_alphanumeric());
    let (word, rest) = text.split_at(length.unwrap_or(text.len()));
    out.push_str(match word {
        "True" => "true",
        "False" => "false",
        "None" => "null",
        "nan" => "\"NaN\"",
        "inf" => "\"Infinity\"",
        // The exponent of a number, `1e5`, is part of the word.
        _ if word.starts_with(['e', 'E']) && word[1..].bytes().all(|it| it.is_ascii_digit()) => {
            word
        }
        _ => return None,
    });
    Some(rest)
}
