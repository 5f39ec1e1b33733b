use super::Reply;
use super::bounded::Bounded;
use super::tool_call::{ByPath, MAX_PARTS, ToolCall};
use super::word::set;
use crate::stream::json::{Json, Text};

const MAX_TOOL_CALLS: usize = 128;

/// The place of a tool call is a choice and a call in it.
#[derive(Debug, Clone, Copy)]
pub(in crate::stream) struct CallAt(usize, usize);

impl Reply {
    /// Adds a piece of a call of a tool, and returns where the call stands. A new id at an index that is taken is a new
    /// call: some servers count all as the first.
    pub(in crate::stream) fn tool_call(
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

    pub(in crate::stream) fn push_arguments(&mut self, at: CallAt, text: Text<'_>) {
        let call = &mut self.choices[at.0].tool_calls[at.1];
        call.arguments
            .push(text, &mut self.held, self.hides_content);
        self.has_content |= call.arguments.bytes > 0;
    }

    /// Replaces the arguments: by a text, or by the JSON of any other value. An empty object leaves none.
    pub(in crate::stream) fn set_arguments(&mut self, at: CallAt, value: Json<'_>) {
        let arguments = &mut self.choices[at.0].tool_calls[at.1].arguments;
        arguments.clear(&mut self.held);
        if !value.is_object() || value.len() > 0 {
            arguments.push_value(value, &mut self.held, self.hides_content);
        }
        self.has_content |= arguments.bytes > 0;
    }

    /// Adds a piece of an argument that comes by its path, as Gemini streams them.
    pub(in crate::stream) fn push_at_path(&mut self, at: CallAt, path: Text<'_>, value: Json<'_>) {
        let pieces = &mut self.choices[at.0].tool_calls[at.1].by_path;
        let known = pieces.iter().position(|it| it.path == path.written());
        let piece = match known {
            Some(known) => &mut pieces[known],
            None if pieces.len() == MAX_PARTS => {
                self.left_out += 1;
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
        piece
            .value
            .push_value(value, &mut self.held, self.hides_content);
        self.has_content |= piece.value.bytes > 0;
    }

    /// Adds the answer of a tool.
    pub(in crate::stream) fn set_result(&mut self, at: CallAt, value: Json<'_>) {
        let (result, held, hides) = self.begin_result(at);
        result.push_value(value, held, hides);
    }

    /// Adds texts, a line each, as the answer of a tool.
    pub(in crate::stream) fn set_result_lines<'a>(
        &mut self,
        at: CallAt,
        lines: impl Iterator<Item = Text<'a>>,
    ) {
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
    pub(in crate::stream) fn call_of(&self, choice: u64, id: Text<'_>) -> Option<CallAt> {
        let at = self.choices.iter().position(|it| it.index == choice)?;
        let mut calls = self.choices[at].tool_calls.iter();
        let call = calls.rposition(|it| it.id.as_deref() == Some(id.written()))?;
        Some(CallAt(at, call))
    }

    /// Returns the last call of a choice.
    pub(in crate::stream) fn last_call(&self, choice: u64) -> Option<CallAt> {
        let at = self.choices.iter().position(|it| it.index == choice)?;
        Some(CallAt(
            at,
            self.choices[at].tool_calls.len().checked_sub(1)?,
        ))
    }

    /// Returns the number of tool calls of a choice.
    pub(in crate::stream) fn tool_calls(&self, choice: u64) -> u64 {
        let choice = self.choices.iter().find(|it| it.index == choice);
        choice.map_or(0, |it| it.tool_calls.len() as u64)
    }
}
