use std::borrow::Cow;

use crate::model::limits;
use crate::stream::json::{Json, Text};

/// A text has this many bytes at the most.
const MAX_TEXT: usize = limits::VALUE_BYTES;
/// All texts of a call have this many bytes at the most.
const MAX_CALL: usize = 16 * 1024 * 1024;

/// The text is kept up to its bound, with how long it was.
#[derive(Debug, Default)]
pub(crate) struct Bounded {
    pub(super) text: String,
    /// The text had this many bytes.
    pub(crate) bytes: usize,
    /// The text ends with the first half of a character, for which a mark stands until the second comes.
    half: Option<u32>,
}

impl Bounded {
    pub(super) const fn is_whole(&self) -> bool {
        self.text.len() == self.bytes
    }

    /// Returns the text, with a mark where something is missing.
    pub(crate) fn shown(&self) -> Cow<'_, str> {
        if self.is_whole() {
            return Cow::Borrowed(&self.text);
        }
        format!("{}{}", self.text, limits::mark(self.bytes)).into()
    }
}

impl Bounded {
    #[inline] // Each token comes here.
    pub(super) fn push(&mut self, mut text: Text<'_>, held: &mut usize, hides: bool) {
        if text.written().is_empty() {
            return;
        }
        let half = self.half.take();
        if let Some((whole, rest)) = half.and_then(|first| text.second_half(first)) {
            self.take_back_mark(held);
            self.push_raw(whole.encode_utf8(&mut [0; 4]), held, hides);
            text = rest;
        }
        self.half = text.first_half();
        text.each(&mut |piece| self.push_raw(piece, held, hides));
    }

    /// Adds a text, or the JSON of any other value.
    pub(super) fn push_value(&mut self, value: Json<'_>, held: &mut usize, hides: bool) {
        match value.text() {
            Some(text) => self.push(text, held, hides),
            None => self.push_raw(value.raw(), held, hides),
        }
    }

    #[inline]
    pub(super) fn push_raw(&mut self, piece: &str, held: &mut usize, hides: bool) {
        let was_whole = self.is_whole();
        self.bytes += piece.len();
        if hides || !was_whole {
            return;
        }
        let room = MAX_TEXT
            .saturating_sub(self.text.len())
            .min(MAX_CALL.saturating_sub(*held));
        let fits = piece.len().min(room);
        let end = (0..=fits).rev().find(|end| piece.is_char_boundary(*end));
        let piece = &piece[..end.unwrap_or(0)];
        if self.text.is_empty() {
            // A body that comes as a whole has one piece: the text takes no more room than that.
            self.text.reserve_exact(piece.len());
        }
        self.text.push_str(piece);
        *held += piece.len();
    }

    /// Takes back the mark that stands for half a character at the end.
    fn take_back_mark(&mut self, held: &mut usize) {
        const MARK: char = char::REPLACEMENT_CHARACTER;
        let was_whole = self.is_whole();
        self.bytes = self.bytes.saturating_sub(MARK.len_utf8());
        if was_whole && self.text.ends_with(MARK) {
            self.text.pop();
            *held = held.saturating_sub(MARK.len_utf8());
        }
    }

    pub(super) fn clear(&mut self, held: &mut usize) {
        *held = held.saturating_sub(self.text.len());
        self.text.clear();
        self.bytes = 0;
        self.half = None;
    }
}
