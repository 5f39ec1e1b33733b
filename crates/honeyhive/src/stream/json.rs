//! [`Index`] tells where the values of one JSON text are.
//!
//! A stream of a model has an event for each token, and each is read on the task that waits for the next one. So an
//! event is indexed, not parsed: no value is copied, nothing is allocated once the index has grown, fields may stand in
//! any order and have any type. `serde_json` would own every text with an escape in it, and every list.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

use super::words;
use crate::model::limits;

/// Values are read to this depth; no model API nests deeper where it matters.
const MAX_DEPTH: u32 = 64;
/// A text with more values is not read. Numbers in lists, of which an embedding has thousands, are not among them.
const MAX_NODES: usize = 64 * 1024;
/// The memory of at most this many nodes stays between events.
const KEPT: usize = 8 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Object,
    Array,
    Text,
    /// The text has escapes.
    Escaped,
    /// The value is a number or a boolean.
    Plain,
    Null,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    /// The field's name is without its quotes; empty where the value is no field.
    name: u32,
    name_len: u32,
    /// The value's bytes are here, a text's without its quotes.
    start: u32,
    end: u32,
    /// This node follows the value and all within.
    next: u32,
    /// A list has this many items.
    items: u32,
    kind: Kind,
}

thread_local! {
    /// The memory is that of the last index that this thread has let go of: a call reads its request in it, and then
    /// its answer.
    static FREE: Cell<Vec<Node>> = const { Cell::new(Vec::new()) };
}

/// The index's memory is used again for event after event.
#[derive(Debug)]
pub(crate) struct Index {
    nodes: Vec<Node>,
}

impl Drop for Index {
    fn drop(&mut self) {
        /// A buffer of at most this many nodes is kept: more than most texts have.
        const MOST: usize = 1024;
        if (1..=MOST).contains(&self.nodes.capacity()) {
            let nodes = std::mem::take(&mut self.nodes);
            // A thread that ends keeps nothing.
            let _ = FREE.try_with(|free| free.set(nodes));
        }
    }
}

impl Index {
    pub(super) fn new() -> Self {
        Self {
            nodes: FREE.try_with(Cell::take).unwrap_or_default(),
        }
    }

    /// Returns the root of the text; `None` where the text is no JSON, or more than is looked into.
    pub(super) fn read<'a>(&'a mut self, text: &'a str) -> Option<Json<'a>> {
        u32::try_from(text.len()).ok()?;
        self.nodes.clear();
        if self.nodes.capacity() > KEPT {
            self.nodes = Vec::new();
        }
        // An event has a node in 12 bytes: room for it is made once, and most times for the events that follow.
        self.nodes.reserve((text.len() / 12).clamp(32, 1024));
        scan(text.as_bytes(), &mut self.nodes)?;
        Some(Json {
            text,
            nodes: &self.nodes,
            at: 0,
        })
    }
}

/// A range is the beginning of a text, and its length.
type Range = (u32, u32);

const UNNAMED: Range = (0, 0);

/// The next value is in this list or object. While it is open, its node's `next` is the one around it.
#[derive(Clone, Copy)]
struct Open {
    node: usize,
    /// So many lists and objects are open.
    depth: u32,
    /// The list or object has this many values so far.
    items: u32,
    /// This byte closes the list or object.
    end: u8,
}

/// Passes one value and all within; `None` where something follows. The loop is one, and its place is no field: a call
/// for each level, and a place in memory, would take half as long again.
fn scan(bytes: &[u8], nodes: &mut Vec<Node>) -> Option<()> {
    let mut at = 0;
    let mut name = UNNAMED;
    let mut open = Open {
        node: 0,
        depth: 0,
        items: 0,
        end: 0,
    };
    loop {
        match peek(bytes, &mut at)? {
            b'"' => {
                let (end, is_plain) = text_end(bytes, at + 1)?;
                let kind = match is_plain {
                    true => Kind::Text,
                    false => Kind::Escaped,
                };
                push(nodes, kind, name, at + 1, end)?;
                at = end + 1;
            }
            first @ (b'{' | b'[') => {
                open = begin(nodes, open, first, name, at)?;
                at += 1;
                if peek(bytes, &mut at)? != open.end {
                    name = name_at(bytes, &mut at, open.end)?;
                    continue;
                }
                at += 1;
                open = close(nodes, open, at)?;
            }
            first => {
                let start = at;
                let kind = plain(bytes, first, &mut at)?;
                if open.end != b']' {
                    push(nodes, kind, name, start, at)?;
                }
            }
        }
        loop {
            if open.depth == 0 {
                skip_space(bytes, &mut at);
                return (at == bytes.len()).then_some(());
            }
            open.items += 1;
            let next = peek(bytes, &mut at)?;
            at += 1;
            if next == b',' {
                break;
            }
            (next == open.end).then_some(())?;
            open = close(nodes, open, at)?;
        }
        name = name_at(bytes, &mut at, open.end)?;
    }
}

fn skip_space(bytes: &[u8], at: &mut usize) {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(*at) {
        *at += 1;
    }
}

/// Returns the next byte that is no space.
#[inline]
fn peek(bytes: &[u8], at: &mut usize) -> Option<u8> {
    let byte = *bytes.get(*at)?;
    if byte > b' ' {
        return Some(byte);
    }
    skip_space(bytes, at);
    bytes.get(*at).copied()
}

/// Returns the name of the value that comes, where that is a field.
#[expect(
    clippy::inline_always,
    reason = "whether it is inlined changed with lines elsewhere"
)]
#[inline(always)]
fn name_at(bytes: &[u8], at: &mut usize, ends: u8) -> Option<Range> {
    if ends == b']' {
        return Some(UNNAMED);
    }
    (peek(bytes, at)? == b'"').then_some(())?;
    let start = *at + 1;
    let (end, _) = text_end(bytes, start)?;
    *at = end + 1;
    (peek(bytes, at)? == b':').then_some(())?;
    *at += 1;
    Some((start as u32, (end - start) as u32))
}

/// Returns the end of the text that begins here, and whether it has no escapes. As a call of its own it takes a tenth
/// of an event.
#[expect(
    clippy::inline_always,
    reason = "whether it is inlined changed with lines elsewhere"
)]
#[inline(always)]
fn text_end(bytes: &[u8], start: usize) -> Option<(usize, bool)> {
    let mut at = stop_in(bytes, start)?;
    if bytes.get(at) == Some(&b'"') {
        return Some((at, true));
    }
    while bytes.get(at) != Some(&b'"') {
        at = stop_in(bytes, at + 2)?;
    }
    Some((at, false))
}

/// Numbers, booleans and `null` consist of these bytes.
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        plain[byte] = matches!(byte as u8, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E');
        byte += 1;
    }
    plain
};

/// Passes a number, `true`, `false` or `null`.
#[inline]
fn plain(bytes: &[u8], first: u8, at: &mut usize) -> Option<Kind> {
    let kind = match first {
        b'n' => Kind::Null,
        b'-' | b'0'..=b'9' | b't' | b'f' => Kind::Plain,
        _ => return None,
    };
    if kind == Kind::Null && bytes[*at..].starts_with(b"null") {
        *at += 4;
        return Some(kind);
    }
    while let Some(byte) = bytes.get(*at)
        && PLAIN[usize::from(*byte)]
    {
        *at += 1;
    }
    Some(kind)
}

/// Notes that a list or an object begins.
#[inline]
fn begin(nodes: &mut Vec<Node>, around: Open, first: u8, name: Range, at: usize) -> Option<Open> {
    if around.depth == MAX_DEPTH {
        return None;
    }
    if let Some(node) = nodes.get_mut(around.node) {
        node.items = around.items;
    }
    let kind = match first {
        b'{' => Kind::Object,
        _ => Kind::Array,
    };
    let node = nodes.len();
    push(nodes, kind, name, at, 0)?;
    nodes.last_mut()?.next = around.node as u32;
    Some(Open {
        node,
        depth: around.depth + 1,
        items: 0,
        // The closing byte is two above the opening one in ASCII.
        end: first + 2,
    })
}

/// Closes the open node and returns the one around it.
#[inline]
fn close(nodes: &mut [Node], open: Open, at: usize) -> Option<Open> {
    let next = nodes.len() as u32;
    let node = nodes.get_mut(open.node)?;
    let around = std::mem::replace(&mut node.next, next) as usize;
    node.end = at as u32;
    node.items = open.items;
    let node = nodes.get(around)?;
    Some(Open {
        node: around,
        depth: open.depth - 1,
        items: node.items,
        end: match node.kind {
            Kind::Object => b'}',
            _ => b']',
        },
    })
}

#[inline]
fn push(
    nodes: &mut Vec<Node>,
    kind: Kind,
    (name, name_len): Range,
    start: usize,
    end: usize,
) -> Option<()> {
    let next = nodes.len() + 1;
    if next > MAX_NODES {
        return None;
    }
    nodes.push(Node {
        name,
        name_len,
        start: start as u32,
        end: end as u32,
        next: next as u32,
        items: 0,
        kind,
    });
    Some(())
}

/// Returns the place of the next quote or backslash. Names are a few bytes long: they are searched eight bytes at a
/// time, since a call of `memchr2` takes longer.
#[inline(never)]
fn stop_in(bytes: &[u8], from: usize) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    const QUOTES: u64 = u64::from_ne_bytes([b'"'; 8]);
    const BACKSLASHES: u64 = u64::from_ne_bytes([b'\\'; 8]);
    let mut at = from;
    for _ in 0..3 {
        let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) else {
            break;
        };
        let word = u64::from_le_bytes(*word);
        let (quotes, backslashes) = (word ^ QUOTES, word ^ BACKSLASHES);
        // The lowest set bit is right, and those above it may be wrong.
        let zeros = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes;
        let found = (zeros(quotes) | zeros(backslashes)) & TOPS;
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    memchr::memchr2(b'"', b'\\', bytes.get(at..)?).map(|found| at + found)
}

/// The value is one of an indexed text.
#[derive(Clone, Copy)]
pub(super) struct Json<'a> {
    text: &'a str,
    nodes: &'a [Node],
    at: usize,
}

impl<'a> Json<'a> {
    fn node(self) -> &'a Node {
        &self.nodes[self.at]
    }

    const fn at(self, at: usize) -> Self {
        Self { at, ..self }
    }

    /// Returns the field of an object; a null is no value.
    pub(super) fn get(self, key: &str) -> Option<Self> {
        // The lengths are compared first, since most names differ in length.
        let is_meant = |field: &Self| {
            field.node().name_len as usize == key.len() && field.name() == key.as_bytes()
        };
        let field = self.children(Kind::Object).find(is_meant)?;
        (field.node().kind != Kind::Null).then_some(field)
    }

    /// Returns the fields of an object, without its nulls.
    pub(super) fn fields(self) -> Fields<'a> {
        let node = self.node();
        let end = match node.kind {
            Kind::Object => node.next as usize,
            _ => 0,
        };
        Fields {
            at: self.at(self.at + 1),
            end,
        }
    }

    /// Returns the name as it is written: names of an API have no escapes.
    #[inline]
    fn name(self) -> &'a [u8] {
        let node = self.node();
        let start = node.name as usize;
        &self.text.as_bytes()[start..start + node.name_len as usize]
    }

    /// Returns the name of the field that this is.
    pub(super) fn name_text(self) -> &'a str {
        let node = self.node();
        let start = node.name as usize;
        let name = self.text.get(start..start + node.name_len as usize);
        name.unwrap_or_default()
    }

    #[inline]
    fn children(self, kind: Kind) -> impl Iterator<Item = Self> + use<'a> {
        let node = self.node();
        let (mut at, end) = match node.kind == kind {
            true => (self.at + 1, node.next as usize),
            false => (0, 0),
        };
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let child = self.at(at);
            at = child.node().next as usize;
            Some(child)
        })
    }

    /// Returns the texts, lists and objects of a list; nothing for any other value.
    pub(super) fn items(self) -> impl Iterator<Item = Self> + use<'a> {
        self.children(Kind::Array)
    }

    /// Returns the items of the list in this field.
    pub(super) fn list(self, key: &str) -> impl Iterator<Item = Self> + use<'a> {
        self.get(key).into_iter().flat_map(Self::items)
    }

    /// Returns the number of items of a list, of whatever type.
    pub(super) fn len(self) -> u64 {
        self.node().items.into()
    }

    pub(super) fn is_object(self) -> bool {
        self.node().kind == Kind::Object
    }

    pub(super) fn is_list(self) -> bool {
        self.node().kind == Kind::Array
    }

    pub(super) fn text(self) -> Option<Text<'a>> {
        let is_plain = match self.node().kind {
            Kind::Text => true,
            Kind::Escaped => false,
            _ => return None,
        };
        let written = self.raw();
        Some(Text { written, is_plain })
    }

    /// Returns the text, where this is one that is not empty.
    pub(super) fn said(self) -> Option<Text<'a>> {
        self.text().filter(|text| !text.written.is_empty())
    }

    /// Returns the text in this field, where there is one that is not empty.
    pub(super) fn text_in(self, key: &str) -> Option<Text<'a>> {
        self.get(key)?.said()
    }

    /// Returns true where the value is this text.
    pub(super) fn says(self, text: &str) -> bool {
        self.text().is_some_and(|it| it.written == text)
    }

    /// Returns true where the value is a text that begins with this one.
    pub(super) fn begins(self, with: &str) -> bool {
        self.text().is_some_and(|it| it.written.starts_with(with))
    }

    pub(super) fn is(self, key: &str, value: &str) -> bool {
        self.get(key).is_some_and(|it| it.says(value))
    }

    /// Returns true where the field is a text that ends with this one.
    pub(super) fn ends(self, key: &str, with: &str) -> bool {
        let text = self.get(key).and_then(Self::text);
        text.is_some_and(|it| it.written.ends_with(with))
    }

    pub(super) fn number(self, key: &str) -> Option<u64> {
        self.get(key)?.count()
    }

    /// Returns the number as a count, if it is none of those whose sums would overflow.
    pub(super) fn count(self) -> Option<u64> {
        const MOST: u64 = 1_000_000_000_000_000;
        if self.node().kind != Kind::Plain {
            return None;
        }
        let text = self.raw();
        let whole: Option<u64> = text.parse().ok();
        whole.filter(|it| *it < MOST).or_else(|| {
            let number: f64 = text.parse().ok()?;
            let is_count = (0.0..MOST as f64).contains(&number);
            is_count.then_some(number as u64)
        })
    }

    /// Returns the number, if this is one that is not negative.
    pub(super) fn amount(self) -> Option<f64> {
        let number: f64 = self.raw().parse().ok()?;
        (self.node().kind == Kind::Plain && number >= 0.0 && number.is_finite()).then_some(number)
    }

    /// Returns the JSON text of the value.
    pub(super) fn raw(self) -> &'a str {
        let node = self.node();
        // Both ends of the range are beside an ASCII byte.
        self.text
            .get(node.start as usize..node.end as usize)
            .unwrap_or_default()
    }
}

/// The fields are those of an object, without its nulls.
pub(super) struct Fields<'a> {
    at: Json<'a>,
    end: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], Json<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        while self.at.at < self.end {
            let field = self.at;
            let node = field.nodes.get(field.at)?;
            self.at.at = node.next as usize;
            if node.kind != Kind::Null {
                let start = node.name as usize;
                let end = start + node.name_len as usize;
                return Some((field.text.as_bytes().get(start..end)?, field));
            }
        }
        None
    }
}

/// The text is as it is written in JSON, without the quotes.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    written: &'a str,
    is_plain: bool,
}

impl<'a> Text<'a> {
    /// Returns a text that has no escapes.
    pub(super) const fn plain(written: &'a str) -> Self {
        Self {
            written,
            is_plain: true,
        }
    }

    /// Returns the text as it is written, which is its value wherever it is a word of an API.
    pub(super) const fn written(self) -> &'a str {
        self.written
    }

    /// Returns the text, if it has no escapes.
    pub(super) fn as_plain(self) -> Option<&'a str> {
        self.is_plain.then_some(self.written)
    }

    /// Returns the text without escapes: most texts have none, and are copied once.
    pub(super) fn unescaped(self) -> Cow<'a, str> {
        if self.is_plain {
            return Cow::Borrowed(self.written);
        }
        let mut said = String::with_capacity(self.written.len());
        self.each(&mut |piece| said.push_str(piece));
        Cow::Owned(said)
    }

    /// Returns the same as a shared text, for words that occur often.
    pub(super) fn shared(self, most: usize) -> Arc<str> {
        match self.as_plain() {
            Some(word) if word.len() <= most => words::shared(word),
            _ => self.bounded(most),
        }
    }

    /// Returns the text without escapes, cut with a mark where it is longer.
    pub(super) fn bounded<T>(self, most: usize) -> T
    where
        T: From<String> + From<&'a str>,
    {
        match self.unescaped() {
            Cow::Borrowed(text) if text.len() <= most => text.into(),
            text => {
                let mut text = text.into_owned();
                limits::shorten(&mut text, most);
                text.into()
            }
        }
    }

    /// Returns the first half of a character that the text ends with.
    pub(super) fn first_half(self) -> Option<u32> {
        if self.is_plain {
            return None;
        }
        let escape = self.written.len().checked_sub(r"\ud83d".len())?;
        let (before, escape) = self.written.split_at_checked(escape)?;
        let (first, _) = unit(escape.strip_prefix("\\u")?)?;
        // A backslash after an odd number of them is itself escaped.
        let backslashes = before.bytes().rev().take_while(|byte| *byte == b'\\');
        let is_half = (0xd800..=0xdbff).contains(&first) && backslashes.count() % 2 == 0;
        is_half.then_some(first)
    }

    /// Returns the character whose first half a text before has ended with, and this text after the second.
    pub(super) fn second_half(self, first: u32) -> Option<(char, Self)> {
        let escape = self
            .written
            .strip_prefix("\\u")
            .filter(|_| !self.is_plain)?;
        let (second, written) = unit(escape)?;
        let whole = joined(first, second)?;
        Some((whole, Self { written, ..self }))
    }

    /// Passes the text on, piece by piece.
    pub(super) fn each(self, put: &mut dyn FnMut(&str)) {
        let mut rest = self.written;
        if self.is_plain {
            if !rest.is_empty() {
                put(rest);
            }
            return;
        }
        while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
            if at > 0 {
                put(&rest[..at]);
            }
            let (said, after) = unescape(&rest[at + 1..]);
            put(said.encode_utf8(&mut [0; 4]));
            rest = after;
        }
        if !rest.is_empty() {
            put(rest);
        }
    }
}

/// Returns the character of an escape, and the text after it; the backslash has been read.
fn unescape(text: &str) -> (char, &str) {
    let mut rest = text.chars();
    let said = match rest.next() {
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('u') => return unicode(rest.as_str()),
        Some(plain) => plain,
        None => char::REPLACEMENT_CHARACTER,
    };
    (said, rest.as_str())
}

/// Returns a character by number, where two surrogates are one.
fn unicode(text: &str) -> (char, &str) {
    let Some((first, rest)) = unit(text) else {
        return (char::REPLACEMENT_CHARACTER, text);
    };
    let second = rest.strip_prefix("\\u").and_then(unit);
    let pair = second.and_then(|(second, after)| Some((joined(first, second)?, after)));
    pair.unwrap_or_else(|| {
        let alone = char::from_u32(first);
        (alone.unwrap_or(char::REPLACEMENT_CHARACTER), rest)
    })
}

/// Returns the character of two surrogates.
fn joined(first: u32, second: u32) -> Option<char> {
    let is_pair = (0xd800..=0xdbff).contains(&first) && (0xdc00..=0xdfff).contains(&second);
    is_pair.then(|| char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)))?
}

fn unit(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let code = is_hex.then(|| u32::from_str_radix(digits, 16).ok())??;
    Some((code, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn escaped(written: &str) -> Text<'_> {
        Text {
            written,
            is_plain: false,
        }
    }

    /// Returns the indexed value, rebuilt; numbers in lists are not kept.
    fn rebuilt(json: Json<'_>) -> Value {
        match json.node().kind {
            Kind::Object => {
                let named = |field: Json<'_>| {
                    let name = std::str::from_utf8(field.name()).expect("a name");
                    (escaped(name).unescaped().into_owned(), rebuilt(field))
                };
                json.children(Kind::Object).map(named).collect()
            }
            Kind::Array => json.items().map(rebuilt).collect(),
            Kind::Text | Kind::Escaped => json.text().expect("a text").unescaped().into(),
            Kind::Plain | Kind::Null => serde_json::from_str(json.raw()).expect("plain"),
        }
    }

    #[test]
    fn what_is_indexed_is_what_serde_json_reads() {
        for text in [
            r#"{"a": {"b": ["x", {"c": 1.5e3}, []]}, "d": null, "e": true, "f": -0.1}"#,
            r#" {"text":"a\"b\\\n\t\u00e9\ud83c\udf33/\/" , "":{}} "#,
            r#""only text""#,
            "[]",
            "{}",
            "12",
        ] {
            let expected: Value = serde_json::from_str(text).expect("valid");
            let mut index = Index::new();
            assert_eq!(rebuilt(index.read(text).expect(text)), expected, "{text}");
        }
    }

    #[test]
    fn no_json_is_none_and_nothing_panics() {
        let mut index = Index::new();
        let deep = "[".repeat(100_000);
        let texts = [
            "",
            " ",
            "{",
            "}",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":}",
            "{a:1}",
            "[1,",
            "[1 2]",
            "\"",
            "\"\\",
            "{\"a\":1}x",
            "nope nope",
            &deep,
        ];
        for text in texts {
            assert!(index.read(text).is_none(), "{text:.20}");
        }
        let whole = r#"{"choices":[{"delta":{"content":"\ud83c\udf33 ü\n"}}],"n":[1,2]}"#;
        for (end, _) in whole.char_indices() {
            assert!(index.read(&whole[..end]).is_none());
        }
    }

    #[test]
    fn escapes_that_say_nothing_are_a_mark() {
        for (written, said) in [
            (r"\ud83c", "\u{fffd}"),
            (r"\ud83c\ud83c", "\u{fffd}\u{fffd}"),
            (r"\u12", "\u{fffd}12"),
            (r"\u+123", "\u{fffd}+123"),
            ("\\", "\u{fffd}"),
        ] {
            assert_eq!(escaped(written).unescaped(), said, "{written}");
        }
    }

    #[test]
    fn a_list_of_numbers_is_counted_and_takes_no_room() {
        let text = format!("{{\"embedding\":[{}]}}", vec!["0.25"; 200_000].join(","));
        let mut index = Index::new();
        let root = index.read(&text).expect("an embedding");
        assert_eq!(root.get("embedding").map(Json::len), Some(200_000));
        assert!(index.nodes.len() < 8);
    }

    #[test]
    fn the_room_of_a_large_event_is_given_back() {
        let large = format!("[{}]", vec!["{}"; 40_000].join(","));
        let mut index = Index::new();
        assert!(index.read(&large).is_some());
        assert!(index.read("{}").is_some());
        assert!(index.nodes.capacity() <= KEPT, "{}", index.nodes.capacity());
    }
}
