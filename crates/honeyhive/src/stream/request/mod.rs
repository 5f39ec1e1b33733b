//! [`Asked`] reads from the JSON body of a request what it asks of a model, in the words of the same APIs.
//!
//! [`body`] knows the fields of a request, [`item`] those of a message, and [`part`] those of a part of one. [`room`] keeps
//! what there is room for.

mod body;
mod item;
mod part;
mod room;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use opentelemetry::KeyValue;

use super::json::{Index, Json};
use super::message::Message;
use super::settings::is_number_or_flag;
use super::text_of;
use crate::attributes::MAX_ATTRIBUTES;

/// An event has room for this many messages, at three attributes each; of more, the first and the last stay.
const MAX_MESSAGES: usize = MAX_ATTRIBUTES / 3;
const MAX_TOOLS: usize = 128;

/// A call mostly has this many attributes, with those that the answer and the session add.
const ROOM: usize = 40;

/// The program asks a model for this.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) model: Option<Arc<str>>,
    /// The attributes show the messages and the settings.
    pub(crate) attributes: Vec<KeyValue>,
    /// The texts are inputs that are no conversation: the texts to embed, the prompt of a picture.
    pub(crate) texts: Vec<String>,
    /// The model may call the tools with these names.
    pub(crate) tools: Vec<String>,
    /// So many messages had no room.
    pub(crate) left_out: usize,
    /// All texts together have this many bytes, kept or not.
    pub(crate) bytes: usize,
    /// So many messages have no text, or none that is kept.
    silent: usize,
    hides_content: bool,
    held: usize,
    /// The next message has this place.
    next: usize,
    /// The messages have this many attributes.
    shown: usize,
    /// The messages of a long conversation are gathered, since some are left out.
    gathered: Option<Vec<Message>>,
    is_long: bool,
}

impl Asked {
    /// Reads the body of a request; empty where the body is not understood.
    pub(crate) fn read(body: &[u8], hides_content: bool) -> Self {
        Self::read_after(0, body, hides_content)
    }

    /// Reads the body of a request, whose first message has this number.
    fn read_after(first: usize, body: &[u8], hides_content: bool) -> Self {
        let mut asked = Self::empty(first, hides_content);
        let mut index = Index::new();
        let text = text_of(body);
        if let Some(root) = index.read(&text) {
            asked.attributes.reserve_exact(ROOM);
            asked.take(root);
            if asked.is_long {
                asked = Self::empty(first, hides_content);
                asked.take_long(root);
            }
        }
        if hides_content {
            asked.attributes.retain(is_number_or_flag);
        }
        asked
    }

    fn empty(first: usize, hides_content: bool) -> Self {
        Self {
            hides_content,
            next: first,
            ..Self::default()
        }
    }

    /// Takes a request with more messages than there is room for, of which the first and the last stay.
    fn take_long(&mut self, root: Json<'_>) {
        self.gathered = Some(Vec::new());
        self.take(root);
        let gathered = self.gathered.take().into_iter().flatten();
        gathered.for_each(|message| self.put(message));
    }

    /// Reads one more body of the same request, and adds its messages and settings.
    pub(crate) fn add_body(&mut self, body: &[u8], hides_content: bool) {
        let more = Self::read_after(self.next, body, hides_content);
        self.attributes.extend(more.attributes);
        self.texts.extend(more.texts);
        self.next = more.next;
        self.left_out += more.left_out;
        self.silent += more.silent;
        self.bytes += more.bytes;
    }

    /// Makes questions of texts that stand alone.
    pub(crate) fn ask_texts(&mut self) {
        for content in std::mem::take(&mut self.texts) {
            self.put(Message {
                content,
                ..Message::of("user")
            });
        }
    }

    /// Lets go of all texts; returns how many messages there were.
    pub(crate) fn hide(&mut self) -> usize {
        let spoken = self.next + self.left_out + self.silent;
        let counted = spoken.min(MAX_MESSAGES);
        self.left_out = spoken - counted;
        self.texts = Vec::new();
        self.attributes.retain(is_number_or_flag);
        counted
    }
}
