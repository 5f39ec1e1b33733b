//! [`Bounded`] is a report of limited length, with room for the lines that close it and count what is left out.

/// The longest report, in bytes: as much as a comment of a pull request takes.
pub(crate) const BYTES: usize = 64 * 1024;

/// `Bounded` is a text that takes pieces for as long as there is room.
pub(crate) struct Bounded {
    text: String,
    bytes: usize,
    /// The room that only [`close`](Self::close) may take.
    kept: usize,
}

impl Bounded {
    pub(crate) const fn new(bytes: usize) -> Self {
        Self {
            text: String::new(),
            bytes,
            kept: 0,
        }
    }

    /// Returns whether so many bytes have room.
    pub(crate) const fn has_room_for(&self, bytes: usize) -> bool {
        self.text.len() + self.kept + bytes <= self.bytes
    }

    /// Adds a piece; returns false where it has no room.
    pub(crate) fn push(&mut self, piece: &str) -> bool {
        let fits = self.has_room_for(piece.len());
        if fits {
            self.text.push_str(piece);
        }
        fits
    }

    /// Adds a piece that a later one of at most `closing` bytes closes; returns false where both have no room.
    pub(crate) fn open(&mut self, piece: &str, closing: usize) -> bool {
        let fits = self.has_room_for(piece.len() + closing);
        if fits {
            self.text.push_str(piece);
            self.kept += closing;
        }
        fits
    }

    /// Closes the piece that was opened with the same number of bytes.
    pub(crate) fn close(&mut self, closing: usize, piece: &str) {
        self.kept -= closing;
        self.text.push_str(piece);
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}
