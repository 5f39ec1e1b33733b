//! [`Items`]: the objects of a JSON list that comes in pieces, as Gemini streams its answers where nobody asks for events.

/// The place in a list of the bytes that come next.
#[derive(Debug, Default)]
pub(super) struct Items {
    /// The objects and lists of an item that are open; none between items.
    depth: usize,
    is_text: bool,
    is_escaped: bool,
}

impl Items {
    /// Whether an item has begun and not ended.
    pub(super) const fn is_inside(&self) -> bool {
        self.depth > 0
    }

    /// Returns the place of the brace with which the next item begins, and is inside of the item from then on.
    pub(super) fn start_in(&mut self, bytes: &[u8]) -> Option<usize> {
        let at = memchr::memchr(b'{', bytes)?;
        self.depth = 1;
        Some(at)
    }

    /// Returns the end of the item, behind its last brace, if that has come. The bytes begin inside of the item.
    pub(super) fn end_in(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            if std::mem::take(&mut self.is_escaped) {
                continue;
            }
            match (byte, self.is_text) {
                (b'\\', true) => self.is_escaped = true,
                (b'"', is_text) => self.is_text = !is_text,
                (b'{' | b'[', false) => self.depth += 1,
                (b'}' | b']', false) => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }
}
