//! [`Reply`] is put together piece by piece from what a model answers, and never beyond its bounds.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use super::json::{Json, Text};
use crate::model::limits;

/// A text has this many bytes at the most.
const MAX_TEXT: usize = limits::VALUE_BYTES;
/// All texts of a call have this many bytes at the most.
const MAX_CALL: usize = 16 * 1024 * 1024;
const MAX_CHOICES: usize = 16;
const MAX_TOOL_CALLS: usize = 128;
/// A message, or an argument that comes by paths, has this many pieces at the most.
const MAX_PARTS: usize = 256;
const MAX_WORD: usize = 1024;

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
    pub(crate) voice: u64,
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
pub(super) type Place = (u64, u64);

#[derive(Debug)]
struct Part {
    kind: Kind,
    place: Place,
    text: Bounded,
}

/// The model wants this tool called.
#[derive(Debug, Default)]
pub(crate) struct ToolCall {
    index: u64,
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) arguments: Bounded,
    by_path: Vec<ByPath>,
    pub(crate) result: Option<Bounded>,
}

/// The value is an argument, or a piece of one, and the path is where it stands: `$.city`, `$.days[0]`.
#[derive(Debug)]
struct ByPath {
    path: String,
    is_text: bool,
    value: Bounded,
}

impl ToolCall {
    /// Returns the arguments as JSON text; `None` where there are none.
    pub(crate) fn arguments(&self) -> Option<String> {
        if self.by_path.is_empty() {
            return (self.arguments.bytes > 0).then(|| self.arguments.shown().into_owned());
        }
        let mut whole = Value::Null;
        for piece in &self.by_path {
            let shown = piece.value.shown();
            let value = match piece.is_text {
                true => shown.into(),
                false => serde_json::from_str(&shown).unwrap_or_else(|_| shown.into()),
            };
            place(&mut whole, &piece.path, value);
        }
        Some(whole.to_string())
    }
}

/// Puts a value where its path says.
fn place(whole: &mut Value, path: &str, value: Value) {
    let path = path.strip_prefix('$').unwrap_or(path);
    let steps = path.split(['.', '[']).filter(|step| !step.is_empty());
    let mut at = whole;
    for step in steps {
        let index = step.strip_suffix(']');
        at = match index.map(|digits| digits.parse::<usize>()) {
            Some(Ok(index)) if index < MAX_PARTS => {
                if !at.is_array() {
                    *at = Value::Array(Vec::new());
                }
                let Value::Array(items) = at else { return };
                if items.len() <= index {
                    items.resize(index + 1, Value::Null);
                }
                &mut items[index]
            }
            Some(Ok(_)) => return,
            _ => {
                let name = index.unwrap_or(step).trim_matches(['\'', '"']);
                if !at.is_object() {
                    *at = Value::Object(serde_json::Map::new());
                }
                let Value::Object(fields) = at else { return };
                fields.entry(name).or_insert(Value::Null)
            }
        };
    }
    *at = value;
}

/// The text is kept up to its bound, with how long it was.
#[derive(Debug, Default)]
pub(crate) struct Bounded {
    text: String,
    /// The text had this many bytes.
    pub(crate) bytes: usize,
    /// The text ends with the first half of a character, for which a mark stands until the second comes.
    half: Option<u32>,
}

impl Bounded {
    const fn is_whole(&self) -> bool {
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

/// Tokens are counted as far as the provider tells. Each count is the last that was told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// The input has all tokens of the prompt, cache included.
    pub(crate) input: Option<u64>,
    /// The output has all tokens of the answer, reasoning included.
    pub(crate) output: Option<u64>,
    pub(crate) cache_read: Option<u64>,
    pub(crate) cache_write: Option<u64>,
    pub(crate) reasoning: Option<u64>,
    /// The prompt's tokens are as the provider counts them: Anthropic past the cache, Gemini without answers of tools.
    pub(super) prompt: Option<u64>,
    /// The answer's tokens are without reasoning, where the provider counts reasoning apart.
    pub(super) aloud: Option<u64>,
    /// The prompt's tokens in answers of tools are here, where the provider counts them apart.
    pub(super) from_tools: Option<u64>,
}

impl Usage {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Replaces a count by a newer one; a count that is missing leaves the older one.
pub(super) fn replace(count: &mut Option<u64>, newer: Option<u64>) {
    *count = newer.or(*count);
}

impl Reply {
    /// Returns an empty reply; with `hides_content`, no text is kept, only how long it was.
    pub(super) fn new(hides_content: bool) -> Self {
        Self {
            hides_content,
            ..Self::default()
        }
    }

    /// Returns the answer, where it is the only one and all that was said.
    pub(crate) fn only_choice(&mut self) -> Option<&mut Choice> {
        match self.choices.as_mut_slice() {
            [only] if self.vectors.is_none() && self.images == 0 && self.voice == 0 => Some(only),
            _ => None,
        }
    }

    pub(crate) const fn hides_content(&self) -> bool {
        self.hides_content
    }

    pub(super) fn set_id(&mut self, id: Option<Text<'_>>) {
        set(&mut self.id, id);
    }

    pub(super) fn set_model(&mut self, model: Option<Text<'_>>) {
        let model = model.filter(|it| Some(it.written()) != self.model.as_deref());
        if let Some(model) = model.filter(|it| !it.written().is_empty()) {
            self.model = Some(model.shared(MAX_WORD));
        }
    }

    /// Counts a piece of a voice, which is packed as base64.
    pub(super) fn hear(&mut self, packed: Text<'_>) {
        let packed = packed.written().trim_end_matches('=').len() as u64;
        self.voice += packed * 3 / 4;
        self.has_content |= packed > 0;
    }

    /// Adds to a text.
    pub(super) fn push(&mut self, choice: u64, kind: Kind, place: Place, text: Text<'_>) {
        let Some(at) = self.part(choice, kind, place) else {
            return;
        };
        let Self {
            choices,
            held,
            has_content,
            hides_content,
            ..
        } = self;
        let choice = &mut choices[at.0];
        let part = &mut choice.parts[at.1];
        let before = part.text.bytes;
        part.text.push(text, held, *hides_content);
        if part.text.bytes > before {
            *has_content = true;
            choice.went_on |= choice.finish_reason.is_some();
        }
    }

    /// Replaces a text.
    pub(super) fn say(&mut self, choice: u64, kind: Kind, place: Place, text: Text<'_>) {
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

    /// Adds a piece of a call of a tool, and returns where the call stands. A new id at an index that is taken is a new
    /// call: some servers count all as the first.
    pub(super) fn tool_call(
        &mut self,
        choice: u64,
        index: u64,
        id: Option<Text<'_>>,
        name: Option<Text<'_>>,
    ) -> Option<CallAt> {
        let at = self.choice(choice)?;
        let calls = &mut self.choices[at].tool_calls;
        let differs = |call: &ToolCall| match (&call.id, id) {
            (Some(known), Some(id)) => known.as_str() != id.written(),
            _ => false,
        };
        let known = match id {
            Some(id) => calls
                .iter()
                .rposition(|it| it.id.as_deref() == Some(id.written())),
            None => None,
        };
        let known = known.or_else(|| {
            let last = calls.iter().rposition(|it| it.index == index)?;
            (!differs(&calls[last])).then_some(last)
        });
        let call = match known {
            Some(known) => known,
            None if calls.len() == MAX_TOOL_CALLS => {
                self.left_out += 1;
                return None;
            }
            None => {
                let after = calls.partition_point(|it| it.index <= index);
                let call = ToolCall {
                    index,
                    ..ToolCall::default()
                };
                calls.insert(after, call);
                after
            }
        };
        set(&mut calls[call].id, id);
        set(&mut calls[call].name, name);
        self.has_content |= id.is_some() || name.is_some();
        Some(CallAt(at, call))
    }

    pub(super) fn push_arguments(&mut self, at: CallAt, text: Text<'_>) {
        let Self {
            choices,
            held,
            has_content,
            hides_content,
            ..
        } = self;
        let call = &mut choices[at.0].tool_calls[at.1];
        call.arguments.push(text, held, *hides_content);
        *has_content |= call.arguments.bytes > 0;
    }

    /// Replaces the arguments: by a text, or by the JSON of any other value. An empty object leaves none.
    pub(super) fn say_arguments(&mut self, at: CallAt, value: Json<'_>) {
        let Self {
            choices,
            held,
            has_content,
            hides_content,
            ..
        } = self;
        let arguments = &mut choices[at.0].tool_calls[at.1].arguments;
        arguments.clear(held);
        match value.text() {
            Some(text) => arguments.push(text, held, *hides_content),
            None if value.is_object() && value.len() == 0 => {}
            None => arguments.push_raw(value.raw(), held, *hides_content),
        }
        *has_content |= arguments.bytes > 0;
    }

    /// Adds a piece of an argument that comes by its path, as Gemini streams them.
    pub(super) fn push_at_path(&mut self, at: CallAt, path: Text<'_>, value: Json<'_>) {
        let Self {
            choices,
            held,
            has_content,
            hides_content,
            left_out,
            ..
        } = self;
        let pieces = &mut choices[at.0].tool_calls[at.1].by_path;
        let known = pieces.iter().position(|it| it.path == path.written());
        let piece = match known {
            Some(known) => &mut pieces[known],
            None if pieces.len() == MAX_PARTS => {
                *left_out += 1;
                return;
            }
            None => {
                pieces.push(ByPath {
                    path: path.unescaped().into_owned(),
                    is_text: value.text().is_some(),
                    value: Bounded::default(),
                });
                let last = pieces.len() - 1;
                &mut pieces[last]
            }
        };
        match value.text() {
            Some(text) => piece.value.push(text, held, *hides_content),
            None => piece.value.push_raw(value.raw(), held, *hides_content),
        }
        *has_content |= piece.value.bytes > 0;
    }

    /// Adds the answer of a tool.
    pub(super) fn say_result(&mut self, at: CallAt, value: Json<'_>) {
        let (result, held, hides) = self.begin_result(at);
        match value.text() {
            Some(text) => result.push(text, held, hides),
            None => result.push_raw(value.raw(), held, hides),
        }
    }

    /// Adds texts, a line each, as the answer of a tool.
    pub(super) fn say_lines<'a>(&mut self, at: CallAt, lines: impl Iterator<Item = Text<'a>>) {
        let (result, held, hides) = self.begin_result(at);
        for line in lines {
            if result.bytes > 0 {
                result.push_raw("\n", held, hides);
            }
            result.push(line, held, hides);
        }
    }

    /// Returns the answer of a tool, emptied, with the bytes that the call holds and whether content is hidden.
    fn begin_result(&mut self, at: CallAt) -> (&mut Bounded, &mut usize, bool) {
        let call = &mut self.choices[at.0].tool_calls[at.1];
        let result = call.result.get_or_insert_default();
        result.clear(&mut self.held);
        (result, &mut self.held, self.hides_content)
    }

    /// Returns the call that has this id.
    pub(super) fn call_of(&self, choice: u64, id: Text<'_>) -> Option<CallAt> {
        let at = self.choices.iter().position(|it| it.index == choice)?;
        let mut calls = self.choices[at].tool_calls.iter();
        let call = calls.rposition(|it| it.id.as_deref() == Some(id.written()))?;
        Some(CallAt(at, call))
    }

    /// Returns the last call of a choice.
    pub(super) fn last_call(&self, choice: u64) -> Option<CallAt> {
        let at = self.choices.iter().position(|it| it.index == choice)?;
        Some(CallAt(
            at,
            self.choices[at].tool_calls.len().checked_sub(1)?,
        ))
    }

    /// Returns the number of tool calls of a choice.
    pub(super) fn tool_calls(&self, choice: u64) -> u64 {
        let choice = self.choices.iter().find(|it| it.index == choice);
        choice.map_or(0, |it| it.tool_calls.len() as u64)
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
    pub(super) fn finish(&mut self, choice: u64, reason: Option<Text<'_>>) {
        if let Some(reason) = reason
            && let Some(at) = self.choice(choice)
        {
            set(&mut self.choices[at].finish_reason, Some(reason));
        }
    }

    /// Returns true where every choice has told why it has ended, and none went on after that.
    pub(super) fn has_finished(&self) -> bool {
        let ended = |it: &Choice| it.finish_reason.is_some() && !it.went_on;
        !self.choices.is_empty() && self.choices.iter().all(ended)
    }

    /// Returns true where every choice has told why it has ended.
    pub(super) fn says_reasons(&self) -> bool {
        let ended = |it: &Choice| it.finish_reason.is_some();
        !self.choices.is_empty() && self.choices.iter().all(ended)
    }

    /// Takes the error that an event or a body tells of.
    pub(super) fn fail(&mut self, kind: Option<Text<'_>>, message: Option<Text<'_>>) {
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

/// The place of a tool call is a choice and a call in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallAt(usize, usize);

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

impl Bounded {
    fn push(&mut self, mut text: Text<'_>, held: &mut usize, hides: bool) {
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

    fn push_raw(&mut self, piece: &str, held: &mut usize, hides: bool) {
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

    fn clear(&mut self, held: &mut usize) {
        *held = held.saturating_sub(self.text.len());
        self.text.clear();
        self.bytes = 0;
        self.half = None;
    }
}

/// Takes a word that says something; the last one counts, and is kept as it is where it has not changed.
fn set<'a, T>(slot: &mut Option<T>, word: Option<Text<'a>>)
where
    T: AsRef<str> + From<String> + From<&'a str>,
{
    let Some(word) = word.filter(|word| !word.written().is_empty()) else {
        return;
    };
    let known = slot.as_ref().map(AsRef::as_ref);
    if known != Some(word.written()) {
        *slot = Some(word.bounded(MAX_WORD));
    }
}
