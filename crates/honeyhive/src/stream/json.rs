//! [`Index`]: where the values of one JSON text are.
//!
//! A stream of a model has an event a token, and each is read on the task that waits for the next one. So an event is
//! indexed, not parsed: no value is copied, nothing is allocated once the index has grown, fields may stand in any
//! order and have any type. `serde_json` would own every text with an escape in it, and every list.

/// Deeper than this no model API nests what is read here.
const MAX_DEPTH: u32 = 64;
/// Numbers in lists, of which an embedding has thousands, are no nodes.
const MAX_NODES: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Object,
    Array,
    Text,
    /// A number or a truth value.
    Plain,
    Null,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    /// The field's name, without its quotes; empty where the value is no field.
    name: u32,
    name_len: u32,
    /// The value's bytes, a text's without its quotes.
    start: u32,
    end: u32,
    /// The node that follows the value and all within.
    next: u32,
    /// Items of a list.
    items: u32,
    kind: Kind,
}

/// Memory that is used again for event after event.
#[derive(Debug, Default)]
pub(super) struct Index {
    nodes: Vec<Node>,
}

impl Index {
    /// The root of the text; `None` where the text is no JSON, or more than is looked into.
    pub(super) fn read<'a>(&'a mut self, text: &'a str) -> Option<Json<'a>> {
        u32::try_from(text.len()).ok()?;
        self.nodes.clear();
        // An event has a node in 12 bytes: room for it is made once.
        self.nodes.reserve((text.len() / 12).clamp(16, 1024));
        let mut scanner = Scanner {
            bytes: text.as_bytes(),
            at: 0,
            nodes: &mut self.nodes,
        };
        scanner.value((0, 0), 0)?;
        scanner.skip_space();
        let is_all = scanner.at == text.len();
        is_all.then_some(Json {
            text,
            nodes: &self.nodes,
            at: 0,
        })
    }
}

/// Where a text begins, and its length.
type Range = (u32, u32);

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: &'a mut Vec<Node>,
}

impl Scanner<'_> {
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// The next byte that is no space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        if byte > b' ' {
            return Some(byte);
        }
        self.skip_space();
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    #[inline]
    fn value(&mut self, name: Range, depth: u32) -> Option<()> {
        match self.peek()? {
            b'{' => self.object(name, depth),
            b'[' => self.array(name, depth),
            b'"' => {
                let (start, len) = self.text()?;
                self.push(Kind::Text, name, start, start + len)
            }
            _ => {
                let (kind, start) = self.plain()?;
                self.push(kind, name, start as u32, self.at as u32)
            }
        }
    }

    fn object(&mut self, name: Range, depth: u32) -> Option<()> {
        let node = self.open(Kind::Object, name, depth)?;
        let mut fields = 0;
        if self.peek()? == b'}' {
            self.at += 1;
        } else {
            loop {
                (self.peek()? == b'"').then_some(())?;
                let name = self.text()?;
                (self.next()? == b':').then_some(())?;
                self.value(name, depth + 1)?;
                fields += 1;
                match self.next()? {
                    b',' => {}
                    b'}' => break,
                    _ => return None,
                }
            }
        }
        self.close(node, fields)
    }

    fn array(&mut self, name: Range, depth: u32) -> Option<()> {
        let node = self.open(Kind::Array, name, depth)?;
        let mut items = 0;
        if self.peek()? == b']' {
            self.at += 1;
        } else {
            loop {
                match self.peek()? {
                    b'{' | b'[' | b'"' => self.value((0, 0), depth + 1)?,
                    _ => _ = self.plain()?,
                }
                items += 1;
                match self.next()? {
                    b',' => {}
                    b']' => break,
                    _ => return None,
                }
            }
        }
        self.close(node, items)
    }

    /// The node of a list or an object, whose end is not known yet.
    fn open(&mut self, kind: Kind, name: Range, depth: u32) -> Option<usize> {
        if depth == MAX_DEPTH {
            return None;
        }
        let node = self.nodes.len();
        self.push(kind, name, self.at as u32, 0)?;
        self.at += 1;
        Some(node)
    }

    fn close(&mut self, node: usize, items: u32) -> Option<()> {
        let next = self.nodes.len() as u32;
        let node = self.nodes.get_mut(node)?;
        node.end = self.at as u32;
        node.next = next;
        node.items = items;
        Some(())
    }

    /// Passes a text, whose opening quote is next.
    #[inline]
    fn text(&mut self) -> Option<Range> {
        let start = self.at + 1;
        let mut at = start;
        loop {
            at = stop_in(self.bytes, at)?;
            if self.bytes[at] == b'"' {
                break;
            }
            at += 2;
        }
        self.at = at + 1;
        Some((start as u32, (at - start) as u32))
    }

    /// A number, `true`, `false` or `null`, and where it begins.
    fn plain(&mut self) -> Option<(Kind, usize)> {
        let start = self.at;
        let kind = match self.bytes.get(start)? {
            b'n' => Kind::Null,
            b'-' | b'0'..=b'9' | b't' | b'f' => Kind::Plain,
            _ => return None,
        };
        if self.bytes[start..].starts_with(b"null") {
            self.at += 4;
            return Some((kind, start));
        }
        while let Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E') =
            self.bytes.get(self.at)
        {
            self.at += 1;
        }
        Some((kind, start))
    }

    #[inline]
    fn push(&mut self, kind: Kind, (name, name_len): Range, start: u32, end: u32) -> Option<()> {
        let next = self.nodes.len() + 1;
        if next > MAX_NODES {
            return None;
        }
        self.nodes.push(Node {
            name,
            name_len,
            start,
            end,
            next: next as u32,
            items: 0,
            kind,
        });
        Some(())
    }
}

/// Where the next quote or backslash is. Names are a few bytes long: those are looked at eight at a time, for which a
/// call of `memchr2` takes longer.
#[inline]
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
        // The lowest bit that is set is right, and those above it may be wrong.
        let zeros = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes;
        let found = (zeros(quotes) | zeros(backslashes)) & TOPS;
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    memchr::memchr2(b'"', b'\\', bytes.get(at..)?).map(|found| at + found)
}

/// A value of an indexed text.
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

    /// The field of an object; a null is no value.
    pub(super) fn get(self, key: &str) -> Option<Self> {
        // Most names differ in length.
        let is_meant = |field: &Self| {
            field.node().name_len as usize == key.len() && field.name() == key.as_bytes()
        };
        let field = self.children(Kind::Object).find(is_meant)?;
        (field.node().kind != Kind::Null).then_some(field)
    }

    /// The fields of an object, without its nulls.
    pub(super) fn fields(self) -> impl Iterator<Item = (&'a [u8], Self)> + use<'a> {
        self.children(Kind::Object)
            .filter(|field| field.node().kind != Kind::Null)
            .map(|field| (field.name(), field))
    }

    /// As the text writes it: names of an API have no escapes.
    #[inline]
    fn name(self) -> &'a [u8] {
        let node = self.node();
        let start = node.name as usize;
        &self.text.as_bytes()[start..start + node.name_len as usize]
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

    /// The field of a field, and so on.
    pub(super) fn path<const N: usize>(self, keys: [&str; N]) -> Option<Self> {
        keys.into_iter().try_fold(self, Self::get)
    }

    /// The texts, lists and objects of a list; nothing for any other value.
    pub(super) fn items(self) -> impl Iterator<Item = Self> + use<'a> {
        self.children(Kind::Array)
    }

    /// The items of the list in this field.
    pub(super) fn list(self, key: &str) -> impl Iterator<Item = Self> + use<'a> {
        self.get(key).into_iter().flat_map(Self::items)
    }

    /// How many items a list has, of whatever type.
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
        (self.node().kind == Kind::Text).then(|| Text(self.raw()))
    }

    /// The text, where this is one that is not empty.
    pub(super) fn said(self) -> Option<Text<'a>> {
        self.text().filter(|text| !text.0.is_empty())
    }

    /// The text in this field, where there is one that is not empty.
    pub(super) fn text_in(self, key: &str) -> Option<Text<'a>> {
        self.get(key)?.said()
    }

    pub(super) fn is(self, key: &str, value: &str) -> bool {
        self.text_in(key).is_some_and(|text| text.0 == value)
    }

    pub(super) fn number(self, key: &str) -> Option<u64> {
        self.get(key)?.count()
    }

    /// The number, as far as it counts something.
    pub(super) fn count(self) -> Option<u64> {
        if self.node().kind != Kind::Plain {
            return None;
        }
        let text = self.raw();
        text.parse().ok().or_else(|| {
            let number: f64 = text.parse().ok()?;
            (0.0..1e15).contains(&number).then_some(number as u64)
        })
    }

    /// The JSON text of the value.
    pub(super) fn raw(self) -> &'a str {
        let node = self.node();
        // Both ends stand beside an ASCII byte.
        self.text
            .get(node.start as usize..node.end as usize)
            .unwrap_or_default()
    }
}

/// A text as JSON writes it, without the quotes.
#[derive(Clone, Copy)]
pub(super) struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    /// A text that has no escapes.
    pub(super) const fn plain(text: &'a str) -> Self {
        Self(text)
    }

    /// The text as it is written, which is what it says wherever it is a word of an API.
    pub(super) const fn written(self) -> &'a str {
        self.0
    }

    /// Hands on what the text says, piece by piece.
    pub(super) fn each(self, put: &mut dyn FnMut(&str)) {
        let mut rest = self.0;
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

impl std::fmt::Display for Text<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut outcome = Ok(());
        self.each(&mut |piece| {
            if outcome.is_ok() {
                outcome = formatter.write_str(piece);
            }
        });
        outcome
    }
}

/// What an escape says, and what follows it; the backslash has been read.
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

/// A character by number, where two surrogates are one.
fn unicode(text: &str) -> (char, &str) {
    let Some((first, rest)) = unit(text) else {
        return (char::REPLACEMENT_CHARACTER, text);
    };
    let second = rest.strip_prefix("\\u").and_then(unit);
    match (first, second) {
        (0xd800..=0xdbff, Some((low @ 0xdc00..=0xdfff, after))) => {
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00);
            (shown(code), after)
        }
        _ => (shown(first), rest),
    }
}

fn shown(code: u32) -> char {
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
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

    /// The indexed value, rebuilt; numbers in lists are not kept.
    fn rebuilt(json: Json<'_>) -> Value {
        match json.node().kind {
            Kind::Object => {
                let named = |field: Json<'_>| {
                    let name = std::str::from_utf8(field.name()).expect("a name");
                    (Text(name).to_string(), rebuilt(field))
                };
                json.children(Kind::Object).map(named).collect()
            }
            Kind::Array => json.items().map(rebuilt).collect(),
            Kind::Text => json.text().expect("a text").to_string().into(),
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
            let mut index = Index::default();
            assert_eq!(rebuilt(index.read(text).expect(text)), expected, "{text}");
        }
    }

    #[test]
    fn no_json_is_none_and_nothing_panics() {
        let mut index = Index::default();
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
            assert_eq!(Text(written).to_string(), said, "{written}");
        }
    }

    #[test]
    fn a_list_of_numbers_is_counted_and_takes_no_room() {
        let text = format!("{{\"embedding\":[{}]}}", vec!["0.25"; 200_000].join(","));
        let mut index = Index::default();
        let root = index.read(&text).expect("an embedding");
        assert_eq!(root.get("embedding").map(Json::len), Some(200_000));
        assert!(index.nodes.len() < 8);
    }
}
