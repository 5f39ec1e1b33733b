//! [`Items`] finds the objects of a JSON list that comes in pieces, as Gemini streams its answers where nobody asks for
//! events.

/// The state tells the place in a list of the bytes that come next.
#[derive(Debug, Default)]
pub(super) struct Items {
    /// So many lists around the items are open.
    lists: usize,
    /// So many objects and lists of an item are open; none between items.
    depth: usize,
    has_items: bool,
    is_text: bool,
    is_escaped: bool,
}

impl Items {
    /// Returns whether an item has begun and not ended.
    pub(super) const fn is_inside(&self) -> bool {
        self.depth > 0
    }

    /// Returns whether the list has ended without an item.
    pub(super) const fn is_empty(&self) -> bool {
        self.lists == 0 && !self.has_items
    }

    /// Returns the place of the brace with which the next item begins, and is inside of the item from then on.
    pub(super) fn start_in(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            if self.is_of_text(*byte) {
                continue;
            }
            match byte {
                b'[' => self.lists += 1,
                b']' => self.lists = self.lists.saturating_sub(1),
                b'{' => {
                    self.depth = 1;
                    self.has_items = true;
                    return Some(at);
                }
                _ => {}
            }
        }
        None
    }

    /// Returns the end of the item, behind its last brace, if that has come. The bytes begin inside of the item.
    pub(super) fn end_in(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            if self.is_of_text(*byte) {
                continue;
            }
            match byte {
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
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

    /// Returns whether the byte that comes is of a text; its quotes are, too.
    #[inline]
    const fn is_of_text(&mut self, byte: u8) -> bool {
        match byte {
            _ if self.is_escaped => self.is_escaped = false,
            b'"' => self.is_text = !self.is_text,
            b'\\' => self.is_escaped = self.is_text,
            _ => return self.is_text,
        }
        true
    }
}
