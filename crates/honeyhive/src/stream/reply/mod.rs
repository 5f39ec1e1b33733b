//! [`Reply`] is put together piece by piece from what a model answers, and never beyond its bounds.

mod bounded;
mod calling;
mod tool_call;
mod usage;
mod word;

use std::borrow::Cow;
use std::sync::Arc;

use super::json::Text;
use bounded::Bounded;
pub(in crate::stream) use calling::CallAt;
use tool_call::MAX_PARTS;
pub(crate) use tool_call::ToolCall;
pub(crate) use usage::Usage;
pub(in crate::stream) use usage::replace;
use word::{MAX_WORD, set};

const MAX_CHOICES: usize = 16;

/// The reply is the answer of a model.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) id: Option<Arc<str>>,
    pub(crate) model: Option<Arc<str>>,
    pub(crate) choices: Vec<Choice>,
    pub(crate) usage: Usage,
    /// The call has cost this many dollars, as the provider says.
    pub(crate) cost: Option<f64>,
    pub(crate) failure: Option<Failure>,
    /// The vectors are counted, and the numbers in one.
    pub(crate) vectors: Option<(u64, u64)>,
    /// The pictures that were made are counted.
    pub(crate) images: u64,
    /// The bytes of audio are counted.
    pub(crate) audio_bytes: u64,
    /// The event that ends the stream was seen.
    pub(crate) is_whole: bool,
    /// The flag tells whether content has come that a user would see.
    pub(crate) has_content: bool,
    /// The events and pieces that were too many or too large are counted.
    pub(crate) left_out: u64,
    hides_content: bool,
    held: usize,
}

/// A call failed for this reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The kind is `rate_limit_exceeded`, `overloaded_error`, ….
    pub(crate) kind: Option<String>,
    /// The message is absent where content is not captured: providers quote what they were sent.
    pub(crate) message: Option<String>,
}

/// A model gives one or several answers to a question.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    pub(crate) index: u64,
    parts: Vec<Part>,
    pub(crate) tool_calls: Vec<ToolCall>,
    pub(crate) finish_reason: Option<String>,
    /// The flag tells whether chunks came after a finish reason, so that the server sends one with every chunk.
    went_on: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Refusal,
    Reasoning,
}

/// The place of a piece is the item, and the part of it.
pub(in crate::stream) type Place = (u64, u64);

#[derive(Debug)]
struct Part {
    kind: Kind,
    place: Place,
    text: Bounded,
}

impl Reply {
    /// Returns an empty reply; with `hides_content`, no text is kept, only how long it was.
    pub(in crate::stream) fn new(hides_content: bool) -> Self {
        Self {
            hides_content,
            ..Self::default()
        }
    }

    /// Returns the answer, where it is the only one and all that was said.
    pub(crate) fn only_choice(&mut self) -> Option<&mut Choice> {
        match self.choices.as_mut_slice() {
            [only] if self.vectors.is_none() && self.images == 0 && self.audio_bytes == 0 => {
                Some(only)
            }
            _ => None,
        }
    }

    pub(crate) const fn hides_content(&self) -> bool {
        self.hides_content
    }

    pub(in crate::stream) fn set_id(&mut self, id: Option<Text<'_>>) {
        set(&mut self.id, id);
    }

    pub(in crate::stream) fn set_model(&mut self, model: Option<Text<'_>>) {
        let model = model.filter(|it| Some(it.written()) != self.model.as_deref());
        if let Some(model) = model.filter(|it| !it.written().is_empty()) {
            self.model = Some(model.shared(MAX_WORD));
        }
    }

    /// Counts a piece of a voice, which is packed as base64.
    pub(in crate::stream) fn add_audio(&mut self, packed: Text<'_>) {
        let packed = packed.written().trim_end_matches('=').len() as u64;
        self.audio_bytes += packed * 3 / 4;
        self.has_content |= packed > 0;
    }

    /// Adds to a text.
    pub(in crate::stream) fn push(
        &mut self,
        choice: u64,
        kind: Kind,
        place: Place,
        text: Text<'_>,
    ) {
        let Some(at) = self.part(choice, kind, place) else {
            return;
        };
        let choice = &mut self.choices[at.0];
        let part = &mut choice.parts[at.1];
        let before = part.text.bytes;
        part.text.push(text, &mut self.held, self.hides_content);
        if part.text.bytes > before {
            self.has_content = true;
            choice.went_on |= choice.finish_reason.is_some();
        }
    }

    /// Replaces a text.
    pub(in crate::stream) fn set_text(
        &mut self,
        choice: u64,
        kind: Kind,
        place: Place,
        text: Text<'_>,
    ) {
        if let Some((choice, part)) = self.part(choice, kind, place) {
            self.choices[choice].parts[part].text.clear(&mut self.held);
        }
        self.push(choice, kind, place, text);
    }

    fn part(&mut self, choice: u64, kind: Kind, place: Place) -> Option<(usize, usize)> {
        let at = self.choice(choice)?;
        let choice = &mut self.choices[at];
        let known = choice
            .parts
            .iter()
            .rposition(|it| it.kind == kind && it.place == place);
        if let Some(part) = known {
            return Some((at, part));
        }
        if choice.parts.len() == MAX_PARTS {
            self.left_out += 1;
            return None;
        }
        choice.parts.push(Part {
            kind,
            place,
            text: Bounded::default(),
        });
        Some((at, choice.parts.len() - 1))
    }

    /// Returns the choice's place in the list.
    fn choice(&mut self, index: u64) -> Option<usize> {
        let known = self.choices.iter().position(|choice| choice.index == index);
        if known.is_some() {
            return known;
        }
        if self.choices.len() == MAX_CHOICES {
            self.left_out += 1;
            return None;
        }
        let after = self.choices.partition_point(|choice| choice.index < index);
        self.choices.insert(
            after,
            Choice {
                index,
                ..Choice::default()
            },
        );
        Some(after)
    }

    /// Notes the reason for which a choice has ended.
    pub(in crate::stream) fn finish(&mut self, choice: u64, reason: Option<Text<'_>>) {
        if let Some(reason) = reason
            && let Some(at) = self.choice(choice)
        {
            set(&mut self.choices[at].finish_reason, Some(reason));
        }
    }

    /// Returns true where every choice has told why it has ended, and none went on after that.
    pub(in crate::stream) fn has_finished(&self) -> bool {
        let ended = |it: &Choice| it.finish_reason.is_some() && !it.went_on;
        !self.choices.is_empty() && self.choices.iter().all(ended)
    }

    /// Returns true where every choice has told why it has ended.
    pub(in crate::stream) fn has_finish_reasons(&self) -> bool {
        let ended = |it: &Choice| it.finish_reason.is_some();
        !self.choices.is_empty() && self.choices.iter().all(ended)
    }

    /// Takes the error that an event or a body tells of.
    pub(in crate::stream) fn fail(&mut self, kind: Option<Text<'_>>, message: Option<Text<'_>>) {
        let mut failure = Failure {
            kind: None,
            message: None,
        };
        set(&mut failure.kind, kind);
        if let Some(message) = message.filter(|_| !self.hides_content) {
            let mut text = Bounded::default();
            text.push(message, &mut self.held, false);
            failure.message = Some(text.shown().into_owned());
        }
        self.failure = Some(failure);
    }
}

impl Choice {
    /// Returns the text of a kind: parts of an item belong together, items stand below each other. Most texts have one
    /// part.
    pub(crate) fn text(&self, kind: Kind) -> Option<Cow<'_, str>> {
        let mut parts = self
            .parts
            .iter()
            .filter(|it| it.kind == kind && it.text.bytes > 0);
        let first = parts.next()?;
        let mut item = first.place.0;
        let mut text = first.text.shown();
        for part in parts {
            let text = text.to_mut();
            if std::mem::replace(&mut item, part.place.0) != part.place.0 {
                text.push('\n');
            }
            text.push_str(&part.text.shown());
        }
        Some(text)
    }

    /// Returns the same text, for a caller that takes it once: that of one part is not copied.
    pub(crate) fn take_text(&mut self, kind: Kind) -> Option<Cow<'_, str>> {
        let mut parts = self.parts.iter_mut().filter(|it| it.kind == kind);
        match (parts.next(), parts.next()) {
            (Some(only), None) if only.text.is_whole() && only.text.bytes > 0 => {
                only.text.bytes = 0;
                Some(std::mem::take(&mut only.text.text).into())
            }
            (None, _) => None,
            _ => self.text(kind),
        }
    }

    /// Returns the number of bytes of a kind.
    pub(crate) fn bytes(&self, kind: Kind) -> usize {
        let parts = self.parts.iter().filter(|it| it.kind == kind);
        parts.map(|it| it.text.bytes).sum()
    }
}
