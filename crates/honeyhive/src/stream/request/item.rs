use super::Asked;
use super::room::put_line;
use crate::stream::json::{Json, Text};
use crate::stream::media::{attachment, mark};
use crate::stream::message::{Message, word};
use crate::stream::tools::{answer_in, asked_of, own_tool};

/// These fields are read of a message, or of an item beside messages.
#[derive(Default)]
struct Item<'a> {
    kind: Option<Text<'a>>,
    role: Option<Text<'a>>,
    content: Option<Json<'a>>,
    parts: Option<Json<'a>>,
    calls: Option<Json<'a>>,
    call_id: Option<Text<'a>>,
    images: Option<Json<'a>>,
    refusal: Option<Text<'a>>,
}

impl<'a> Item<'a> {
    /// Reads the fields in one pass: which of them count is known when all have been seen.
    fn of(item: Json<'a>) -> Self {
        let mut found = Self::default();
        for (name, value) in item.fields() {
            match name {
                b"role" => found.role = value.said(),
                b"content" => found.content = Some(value),
                b"parts" => found.parts = Some(value),
                b"type" => found.kind = value.said(),
                b"tool_calls" => found.calls = Some(value),
                // Ollama's calls have no ids.
                b"tool_call_id" | b"tool_name" => found.call_id = value.said(),
                b"images" => found.images = Some(value),
                b"refusal" => found.refusal = value.said(),
                _ => {}
            }
        }
        found
    }
}

impl Asked {
    /// Takes a message, or an item beside messages, such as the call of a tool.
    pub(super) fn take_message(&mut self, item: Json<'_>) {
        let mut found = Item::of(item);
        match found.kind.map(Text::written) {
            Some("reasoning" | "thought") => {}
            Some("model_output") => {
                found.role = Some(Text::plain("assistant"));
                self.take_spoken(&found);
            }
            // Gemini's interactions may ask by parts alone.
            Some("text" | "image" | "audio" | "video" | "document") if found.role.is_none() => {
                self.take_content("user", item);
            }
            Some(kind) if kind.ends_with("_result") => {
                if let Some(result) = item.get("result") {
                    self.add_answer(item.text_in("call_id"), result);
                }
            }
            Some(kind) if kind.ends_with("_call_output") => {
                if let Some(output) = item.get("output") {
                    self.add_answer(item.text_in("call_id"), output);
                }
            }
            Some("mcp_approval_response") => {
                if let Some(approves) = item.get("approve") {
                    self.add_approval(item.text_in("approval_request_id"), approves.raw());
                }
            }
            Some(kind) => match own_tool(kind) {
                Some(name) => self.add_item_call(item, item.text_in("name").unwrap_or(name)),
                None => self.take_spoken(&found),
            },
            None => self.take_spoken(&found),
        }
    }

    /// Adds a call of a tool that is an item of its own; where the provider has run the tool, its answer is beside it.
    fn add_item_call(&mut self, item: Json<'_>, name: Text<'_>) {
        let mut message = Message::of("assistant");
        let id = item.text_in("call_id").or_else(|| item.text_in("id"));
        self.push_call(&mut message, id, name, asked_of(item));
        self.add(message);
        match answer_in(item) {
            Some(answer) => self.add_answer(id, answer),
            None => self.add_listed(id, item),
        }
    }

    /// Adds the names of the tools that a server has listed.
    fn add_listed(&mut self, id: Option<Text<'_>>, item: Json<'_>) {
        let mut message = Message::of("tool");
        let names = item.list("tools").filter_map(|it| it.text_in("name"));
        names.for_each(|name| self.append(&mut message.content, name));
        if !message.content.is_empty() {
            message.tool_call_id = id.map(word);
            self.add(message);
        }
    }

    fn add_approval(&mut self, id: Option<Text<'_>>, approves: &str) {
        let mut message = Message::of("tool");
        message.tool_call_id = id.map(word);
        self.append_raw(
            &mut message.content,
            match approves {
                "true" => "approved",
                _ => "denied",
            },
        );
        self.add(message);
    }

    fn take_spoken(&mut self, found: &Item<'_>) {
        let role = found.role.map_or("user", Text::written);
        let mut message = Message::of(role);
        message.tool_call_id = found.call_id.map(word);
        // Few messages have these.
        if let Some(calls) = found.calls {
            self.add_calls(&mut message, calls);
        }
        if let Some(images) = found.images {
            add_pictures(&mut message, images);
        }
        // A refusal may stand beside a content that is empty.
        let says = |it: &Json<'_>| it.said().is_some() || it.len() > 0;
        if let Some(content) = found.content.or(found.parts).filter(says) {
            self.fill(&mut message, content);
        } else if let Some(refusal) = found.refusal {
            self.append(&mut message.content, refusal);
        }
        self.add_spoken(message);
    }

    fn add_calls(&mut self, message: &mut Message, calls: Json<'_>) {
        for call in calls.items() {
            let function = call.get("function").or_else(|| call.get("custom"));
            self.add_call(
                message,
                call.text_in("id"),
                function.unwrap_or(call),
                "arguments",
            );
        }
    }

    /// Adds the message; an empty one is counted.
    fn add_spoken(&mut self, message: Message) {
        if message.is_empty() {
            self.silent += 1;
        } else {
            self.add(message);
        }
    }

    pub(super) fn take_content(&mut self, role: &str, content: Json<'_>) {
        let mut message = Message::of(role);
        self.fill(&mut message, content);
        self.add_spoken(message);
    }
}

/// Adds the pictures that stand beside the text: Ollama's are texts, and OpenRouter's parts.
fn add_pictures(message: &mut Message, images: Json<'_>) {
    for picture in images.items() {
        let seen = match picture.text() {
            Some(data) => Some(mark("image", data)),
            None => attachment(picture),
        };
        if let Some(seen) = seen {
            put_line(&mut message.content, &seen);
        }
    }
}
