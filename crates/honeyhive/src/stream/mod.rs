//! [`Assembler`] reads the answer of a language model from the bytes of its response as they pass.
//!
//! The module has no clock, no I/O and no clients. [`framing`] makes events of bytes, [`json`] finds the values in one,
//! [`mod@format`] tells whose API it is, and one file for each API puts its events into a [`reply::Reply`], which keeps
//! the bounds.

mod anthropic;
mod chat;
mod content;
mod format;
mod framing;
mod gemini;
mod interactions;
mod json;
mod list;
mod media;
mod message;
mod message_keys;
mod other;
mod outputs;
mod pieces;
mod reply;
mod request;
mod responses;
mod settings;
mod stream_options;
#[cfg(test)]
pub(crate) mod tests;
mod tools;
mod vercel;
mod words;

use std::borrow::Cow;
use std::time::Duration;

use format::Format;
use framing::{Frame, Framing};
use json::{Index, Json};
pub(crate) use outputs::{Said, calls_shown};

pub(crate) use content::Content;
pub(crate) use pieces::each_piece;
#[cfg(test)]
use reply::{Choice, Kind, ToolCall};
pub(crate) use reply::{Reply, Usage};
pub(crate) use request::Asked;
pub(crate) use stream_options::asking_for_usage;
pub(crate) use words::shared;

/// A stream with this many unknown events is not a model's.
const MAX_UNKNOWN: u8 = 8;
/// The bytes cause a fault, for tests.
#[cfg(test)]
pub(crate) const PANIC: &[u8] = b"\0panic";
/// The mark ends the streams of OpenAI, and of those who speak like it.
const DONE: &[u8] = b"[DONE]";

/// The assembler reads a response as it passes.
#[derive(Debug)]
pub(crate) struct Assembler {
    framing: Framing,
    state: State,
    first_chunk: Option<Duration>,
    first_token: Option<Duration>,
}

/// The state holds the answer so far.
#[derive(Debug)]
struct State {
    index: Index,
    format: Option<Format>,
    unknown: u8,
    /// The flag tells whether JSON or a plain text came that nobody knows.
    is_strange: bool,
    /// The last event was JSON in words that are known.
    is_known_json: bool,
    reply: Reply,
}

/// No more bytes come for one of these reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The response has ended.
    End,
    /// The reader has dropped the response.
    Dropped,
    /// The response could not be read on.
    Failed,
}

/// An answer ends in one of these ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Complete,
    /// The response ended before the answer did.
    Truncated,
    /// The reader let go before the answer had ended.
    Dropped,
    Error,
}

impl Ending {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Truncated => "truncated",
            Self::Dropped => "dropped",
            Self::Error => "error",
        }
    }
}

impl Assembler {
    /// Returns an assembler; with `hides_content`, only lengths, names of tools, tokens and reasons are kept.
    pub(crate) fn new(content: Content, hides_content: bool) -> Self {
        Self {
            framing: Framing::new(content),
            state: State {
                index: Index::new(),
                format: None,
                unknown: 0,
                is_strange: false,
                is_known_json: false,
                reply: Reply::new(hides_content),
            },
            first_chunk: None,
            first_token: None,
        }
    }

    /// Takes bytes that have come so long after the request was sent.
    pub(crate) fn take(&mut self, bytes: &[u8], at: Duration) {
        if bytes.is_empty() {
            return;
        }
        #[cfg(test)]
        assert_ne!(bytes, PANIC, "a fault in here");
        self.first_chunk.get_or_insert(at);
        if self.is_deaf() {
            if !self.hears(bytes) {
                return;
            }
            self.framing.begin_error();
        }
        let Self { framing, state, .. } = self;
        framing.take(bytes, &mut |frame| state.take(frame));
        self.note_token(at);
    }

    /// Leaves out bytes that have come and that nobody has seen: what stands on both sides is not joined.
    pub(crate) fn skip(&mut self, missing: u64) {
        self.framing.skip(missing);
    }

    /// Takes an event that somebody else has read.
    pub(crate) fn take_event(&mut self, json: &[u8], at: Duration) {
        self.first_chunk.get_or_insert(at);
        self.state.take_event(json);
        self.note_token(at);
    }

    /// Returns whether the bytes are read. Where no model answers like this, only an error is, by the name of its
    /// event.
    pub(crate) fn hears(&self, bytes: &[u8]) -> bool {
        !self.is_deaf() || self.framing.hears_error(bytes)
    }

    /// Returns whether no model answers like this.
    const fn is_deaf(&self) -> bool {
        self.first_chunk.is_some() && (self.state.is_deaf() || self.framing.is_other())
    }

    fn note_token(&mut self, at: Duration) {
        if self.first_token.is_none() && self.state.reply.has_content {
            self.first_token = Some(at);
        }
    }

    /// Returns how the answer has ended, when no more bytes come.
    pub(crate) fn finish(&mut self, cause: Cause) -> Ending {
        let Self { framing, state, .. } = self;
        framing.finish(&mut |frame| state.take(frame));
        let reply = &self.state.reply;
        if reply.failure.is_some() || cause == Cause::Failed {
            return Ending::Error;
        }
        match cause {
            _ if reply.is_whole || reply.has_finished() || self.is_whole_json() => Ending::Complete,
            Cause::Dropped => Ending::Dropped,
            _ if reply.has_finish_reasons() || self.is_whole_body() || self.is_strange() => {
                Ending::Complete
            }
            _ => Ending::Truncated,
        }
    }

    /// Returns whether a body was read whole, and so is all there is.
    fn is_whole_body(&self) -> bool {
        self.framing.is_whole() && self.state.format.is_some()
    }

    /// Returns whether a body is JSON: then it is whole, even where nobody has asked for its end, since a part of one
    /// is no JSON.
    fn is_whole_json(&self) -> bool {
        self.framing.is_whole() && self.state.is_known_json
    }

    /// Returns whether nothing but the end of the response ends the answer: nobody knows its words, they are a
    /// service's own, or it is a voice.
    const fn is_strange(&self) -> bool {
        self.is_deaf()
            || self.framing.is_voice()
            || matches!(self.state.format, Some(Format::Texts))
            || self.state.format.is_none() && self.state.is_strange
    }

    /// Returns whether the words are those of OpenAI's chats, whose streams count tokens on request.
    pub(crate) fn is_chat(&self) -> bool {
        self.state.format == Some(Format::Chat)
    }

    pub(crate) fn reply(&self) -> &Reply {
        &self.state.reply
    }

    /// Returns the reply, for a caller that takes its texts.
    pub(crate) fn reply_mut(&mut self) -> &mut Reply {
        &mut self.state.reply
    }

    /// Returns whether the provider of the answer was recognised.
    #[cfg(test)]
    pub(crate) fn is_known(&self) -> bool {
        self.state.format.is_some() || self.state.reply.has_content
    }

    /// Returns the time of the first byte.
    pub(crate) const fn first_chunk(&self) -> Option<Duration> {
        self.first_chunk
    }

    /// Returns the time of the first piece that a user would see; a body as a whole has none.
    pub(crate) fn first_token(&self) -> Option<Duration> {
        self.first_token.filter(|_| !self.framing.is_whole())
    }
}

impl State {
    /// Returns whether so many events were unknown that no model can be speaking.
    const fn is_deaf(&self) -> bool {
        self.format.is_none() && self.unknown >= MAX_UNKNOWN
    }

    fn take(&mut self, frame: Frame<'_>) {
        match frame {
            Frame::Error(data) => self.take_error(data),
            _ if self.is_deaf() => {}
            Frame::Event(json) => self.take_event(json),
            Frame::Coded(code, json) => self.take_line(code, json),
            Frame::Text(text) => self.take_text(text),
            Frame::Voice(bytes) => self.reply.audio_bytes = bytes,
            Frame::Oversize => self.reply.left_out += 1,
            Frame::Unknown => {
                self.unknown = self.unknown.saturating_add(1);
                self.is_strange = true;
            }
        }
    }

    fn take_event(&mut self, json: &[u8]) {
        if json.trim_ascii() == DONE {
            self.reply.is_whole = true;
            return;
        }
        let text = text_of(json);
        let Self {
            index,
            format,
            unknown,
            is_strange,
            is_known_json,
            reply,
        } = self;
        let (is_json, is_known) = match index.read(&text) {
            // The list is Gemini's stream, which a program has read whole and hands over.
            Some(list) if list.is_list() => {
                let items = list.items();
                let is_known = items.fold(false, |any, event| read(format, reply, event) | any);
                (true, is_known)
            }
            Some(event) => (true, read(format, reply, event)),
            None => (false, read_lines(&text, format, reply)),
        };
        *is_known_json = is_json && is_known;
        if !is_known {
            *unknown = unknown.saturating_add(1);
            *is_strange |= is_json;
        }
    }

    /// Takes a transcript. Some servers call JSON a text, too.
    fn take_text(&mut self, body: &[u8]) {
        let text = text_of(body);
        if self.index.read(&text).is_some_and(Json::is_object) {
            return self.take_event(body);
        }
        self.format = Some(Format::Texts);
        other::take_transcript(&mut self.reply, &text);
    }

    /// Takes an event whose name is that of an error. Most have the kind of error in their data.
    #[cold]
    fn take_error(&mut self, data: &[u8]) {
        self.reply.failure = None;
        self.take_event(data);
        if self.reply.failure.is_some() {
            return;
        }
        let text = text_of(data);
        match self.index.read(&text) {
            Some(event) => format::take_named_error(&mut self.reply, event),
            None => self.reply.fail(None, Some(json::Text::plain(text.trim()))),
        }
    }

    fn take_line(&mut self, code: u8, json: &[u8]) {
        let text = text_of(json);
        let Self {
            index,
            format,
            unknown,
            is_strange,
            reply,
            ..
        } = self;
        match index.read(&text) {
            Some(json) if vercel::is_code(code) => {
                // A line has no type, so the code is the format.
                format.get_or_insert(Format::UiMessages);
                vercel::take_line(reply, code, json);
            }
            _ => {
                *unknown = unknown.saturating_add(1);
                // A line with a code that was cut is no text.
                *is_strange |= !vercel::is_code(code) || json.starts_with(b" ");
            }
        }
    }
}

/// Returns bytes as text: bad bytes cost themselves and nothing else; good ones are checked by `from_utf8`, which is
/// ten times as fast.
pub(super) fn text_of(json: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(json) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(json),
    }
}

/// Reads an event; false where nobody knows what it says.
fn read(format: &mut Option<Format>, reply: &mut Reply, event: Json<'_>) -> bool {
    let is_error = format::take_error(reply, event);
    if format.is_none() {
        *format = Format::of(event);
    }
    match *format {
        Some(format) => format.take(reply, event),
        None => return is_error || format::take_whole_error(reply, event),
    }
    true
}

/// Reads lines of JSON that came as if they were one body.
fn read_lines(text: &str, format: &mut Option<Format>, reply: &mut Reply) -> bool {
    let lines = text
        .lines()
        .filter(|line| line.trim_start().starts_with('{'));
    let mut index = Index::new();
    lines.fold(false, |any, line| {
        let event = index.read(line);
        event.is_some_and(|event| read(format, reply, event)) | any
    })
}
