//! Lines may be a name and a value: headers as they are written, YAML, settings.

use std::ops::Range;

use super::quotes::is_prefix;

/// Returns whether only a list's mark is before this place on its line.
pub(super) fn begins_line(text: &str, at: usize) -> bool {
    let before = before_line(&text[..at]);
    // A text that is quoted in another begins with a quote, and has its line ends escaped.
    before.is_empty() || before.ends_with(['\n', '\r', '"']) || is_escaped_end(before)
}

/// Returns the text before the line that this is the beginning of.
fn before_line(text: &str) -> &str {
    text.trim_end_matches([' ', '\t', '-', '*', '>', '<'])
}

fn is_escaped_end(before: &str) -> bool {
    before.ends_with("\\n") || before.ends_with("\\r")
}

/// Returns the line that ends here, of which no more is looked at than a command or a statement begins with.
pub(super) fn line_of(text: &str, end: usize) -> &str {
    const MOST: usize = 512;
    let mut starts = end.saturating_sub(MOST)..end;
    let start = starts.find(|start| text.is_char_boundary(*start));
    let before = &text[start.unwrap_or(end)..end];
    let line = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    &before[line..]
}

/// Returns the beginning of a value behind YAML's tags and anchors: `!!str &anchor value`.
pub(super) fn behind_tags(text: &str, start: usize) -> usize {
    let mut at = start;
    loop {
        let rest = &text[at..];
        if !rest.starts_with(['!', '&']) {
            return at;
        }
        let word = rest
            .split([' ', '\n', '\r', '\\', '"'])
            .next()
            .unwrap_or_default();
        let behind = rest[word.len()..].trim_start_matches(' ');
        let is_tag = word.len() > 1;
        if !is_tag || behind.len() + word.len() == rest.len() {
            return at;
        }
        at = text.len() - behind.len();
    }
}

/// Returns the value that begins here and ends with its line, unless a sentence begins: a single word, or the value of
/// a header of this name.
pub(super) fn value(text: &str, start: usize, name: &str) -> Option<Range<usize>> {
    let rest = &text[start..];
    let ends = ["\n", "\r", "\\n", "\\r", "\""];
    let ends = ends.iter().filter_map(|end| rest.find(end));
    let length = ends.chain(quote_in(rest)).min();
    let line = &rest[..length.unwrap_or(rest.len())];
    let comment = line.find(" #").filter(|_| !is_header(name));
    let line = line[..comment.unwrap_or(line.len())].trim_end();
    let words = line.split_ascii_whitespace().count();
    let is_value =
        words == 1 || (is_header(name) && (words == 2 || (words > 2 && line.contains('='))));
    is_value.then(|| start..start + line.len())
}

/// Returns the first quote that is no apostrophe, and none of a word.
fn quote_in(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_letter = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_alphanumeric)
    };
    let is_within = |at: usize| is_letter(at.checked_sub(1)) && is_letter(Some(at + 1));
    let mut quotes = text.match_indices('\'').map(|(at, _)| at);
    // A letter or two before the first may be the prefix of a text.
    quotes.find(|at| !is_within(*at) || is_prefix(&text[..*at]))
}

/// Returns the lines below a name that its value is made of, which are deeper than the name: behind `password: |`, or
/// where nothing stands behind the colon, which ends here.
pub(super) fn block(
    text: &str,
    name: &Range<usize>,
    colon: usize,
    in_braces: bool,
) -> Option<Range<usize>> {
    if !begins_line(text, name.start) {
        return None;
    }
    let rest = text[colon..].trim_start_matches([' ', '\t']);
    let rest = &text[behind_tags(text, text.len() - rest.len())..];
    let is_scalar = rest.starts_with(['|', '>']);
    let is_mark = |symbol: char| is_scalar && "|>+-0123456789".contains(symbol);
    let rest = rest.trim_start_matches(is_mark);
    let (end, escapes) = line_end(rest)?;
    let depth = name.start - before_line(&text[..name.start]).len();
    // A quoted text is not in the braces around it.
    let in_braces = in_braces && escapes == 0;
    let mut value: Option<Range<usize>> = None;
    let mut is_list = !is_scalar;
    let mut at = text.len() - rest.len() + end;
    while at < text.len() {
        let line = Line::at(text, at, escapes);
        if !line.content.is_empty() {
            // The items of a list need not be deeper.
            is_list &= line.content.starts_with("- ");
            let is_below = line.depth > depth || (is_list && line.depth == depth);
            let is_first = value.is_none();
            let is_value =
                is_scalar || (!in_braces && is_plain_value(line.content, &text[name.clone()]));
            if !is_below || (is_first && !is_value) {
                break;
            }
            let start = value.map_or(line.start, |value| value.start);
            value = Some(start..line.start + line.content.len());
        }
        at = line.next;
    }
    value
}

/// A line has a content, a place, and the beginning of the next line.
struct Line<'t> {
    content: &'t str,
    start: usize,
    depth: usize,
    next: usize,
}

impl<'t> Line<'t> {
    /// Returns the line that begins here, in a text that may be quoted in another: its line ends have this many
    /// backslashes then.
    fn at(text: &'t str, at: usize, escapes: usize) -> Self {
        let rest = &text[at..];
        let (length, next) = match escapes {
            0 => match rest.find('\n') {
                Some(end) => (end, at + end + 1),
                None => (rest.len(), text.len()),
            },
            _ => match escaped_end(rest, escapes) {
                (end, true) => (end, at + end + escapes + 1),
                (end, false) => (end, text.len()),
            },
        };
        let carriage = format!("{}r", "\\".repeat(escapes));
        let line = rest[..length].trim_end();
        let line = if escapes > 0 {
            line.trim_end_matches(&carriage)
        } else {
            line
        };
        let content = line.trim_start();
        let depth = line.len() - content.len();
        Self {
            content: content.trim_end(),
            start: at + depth,
            depth,
            next,
        }
    }
}

/// Returns the length of a line's end here, and the number of backslashes that escape it.
fn line_end(rest: &str) -> Option<(usize, usize)> {
    let escapes = rest.bytes().take_while(|byte| *byte == b'\\').count();
    let marks = "\\".repeat(escapes);
    let ends = match escapes {
        0 => ["\n".to_owned(), "\r\n".to_owned()],
        _ => [format!("{marks}n"), format!("{marks}r{marks}n")],
    };
    let end = ends.iter().find(|end| rest.starts_with(end.as_str()))?;
    Some((end.len(), escapes))
}

/// Returns the end of a line that is escaped with so many backslashes, or else of the text that it is quoted in.
fn escaped_end(rest: &str, escapes: usize) -> (usize, bool) {
    let mut before = 0;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'\\' => before += 1,
            b'n' if before == escapes => return (at - before, true),
            b'"' if before < escapes => return (at - before, false),
            _ => before = 0,
        }
    }
    (rest.len(), false)
}

/// Returns whether a line is a value, an item of a list or a name and its value, rather than a sentence.
fn is_plain_value(line: &str, name: &str) -> bool {
    let first = line.trim_start_matches('\\');
    !first.starts_with(['"', '\''])
        && (line.starts_with("- ") || line.contains(": ") || value(line, 0, name).is_some())
}

/// Returns whether a header of this name holds more than a word.
pub(super) fn is_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("cookie") || name.ends_with("authorization")
}
