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
    kind: Kind,
    /// The value's bytes, a text's without its quotes.
    start: u32,
    end: u32,
    /// The node that follows the value and all within.
    next: u32,
    /// Items of a list.
    items: u32,
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
        let mut scanner = Scanner {
            bytes: text.as_bytes(),
            at: 0,
            nodes: &mut self.nodes,
        };
        scanner.value(0)?;
        scanner.skip_space();
        let is_all = scanner.at == text.len();
        is_all.then_some(Json {
            text,
            nodes: &self.nodes,
            at: 0,
        })
    }
}

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
    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn value(&mut self, depth: u32) -> Option<()> {
        match self.peek()? {
            b'{' => self.container(Kind::Object, b'}', depth),
            b'[' => self.container(Kind::Array, b']', depth),
            b'"' => self.text(),
            _ => {
                let (kind, start) = self.plain()?;
                self.push(kind, start, self.at)
            }
        }
    }

    fn container(&mut self, kind: Kind, close: u8, depth: u32) -> Option<()> {
        if depth == MAX_DEPTH {
            return None;
        }
        let node = self.nodes.len();
        self.push(kind, self.at, self.at)?;
        self.at += 1;
        let mut items = 0;
        if self.peek()? == close {
            self.at += 1;
        } else {
            loop {
                self.item(kind, depth + 1)?;
                items += 1;
                match self.next()? {
                    b',' => {}
                    byte if byte == close => break,
                    _ => return None,
                }
            }
        }
        let next = self.nodes.len() as u32;
        let node = self.nodes.get_mut(node)?;
        node.end = self.at as u32;
        node.next = next;
        node.items = items;
        Some(())
    }

    fn item(&mut self, kind: Kind, depth: u32) -> Option<()> {
        if kind == Kind::Object {
            (self.peek()? == b'"').then(|| self.text())??;
            (self.next()? == b':').then_some(())?;
        } else if !matches!(self.peek()?, b'{' | b'[' | b'"') {
            return self.plain().map(|_| ());
        }
        self.value(depth)
    }

    fn text(&mut self) -> Option<()> {
        let start = self.at + 1;
        let mut at = start;
        loop {
            let rest = self.bytes.get(at..)?;
            at += memchr::memchr2(b'"', b'\\', rest)?;
            if self.bytes[at] == b'"' {
                break;
            }
            at += 2;
        }
        self.at = at + 1;
        self.push(Kind::Text, start, at)
    }

    /// A number, `true`, `false` or `null`, and where it begins.
    fn plain(&mut self) -> Option<(Kind, usize)> {
        let start = self.at;
        let kind = match self.bytes.get(start)? {
            b'n' => Kind::Null,
            b'-' | b'0'..=b'9' | b't' | b'f' => Kind::Plain,
            _ => return None,
        };
        while let Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E') =
            self.bytes.get(self.at)
        {
            self.at += 1;
        }
        Some((kind, start))
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) -> Option<()> {
        let next = self.nodes.len() + 1;
        if next > MAX_NODES {
            return None;
        }
        self.nodes.push(Node {
            kind,
            start: start as u32,
            end: end as u32,
            next: next as u32,
            items: 0,
        });
        Some(())
    }
}

/// A value of an indexed text.
#[derive(Clone, Copy)]
pub(super) struct Json<'a> {
    text: &'a str,
    nodes: &'a [Node],
    at: usize,
}

impl<'a> Json<'a> {
    fn node(self) -> Node {
        self.nodes[self.at]
    }

    const fn at(self, at: usize) -> Self {
        Self { at, ..self }
    }

    /// The field of an object; a null is no value.
    pub(super) fn get(self, key: &str) -> Option<Self> {
        let node = self.node();
        if node.kind != Kind::Object {
            return None;
        }
        let mut at = self.at + 1;
        while at < node.next as usize {
            let (name, value) = (self.nodes[at], self.nodes[at + 1]);
            if &self.text.as_bytes()[name.start as usize..name.end as usize] == key.as_bytes() {
                return (value.kind != Kind::Null).then_some(self.at(at + 1));
            }
            at = value.next as usize;
        }
        None
    }

    /// The field of a field, and so on.
    pub(super) fn path<const N: usize>(self, keys: [&str; N]) -> Option<Self> {
        keys.into_iter().try_fold(self, Self::get)
    }

    /// The texts, lists and objects of a list; nothing for any other value.
    pub(super) fn items(self) -> impl Iterator<Item = Self> + use<'a> {
        let node = self.node();
        let is_list = node.kind == Kind::Array;
        let (mut at, end) = (self.at + 1, node.next as usize);
        std::iter::from_fn(move || {
            if !is_list || at >= end {
                return None;
            }
            let item = self.at(at);
            at = item.node().next as usize;
            Some(item)
        })
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
        let node = self.node();
        (node.kind == Kind::Text).then(|| Text(self.bytes_of(node)))
    }

    /// The text in this field, where there is one that is not empty.
    pub(super) fn text_in(self, key: &str) -> Option<Text<'a>> {
        self.get(key)?.text().filter(|text| !text.0.is_empty())
    }

    pub(super) fn is(self, key: &str, value: &str) -> bool {
        self.text_in(key).is_some_and(|text| text.0 == value)
    }

    pub(super) fn number(self, key: &str) -> Option<u64> {
        let field = self.get(key)?;
        let node = field.node();
        if node.kind != Kind::Plain {
            return None;
        }
        let text = field.bytes_of(node);
        text.parse().ok().or_else(|| {
            let number: f64 = text.parse().ok()?;
            (0.0..1e15).contains(&number).then_some(number as u64)
        })
    }

    /// The JSON text of the value.
    pub(super) fn raw(self) -> &'a str {
        self.bytes_of(self.node())
    }

    fn bytes_of(self, node: Node) -> &'a str {
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
                let mut object = serde_json::Map::new();
                let mut at = json.at + 1;
                while at < json.node().next as usize {
                    let name = json.at(at).text().expect("a key");
                    let value = json.at(at + 1);
                    object
                        .entry(name.to_string())
                        .or_insert_with(|| rebuilt(value));
                    at = value.node().next as usize;
                }
                Value::Object(object)
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
