//! What a model has answered, as the outputs of an event.

use serde_json::{Map, Value};

use super::reply::{Choice, Kind, Reply, ToolCall};
use crate::model::object::Object;

impl Reply {
    /// The outputs as HoneyHive shows them: an answer, or several as a `chat_history`; nothing where there is none.
    /// Where content is hidden, texts are lengths.
    pub(crate) fn outputs(&self) -> Object {
        let hides = self.hides_content();
        let mut outputs = match self.choices.as_slice() {
            [only] => only.shown(hides),
            [] => Map::new(),
            several => {
                let all: Value = several
                    .iter()
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
        outputs
    }
}

/// What an answer says under one name.
pub(crate) enum Said<'a> {
    Word(&'static str),
    Text(String),
    Bytes(usize),
    Yes,
    Calls(&'a [ToolCall]),
}

impl Choice {
    fn shown(&self, hides: bool) -> Object {
        let mut shown = Map::new();
        self.each(hides, &mut |name, said| {
            let value = match said {
                Said::Word(word) => word.into(),
                Said::Text(text) => text.into(),
                Said::Bytes(bytes) => bytes.into(),
                Said::Yes => true.into(),
                Said::Calls(calls) => calls_shown(calls, hides),
            };
            shown.insert(name.to_owned(), value);
        });
        shown
    }

    /// Hands on all that was said, by its names; where content is hidden, texts as lengths.
    pub(crate) fn each(&self, hides: bool, put: &mut dyn FnMut(&'static str, Said<'_>)) {
        put("role", Said::Word("assistant"));
        if hides {
            self.put_sizes(put);
        } else {
            self.put_texts(put);
        }
        if !self.tool_calls.is_empty() {
            put("tool_calls", Said::Calls(&self.tool_calls));
        }
        if let Some(reason) = &self.finish_reason {
            put("finish_reason", Said::Text(reason.clone()));
        }
    }

    fn put_texts(&self, put: &mut dyn FnMut(&'static str, Said<'_>)) {
        let refusal = self.text(Kind::Refusal);
        if refusal.is_some() {
            put("refusal", Said::Yes);
        }
        if let Some(text) = self.text(Kind::Text).or(refusal) {
            put("content", Said::Text(text));
        }
        if let Some(reasoning) = self.text(Kind::Reasoning) {
            put("reasoning", Said::Text(reasoning));
        }
    }

    fn put_sizes(&self, put: &mut dyn FnMut(&'static str, Said<'_>)) {
        let kinds = [
            ("content_bytes", Kind::Text),
            ("refusal_bytes", Kind::Refusal),
            ("reasoning_bytes", Kind::Reasoning),
        ];
        for (name, kind) in kinds {
            let bytes = self.bytes(kind);
            if bytes > 0 {
                put(name, Said::Bytes(bytes));
            }
        }
    }
}

/// The calls of tools, as JSON.
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
            put("result", self.result.as_ref().map(|it| it.shown()));
        }
        shown
    }
}

fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
