use super::room::put_line;
use super::{Asked, MAX_TOOLS};
use crate::stream::json::{Json, Text};
use crate::stream::media::{attachment, text_document};
use crate::stream::message::{Called, Message, word};
use crate::stream::tools::{CODE_EXECUTION, is_page, lines_of};

impl Asked {
    /// Takes a text, or parts of whatever kind.
    pub(super) fn fill(&mut self, message: &mut Message, content: Json<'_>) {
        match content.text() {
            Some(text) => self.append(&mut message.content, text),
            None if content.is_object() => self.take_part(message, content),
            None => content.items().for_each(|part| match part.text() {
                Some(text) => self.append(&mut message.content, text),
                None => self.take_part(message, part),
            }),
        }
    }

    fn take_part(&mut self, message: &mut Message, part: Json<'_>) {
        if is_thought(part) {
            return;
        }
        if let Some(text) = part.text_in("text").or_else(|| part.text_in("refusal")) {
            self.append(&mut message.content, text);
        } else if is_page(part) {
            lines_of(part).for_each(|line| self.append(&mut message.content, line));
            if let Some(content) = part.get("content") {
                self.fill(message, content);
            }
        } else if let Some(text) = text_document(part) {
            self.append(&mut message.content, text);
        } else if !self.take_tool_part(message, part)
            && let Some(seen) = attachment(part)
        {
            put_line(&mut message.content, &seen);
        }
    }

    /// Takes a call of a tool or its answer; returns whether the part was one.
    fn take_tool_part(&mut self, message: &mut Message, part: Json<'_>) -> bool {
        if part.ends("type", "tool_use") {
            // `server_tool_use` and `mcp_tool_use` are called by the provider.
            self.add_call(message, part.text_in("id"), part, "input");
        } else if part.ends("type", "tool_result") {
            self.end_before_answer(message);
            self.add_answer(
                part.text_in("tool_use_id"),
                part.get("content").unwrap_or(part),
            );
        } else if let Some(code) = part.get("executableCode") {
            let name = Text::plain(CODE_EXECUTION);
            self.push_call(message, code.text_in("id"), name, code.get("code"));
        } else if let Some(done) = part.get("codeExecutionResult") {
            self.end_before_answer(message);
            self.add_answer(done.text_in("id"), done.get("output").unwrap_or(done));
        } else if let Some(call) = part.get("functionCall") {
            self.add_call(message, call.text_in("id"), call, "args");
        } else if let Some(answer) = part.get("functionResponse") {
            let id = answer.text_in("id").or_else(|| answer.text_in("name"));
            self.add_answer(id, answer.get("response").unwrap_or(answer));
        } else {
            return false;
        }
        true
    }

    pub(super) fn add_call(
        &mut self,
        message: &mut Message,
        id: Option<Text<'_>>,
        call: Json<'_>,
        key: &str,
    ) {
        let Some(name) = call.text_in("name") else {
            return;
        };
        self.push_call(
            message,
            id,
            name,
            call.get(key).or_else(|| call.get("input")),
        );
    }

    pub(super) fn push_call(
        &mut self,
        message: &mut Message,
        id: Option<Text<'_>>,
        name: Text<'_>,
        given: Option<Json<'_>>,
    ) {
        let mut arguments = String::new();
        if let Some(given) = given {
            match given.text() {
                Some(text) => self.append(&mut arguments, text),
                None => self.append_raw(&mut arguments, given.raw()),
            }
        }
        if message.tool_calls.len() < MAX_TOOLS {
            message.tool_calls.push(Called {
                id: id.map(word),
                name: word(name),
                arguments,
            });
        }
    }

    /// Adds what a message has said and called before an answer comes within it.
    fn end_before_answer(&mut self, message: &mut Message) {
        if !message.is_empty() {
            let rest = Message {
                role: message.role.clone(),
                ..Message::default()
            };
            let said = std::mem::replace(message, rest);
            self.add(said);
        }
    }

    /// Adds the answer of a tool, each as a message of its own.
    pub(super) fn add_answer(&mut self, id: Option<Text<'_>>, answer: Json<'_>) {
        let mut message = Message::of("tool");
        message.tool_call_id = id.map(word);
        let is_shown = is_page(answer) || answer.is("type", "computer_screenshot");
        match answer.is_object() && !is_shown {
            true => self.append_raw(&mut message.content, answer.raw()),
            false => self.fill(&mut message, answer),
        }
        if message.content.is_empty() && answer.len() > 0 {
            // Parts that nobody knows are shown as they are.
            self.append_raw(&mut message.content, answer.raw());
        }
        self.add(message);
    }
}

/// Returns whether a part is a thought of the model, which is no part of the conversation.
fn is_thought(part: Json<'_>) -> bool {
    const KINDS: [&str; 3] = ["thinking", "redacted_thinking", "reasoning"];
    part.get("thought").is_some_and(|it| it.raw() == "true")
        || KINDS.iter().any(|kind| part.is("type", kind))
}
