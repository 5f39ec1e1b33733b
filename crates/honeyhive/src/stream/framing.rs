//! [`Framing`] makes events of the bytes of a response.
//!
//! The framing reads server-sent events by the WHATWG rules, lines of JSON, the `0:"text"` lines of Vercel's data
//! streams, the items of a JSON list, and a body that is one text. No other module knows of lines. No crate is used for
//! the events: `eventsource-stream` panics on a byte order mark, and `sse-core` hands out texts of its own, where here
//! an event is lent from a buffer that stays.

use super::content::Content;
use super::list::Items;

/// A frame is a piece with content.
#[derive(Clone, Copy)]
pub(super) enum Frame<'a> {
    /// The data are those of an event, or a line of JSON.
    Event(&'a [u8]),
    /// The data are those of an event whose name is `error`.
    Error(&'a [u8]),
    /// The line is of a Vercel data stream: its code, and its JSON.
    Coded(u8, &'a [u8]),
    /// The text comes as a whole.
    Text(&'a [u8]),
    /// The bytes of a voice are counted.
    Voice(u64),
    /// An event of more than [`MAX_EVENT`], or with bytes that nobody has seen, was dropped.
    Oversize,
    /// The line is one that no stream of events has, or a list without objects.
    Unknown,
}

/// An event, or a line, has this many bytes at the most.
pub(crate) const MAX_EVENT: usize = 8 * 1024 * 1024;
/// A body that is read as a whole has this many bytes at the most.
pub(crate) const MAX_WHOLE: usize = 4 * 1024 * 1024;
/// This much memory stays between events; more is given back.
const KEPT: usize = 64 * 1024;
/// An event has these fields besides its data, and comments.
const FIELDS: [&[u8]; 5] = [b":", b"event", b"id", b"retry", b"data"];
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[derive(Debug, Default)]
pub(super) struct Framing {
    content: Content,
    /// The buffer has the beginning of an unfinished line; of a whole body, all of it.
    line: Vec<u8>,
    /// The data are those of an unfinished event.
    data: Vec<u8>,
    has_data: bool,
    /// The name of the event is `error`.
    is_error: bool,
    list: Items,
    /// The bytes of a voice are counted.
    heard: u64,
    after_carriage_return: bool,
    /// The first line may begin with a mark.
    has_begun: bool,
    /// The line that comes is too long or lacks bytes, or the event does.
    is_long_line: bool,
    is_long_event: bool,
}

impl Framing {
    pub(super) fn new(content: Content) -> Self {
        Self {
            content,
            ..Self::default()
        }
    }

    /// Returns true where the body is one text.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.content, Content::Whole | Content::Text)
    }

    /// Returns whether the bytes are audio.
    pub(super) const fn is_voice(&self) -> bool {
        matches!(self.content, Content::Voice)
    }

    /// Returns whether the bytes are of a kind that no model sends.
    pub(super) const fn is_other(&self) -> bool {
        matches!(self.content, Content::Other)
    }

    /// Returns whether the bytes belong to an event whose name says that it is an error.
    pub(super) fn hears_error(&self, bytes: &[u8]) -> bool {
        let begins = || {
            let name = bytes.strip_prefix(b"event:");
            name.is_some_and(|it| it.trim_ascii_start().starts_with(b"error"))
        };
        !self.is_other() && (self.is_error || begins())
    }

    /// Begins anew with an event that is an error, unless that is under way: the bytes before it were ignored.
    pub(super) fn begin_error(&mut self) {
        if !self.is_error {
            *self = Self::new(Content::Lines);
        }
    }

    /// Drops the event of which bytes are missing here, whose number is `missing`.
    pub(super) fn skip(&mut self, missing: u64) {
        match self.content {
            Content::Other => {}
            Content::Voice => self.heard += missing,
            Content::Whole | Content::List | Content::Text => {
                self.is_long_event = true;
                self.line = Vec::new();
            }
            Content::Unknown | Content::Lines => {
                self.content = Content::Lines;
                self.is_long_line = true;
                self.line = Vec::new();
                self.after_carriage_return = false;
            }
        }
    }

    /// Takes bytes, and passes the finished events on.
    pub(super) fn take(&mut self, mut bytes: &[u8], put: &mut dyn FnMut(Frame<'_>)) {
        if self.content == Content::Unknown {
            self.content = self.guess(bytes);
        }
        match self.content {
            Content::Other => {}
            Content::Unknown => self.line.extend_from_slice(bytes),
            Content::Whole | Content::Text => self.take_whole(bytes),
            Content::List => self.take_list(bytes, put),
            Content::Voice => self.heard += bytes.len() as u64,
            Content::Lines => {
                while let Some(at) = self.line_end(&mut bytes) {
                    if let Some(data) = self.event_in(&bytes[..at], &bytes[at..]) {
                        put(Frame::Event(data));
                        bytes = &bytes[at + 2..];
                        continue;
                    }
                    self.take_line(&bytes[..at], put);
                    self.after_carriage_return = bytes[at] == b'\r';
                    bytes = &bytes[at + 1..];
                }
                self.keep(bytes);
            }
        }
    }

    /// Returns the content kind by the first byte that is no padding; unknown until that has come.
    fn guess(&self, bytes: &[u8]) -> Content {
        let head = self.line.iter().chain(bytes).copied();
        let is_padding = |byte: &u8| byte.is_ascii_whitespace() || BYTE_ORDER_MARK.contains(byte);
        match head.skip_while(is_padding).nth(0) {
            Some(b'{') => Content::Whole,
            Some(b'[') => Content::List,
            Some(_) => Content::Lines,
            None if self.line.len() > KEPT => Content::Other,
            None => Content::Unknown,
        }
    }

    fn take_whole(&mut self, bytes: &[u8]) {
        if self.line.len() + bytes.len() > MAX_WHOLE {
            self.is_long_event = true;
            self.line = Vec::new();
        } else if !self.is_long_event {
            self.line.extend_from_slice(bytes);
        }
    }

    fn take_list(&mut self, bytes: &[u8], put: &mut dyn FnMut(Frame<'_>)) {
        // Behind a hole, nobody knows what is an item.
        let mut rest = if self.is_long_event { &[] } else { bytes };
        loop {
            if !self.list.is_inside() {
                let Some(start) = self.list.start_in(rest) else {
                    return;
                };
                // A mark or spaces may have come before the list.
                self.line.clear();
                self.line.push(b'{');
                rest = &rest[start + 1..];
            }
            let Some(end) = self.list.end_in(rest) else {
                return self.keep(rest);
            };
            self.keep(&rest[..end]);
            match std::mem::take(&mut self.is_long_line) {
                true => put(Frame::Oversize),
                false => put(Frame::Event(&self.line)),
            }
            self.line.clear();
            self.line.shrink_to(KEPT);
            rest = &rest[end..];
        }
    }

    /// Returns the end of the line. A line feed after a carriage return ends no other line, though it may come later.
    fn line_end(&mut self, bytes: &mut &[u8]) -> Option<usize> {
        if self.after_carriage_return && !bytes.is_empty() {
            self.after_carriage_return = false;
            *bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        memchr::memchr2(b'\n', b'\r', bytes)
    }

    /// Returns the data of an event that is one line and has come whole, as most do: it is lent from where it lies.
    fn event_in<'a>(&mut self, line: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
        let has_begun = self.has_data || self.is_error || !self.line.is_empty();
        if has_begun || self.is_long_line || self.is_long_event || !end.starts_with(b"\n\n") {
            return None;
        }
        let data = line.strip_prefix(b"data:")?;
        if data.len() > MAX_EVENT {
            return None;
        }
        self.has_begun = true;
        Some(data.strip_prefix(b" ").unwrap_or(data))
    }

    fn take_line(&mut self, end: &[u8], put: &mut dyn FnMut(Frame<'_>)) {
        if std::mem::take(&mut self.is_long_line) {
            self.line.clear();
            self.is_long_event = true;
            return;
        }
        if self.line.is_empty() {
            return self.read_line(end, put);
        }
        self.keep(end);
        let mut line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.is_long_line) {
            self.is_long_event = true;
        } else {
            self.read_line(&line, put);
        }
        line.clear();
        line.shrink_to(KEPT);
        self.line = line;
    }

    fn keep(&mut self, piece: &[u8]) {
        if self.line.len() + piece.len() > MAX_EVENT {
            self.is_long_line = true;
            self.line = Vec::new();
        } else if !self.is_long_line {
            self.line.extend_from_slice(piece);
        }
    }

    fn read_line(&mut self, line: &[u8], put: &mut dyn FnMut(Frame<'_>)) {
        let mut line = line;
        if !std::mem::replace(&mut self.has_begun, true) {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        match line {
            [] => self.end_event(put),
            [b'{', ..] => put(Frame::Event(line)),
            [code, b':', json @ ..] if code.is_ascii_alphanumeric() => {
                put(Frame::Coded(*code, json));
            }
            _ => match line.strip_prefix(b"data:") {
                Some(data) => self.add(data.strip_prefix(b" ").unwrap_or(data)),
                None if FIELDS.iter().any(|field| line.starts_with(field)) => {
                    let name = line.strip_prefix(b"event:");
                    self.is_error |= name.is_some_and(|it| it.trim_ascii() == b"error");
                }
                // A field that was cut is no text.
                None if FIELDS.iter().any(|field| field.starts_with(line)) => {}
                None => put(Frame::Unknown),
            },
        }
    }

    fn add(&mut self, data: &[u8]) {
        if self.data.len() + data.len() > MAX_EVENT {
            self.is_long_event = true;
        }
        if self.is_long_event {
            self.data = Vec::new();
            return;
        }
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(data);
    }

    fn end_event(&mut self, put: &mut dyn FnMut(Frame<'_>)) {
        let is_error = std::mem::take(&mut self.is_error);
        if std::mem::take(&mut self.is_long_event) {
            put(Frame::Oversize);
        } else if self.has_data {
            let data = self.data.as_slice();
            put(match is_error {
                true => Frame::Error(data),
                false => Frame::Event(data),
            });
        }
        self.has_data = false;
        self.data.clear();
        self.data.shrink_to(KEPT);
    }

    /// Ends the stream: a last event without an end of its own ends here.
    pub(super) fn finish(&mut self, put: &mut dyn FnMut(Frame<'_>)) {
        match self.content {
            Content::Whole | Content::List | Content::Text if self.is_long_event => {
                put(Frame::Oversize);
            }
            Content::List if self.list.is_empty() => put(Frame::Unknown),
            // An item that has not ended has no content yet.
            Content::Other | Content::Unknown | Content::List => {}
            Content::Voice => put(Frame::Voice(self.heard)),
            Content::Whole | Content::Text => {
                let line = std::mem::take(&mut self.line);
                let whole = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line);
                put(match self.content {
                    Content::Text => Frame::Text(whole),
                    _ => Frame::Event(whole),
                });
            }
            Content::Lines => {
                if !self.line.is_empty() || self.is_long_line {
                    self.take_line(&[], put);
                }
                self.end_event(put);
            }
        }
    }
}
