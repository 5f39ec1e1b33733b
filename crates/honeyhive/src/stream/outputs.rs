//! The answer of a model becomes the outputs of an event.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::reply::{Choice, Kind, Reply, ToolCall};
use crate::model::object::Object;

impl Reply {
    /// Returns the outputs as HoneyHive shows them: an answer, or several as a `chat_history`; nothing where there is
    /// none. Where content is hidden, texts are lengths.
    pub(crate) fn outputs(&mut self) -> Object {
        let hides = self.hides_content();
        let mut outputs = match self.choices.as_mut_slice() {
            [only] => only.shown(hides),
            [] => Map::new(),
            several => {
                let all: Value = several
                    .iter_mut()
                    .map(|it| Value::Object(it.shown(hides)))
                    .collect();
                Map::from_iter([("chat_history".to_owned(), all)])
            }
        };
        if let Some((vectors, size)) = self.vectors {
            let mark = format!("[{} of {size}]", counted(vectors, "vector"));
            outputs.insert("embeddings".to_owned(), mark.into());
        }
        if self.images > 0 {
            let mark = format!("[{}]", counted(self.images, "image"));
            outputs.insert("images".to_owned(), mark.into());
        }
        if self.audio_bytes > 0 {
            let mark = format!("[audio, {} KB]", self.audio_bytes.div_ceil(1024));
            outputs.insert("audio".to_owned(), mark.into());
        }
        outputs
    }
}

/// An answer has a value under this name.
#[derive(Clone, Copy)]
pub(crate) struct Name {
    name: &'static str,
    pub(crate) attribute: &'static str,
}

macro_rules! names {
    ($($constant:ident $name:literal)*) => {
        $(const $constant: Name = Name {
            name: $name,
            attribute: concat!("honeyhive_outputs.", $name),
        };)*
    };
}

names! {
    ROLE "role"
    CONTENT "content"
    REASONING "reasoning"
    REFUSAL "refusal"
    CONTENT_BYTES "content_bytes"
    REASONING_BYTES "reasoning_bytes"
    REFUSAL_BYTES "refusal_bytes"
    TOOL_CALLS "tool_calls"
    FINISH_REASON "finish_reason"
}

/// An answer has such a value under one name.
pub(crate) enum Said<'a> {
    /// The word is a text of a small set.
    Word(&'a str),
    Text(Cow<'a, str>),
    Bytes(usize),
    Yes,
    Calls(&'a [ToolCall]),
}

impl Choice {
    fn shown(&mut self, hides: bool) -> Object {
        let mut shown = Map::new();
        self.each(hides, |name, said| {
            let value = match said {
                Said::Word(word) => word.into(),
                Said::Text(text) => text.into(),
                Said::Bytes(bytes) => bytes.into(),
                Said::Yes => true.into(),
                Said::Calls(calls) => calls_shown(calls, hides),
            };
            shown.insert(name.name.to_owned(), value);
        });
        shown
    }

    /// Passes the contents of the answer on, by their names, once; where content is hidden, texts as lengths.
    #[inline]
    pub(crate) fn each(&mut self, hides: bool, mut put: impl FnMut(Name, Said<'_>)) {
        put(ROLE, Said::Word("assistant"));
        if hides {
            self.put_sizes(&mut put);
        } else {
            self.put_texts(&mut put);
        }
        if !self.tool_calls.is_empty() {
            put(TOOL_CALLS, Said::Calls(&self.tool_calls));
        }
        if let Some(reason) = &self.finish_reason {
            put(FINISH_REASON, Said::Word(reason));
        }
    }

    #[inline]
    fn put_texts(&mut self, put: &mut impl FnMut(Name, Said<'_>)) {
        let refusal = self.take_text(Kind::Refusal).map(Cow::into_owned);
        if refusal.is_some() {
            put(REFUSAL, Said::Yes);
        }
        if let Some(text) = self.take_text(Kind::Text).or(refusal.map(Cow::Owned)) {
            put(CONTENT, Said::Text(text));
        }
        if let Some(reasoning) = self.take_text(Kind::Reasoning) {
            put(REASONING, Said::Text(reasoning));
        }
    }

    fn put_sizes(&self, put: &mut impl FnMut(Name, Said<'_>)) {
        let kinds = [
            (CONTENT_BYTES, Kind::Text),
            (REFUSAL_BYTES, Kind::Refusal),
            (REASONING_BYTES, Kind::Reasoning),
        ];
        for (name, kind) in kinds {
            let bytes = self.bytes(kind);
            if bytes > 0 {
                put(name, Said::Bytes(bytes));
            }
        }
    }
}

/// Returns the calls of tools, as JSON.
pub(crate) fn calls_shown(calls: &[ToolCall], hides: bool) -> Value {
    let calls = calls.iter().map(|it| Value::Object(it.shown(hides)));
    calls.collect()
}

impl ToolCall {
    fn shown(&self, hides: bool) -> Object {
        let mut shown = Map::new();
        let mut put = |name: &str, text: Option<String>| {
            shown.extend(text.map(|text| (name.to_owned(), text.into())));
        };
        put("id", self.id.clone());
        put("name", self.name.clone());
        if !hides {
            put("arguments", self.arguments());
            put(
                "result",
                self.result.as_ref().map(|it| it.shown().into_owned()),
            );
        }
        shown
    }
}

fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
