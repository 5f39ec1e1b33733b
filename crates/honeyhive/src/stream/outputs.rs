//! What a model has answered, as the outputs of an event.

use serde_json::{Map, Value, json};

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

impl Choice {
    fn shown(&self, hides: bool) -> Object {
        let mut shown = Map::from_iter([("role".to_owned(), json!("assistant"))]);
        if hides {
            self.put_sizes(&mut shown);
        } else {
            self.put_texts(&mut shown);
        }
        if !self.tool_calls.is_empty() {
            let calls = self
                .tool_calls
                .iter()
                .map(|it| Value::Object(it.shown(hides)));
            shown.insert("tool_calls".to_owned(), calls.collect());
        }
        if let Some(reason) = &self.finish_reason {
            shown.insert("finish_reason".to_owned(), reason.clone().into());
        }
        shown
    }

    fn put_texts(&self, shown: &mut Object) {
        let refusal = self.text(Kind::Refusal);
        if refusal.is_some() {
            shown.insert("refusal".to_owned(), true.into());
        }
        if let Some(text) = self.text(Kind::Text).or(refusal) {
            shown.insert("content".to_owned(), text.into());
        }
        if let Some(reasoning) = self.text(Kind::Reasoning) {
            shown.insert("reasoning".to_owned(), reasoning.into());
        }
    }

    fn put_sizes(&self, shown: &mut Object) {
        let kinds = [
            ("content_bytes", Kind::Text),
            ("refusal_bytes", Kind::Refusal),
            ("reasoning_bytes", Kind::Reasoning),
        ];
        let sizes = kinds.map(|(name, kind)| (name.to_owned(), self.bytes(kind)));
        shown.extend(
            sizes
                .into_iter()
                .filter(|(_, bytes)| *bytes > 0)
                .map(|(name, bytes)| (name, bytes.into())),
        );
    }
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
