use std::cell::Cell;

use super::node::{Kind, Node};
use super::value::Json;

/// Values are read to this depth; no model API nests deeper where it matters.
const MAX_DEPTH: u32 = 64;
/// A text with more values is not read. Numbers in lists, of which an embedding has thousands, are not among them.
const MAX_NODES: usize = 64 * 1024;
/// The memory of at most this many nodes stays between events.
pub(super) const KEPT: usize = 8 * 1024;

thread_local! {
    /// The memory is that of the last index that this thread has let go of: a call reads its request in it, and then
    /// its answer.
    static FREE: Cell<Vec<Node>> = const { Cell::new(Vec::new()) };
}

/// The index's memory is used again for event after event.
#[derive(Debug)]
pub(crate) struct Index {
    pub(super) nodes: Vec<Node>,
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
    pub(in crate::stream) fn new() -> Self {
        Self {
            nodes: FREE.try_with(Cell::take).unwrap_or_default(),
        }
    }

    /// Returns the root of the text; `None` where the text is no JSON, or more than is looked into.
    pub(in crate::stream) fn read<'a>(&'a mut self, text: &'a str) -> Option<Json<'a>> {
        u32::try_from(text.len()).ok()?;
        self.nodes.clear();
        if self.nodes.capacity() > KEPT {
            self.nodes = Vec::new();
        }
        // An event has a node in 12 bytes: room for it is made once, and most times for the events that follow.
        self.nodes.reserve((text.len() / 12).clamp(32, 1024));
        scan(text.as_bytes(), &mut self.nodes)?;
        Some(Json::root(text, &self.nodes))
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
    /// The byte is the one that closes the list or object.
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
