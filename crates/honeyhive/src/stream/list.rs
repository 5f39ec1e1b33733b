//! [`Items`]: the objects of a JSON list that comes in pieces, as Gemini streams its answers where nobody asks for events.

/// Where in a list the bytes are that come next.
#[derive(Debug, Default)]
pub(super) struct Items {
    /// The objects and lists of an item that are open; none between items.
    depth: usize,
    is_text: bool,
    is_escaped: bool,
}

impl Items {
    /// The bytes of an item lie ahead, or have begun.
    pub(super) const fn is_inside(&self) -> bool {
        self.depth > 0
    }

    /// Passes what stands between items: as many bytes as there are before the next.
    pub(super) fn start_in(&mut self, bytes: &[u8]) -> Option<usize> {
        let at = memchr::memchr(b'{', bytes)?;
        self.depth = 1;
        Some(at)
    }

    /// Where the open item ends, which is behind its last brace; `None` where that has not come. What the bytes begin
    /// with is inside of the item.
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
