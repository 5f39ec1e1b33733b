use super::{Asked, MAX_MESSAGES};
use crate::attributes::MAX_ATTRIBUTES;
use crate::model::limits;
use crate::stream::json::Text;
use crate::stream::media::{kind_of, mark};
use crate::stream::message::Message;

/// All messages take at most this many attributes: the rest of an event's room is for the answer.
const MAX_SHOWN: usize = MAX_ATTRIBUTES - 256;
/// All texts have this many bytes at the most.
const MAX_TEXTS: usize = 8 * 1024 * 1024;

impl Asked {
    pub(super) fn add_text(&mut self, text: Text<'_>) {
        let mut said = String::new();
        self.append(&mut said, text);
        if !self.hides_content && self.texts.len() < MAX_MESSAGES {
            self.texts.push(said);
        }
    }

    pub(super) fn add(&mut self, message: Message) {
        if self.hides_content {
            self.silent += 1;
            return;
        }
        self.shown += message.attributes();
        let Some(gathered) = &mut self.gathered else {
            self.is_long |= self.next >= MAX_MESSAGES || self.shown > MAX_SHOWN;
            return self.put(message);
        };
        gathered.push(message);
        while gathered.len() > 2 && (gathered.len() > MAX_MESSAGES || self.shown > MAX_SHOWN) {
            // The first message tells what the model is to be, the last are those that it answers.
            let oldest = gathered.remove(1);
            self.held = self.held.saturating_sub(oldest.content.len());
            self.shown -= oldest.attributes();
            self.left_out += 1;
        }
    }

    /// Shows a message.
    pub(super) fn put(&mut self, message: Message) {
        message.put(self.next, &mut self.attributes);
        self.next += 1;
    }

    #[inline]
    pub(super) fn append(&mut self, to: &mut String, text: Text<'_>) {
        let written = text.written();
        if written.starts_with("data:") && written.contains(";base64,") {
            return put_line(to, &mark(kind_of(written), text));
        }
        if !to.is_empty() {
            to.push('\n');
        }
        match text.as_plain() {
            Some(whole) => self.append_raw(to, whole),
            None => text.each(&mut |piece| self.append_raw(to, piece)),
        }
    }

    #[inline]
    pub(super) fn append_raw(&mut self, to: &mut String, piece: &str) {
        self.bytes += piece.len();
        if self.hides_content || piece.is_empty() {
            return;
        }
        let room = limits::VALUE_BYTES
            .saturating_sub(to.len())
            .min(MAX_TEXTS.saturating_sub(self.held));
        if piece.len() > room {
            return self.append_start(to, piece, room);
        }
        self.held += piece.len();
        if to.is_empty() {
            // The text gets no more room than it takes.
            *to = piece.to_owned();
        } else {
            to.push_str(piece);
        }
    }

    /// Appends the part that there is room for, and a mark.
    #[cold]
    fn append_start(&mut self, to: &mut String, piece: &str, room: usize) {
        let end = (0..=room).rev().find(|end| piece.is_char_boundary(*end));
        let kept = &piece[..end.unwrap_or(0)];
        to.push_str(kept);
        self.held += kept.len();
        if limits::mark_of(to).is_none() {
            to.push_str(&limits::mark(to.len() - kept.len() + piece.len()));
        }
    }
}

pub(super) fn put_line(to: &mut String, line: &str) {
    if !to.is_empty() {
        to.push('\n');
    }
    to.push_str(line);
}
