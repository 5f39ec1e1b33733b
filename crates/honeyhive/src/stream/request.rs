//! [`Asked`] reads from the JSON body of a request what it asks of a model, in the words of the same APIs.

use std::sync::Arc;

use opentelemetry::KeyValue;

use super::json::{Index, Json, Text};
use super::media::{attachment, kind_of, mark, text_document};
use super::message::{Called, MAX_WORD, Message, word};
use super::settings::{is_number_or_flag, put_setting};
use super::text_of;
use super::tools::{CODE_EXECUTION, answer_in, asked_of, is_page, lines_of, own_tool};
use crate::attributes::MAX_ATTRIBUTES;
use crate::model::limits;

/// An event has room for this many messages, at three attributes each; of more, the first and the last stay.
const MAX_MESSAGES: usize = MAX_ATTRIBUTES / 3;
/// All messages take at most this many attributes: the rest of an event's room is for the answer.
const MAX_SHOWN: usize = MAX_ATTRIBUTES - 256;
/// All texts have this many bytes at the most.
const MAX_TEXTS: usize = 8 * 1024 * 1024;
const MAX_TOOLS: usize = 128;

/// A call mostly has this many attributes, with those that the answer and the session add.
const ROOM: usize = 40;

/// The program asks a model for this.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) model: Option<Arc<str>>,
    /// The attributes show the messages and the settings.
    pub(crate) attributes: Vec<KeyValue>,
    /// The texts are inputs that are no conversation: the texts to embed, the prompt of a picture.
    pub(crate) texts: Vec<String>,
    /// The model may call the tools with these names.
    pub(crate) tools: Vec<String>,
    /// So many messages had no room.
    pub(crate) left_out: usize,
    /// All texts together have this many bytes, kept or not.
    pub(crate) bytes: usize,
    /// So many messages have no text, or none that is kept.
    silent: usize,
    hides_content: bool,
    held: usize,
    /// The next message has this place.
    next: usize,
    /// The messages have this many attributes.
    shown: usize,
    /// The messages of a long conversation are gathered, since some are left out.
    gathered: Option<Vec<Message>>,
    is_long: bool,
}

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

impl Asked {
    /// Reads the body of a request; empty where the body is not understood.
    pub(crate) fn read(body: &[u8], hides_content: bool) -> Self {
        Self::read_after(0, body, hides_content)
    }

    /// Reads the body of a request, whose first message has this number.
    fn read_after(first: usize, body: &[u8], hides_content: bool) -> Self {
        let mut index = Index::new();
        let text = text_of(body);
        let mut asked = Self {
            hides_content,
            next: first,
            ..Self::default()
        };
        if let Some(root) = index.read(&text) {
            asked.attributes.reserve_exact(ROOM);
            asked.take(root);
            if asked.is_long {
                asked = Self {
                    hides_content,
                    next: first,
                    gathered: Some(Vec::new()),
                    ..Self::default()
                };
                asked.take(root);
                let gathered = asked.gathered.take().into_iter().flatten();
                gathered.for_each(|message| asked.put(message));
            }
        }
        if hides_content {
            asked.attributes.retain(is_number_or_flag);
        }
        asked
    }

    /// Reads one more body of the same request, and adds its messages and settings.
    pub(crate) fn add_body(&mut self, body: &[u8], hides_content: bool) {
        let more = Self::read_after(self.next, body, hides_content);
        self.attributes.extend(more.attributes);
        self.texts.extend(more.texts);
        self.next = more.next;
        self.left_out += more.left_out;
        self.silent += more.silent;
        self.bytes += more.bytes;
    }

    /// Makes questions of texts that stand alone.
    pub(crate) fn ask_texts(&mut self) {
        for content in std::mem::take(&mut self.texts) {
            self.put(Message {
                content,
                ..Message::of("user")
            });
        }
    }

    /// Lets go of all texts; returns how many messages there were.
    pub(crate) fn hide(&mut self) -> usize {
        let spoken = self.next + self.left_out + self.silent;
        let counted = spoken.min(MAX_MESSAGES);
        self.left_out = spoken - counted;
        self.texts = Vec::new();
        self.attributes.retain(is_number_or_flag);
        counted
    }

    fn take(&mut self, root: Json<'_>) {
        if root.is_list() {
            // The body is the messages alone.
            return root.items().for_each(|item| self.take_message(item));
        }
        let (mut system, mut messages, mut asked, mut agent) = (None, None, None, None);
        for (name, value) in root.fields() {
            match name {
                b"model" => self.model = value.said().map(|it| it.shared(MAX_WORD)),
                b"agent" => agent = value.said(),
                b"system" | b"instructions" | b"systemInstruction" | b"system_instruction" => {
                    system = Some(value);
                }
                b"messages" | b"contents" => messages = Some(value),
                b"input" => asked = Some(value),
                // A prompt that is an object names a template.
                b"prompt" if !value.is_object() => asked = Some(value),
                b"content" => self.take_content_to_embed(value),
                // Gemini embeds many texts by as many requests in one.
                b"requests" => {
                    let contents = value.items().filter_map(|it| it.get("content"));
                    contents.for_each(|content| self.take_content_to_embed(content));
                }
                b"generationConfig" | b"generation_config" | b"options" => {
                    value.fields().for_each(|(_, it)| self.take_setting(it));
                }
                b"tools" => value.items().for_each(|tool| self.take_tool(tool)),
                // The usage that they ask for is in the answer.
                b"stream_options" => {}
                _ => self.take_setting(value),
            }
        }
        if let (None, Some(agent)) = (&self.model, agent) {
            self.model = Some(agent.shared(MAX_WORD));
        }
        if let Some(system) = system {
            self.take_content("system", system.get("parts").unwrap_or(system));
        }
        let messages = messages.into_iter().flat_map(Json::items);
        messages.for_each(|item| self.take_message(item));
        if let Some(asked) = asked {
            self.take_input(asked);
        }
    }

    /// Takes `input`, which is a conversation for Responses, texts for embeddings; a prompt is a text.
    fn take_input(&mut self, input: Json<'_>) {
        match input.text() {
            Some(text) => self.add_text(text),
            None if input.items().any(Json::is_object) => {
                input.items().for_each(|item| self.take_message(item));
            }
            None => input
                .items()
                .filter_map(Json::text)
                .for_each(|text| self.add_text(text)),
        }
    }

    /// Takes Gemini's texts to embed.
    fn take_content_to_embed(&mut self, content: Json<'_>) {
        let parts = content.list("parts");
        let parts = parts.filter_map(|part| part.text_in("text"));
        parts.for_each(|text| self.add_text(text));
    }

    fn add_text(&mut self, text: Text<'_>) {
        let mut said = String::new();
        self.append(&mut said, text);
        if !self.hides_content && self.texts.len() < MAX_MESSAGES {
            self.texts.push(said);
        }
    }

    /// Reads the fields in one pass: which of them count is known when all have been seen.
    fn take_message(&mut self, item: Json<'_>) {
        let mut found = Item::default();
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

    fn take_content(&mut self, role: &str, content: Json<'_>) {
        let mut message = Message::of(role);
        self.fill(&mut message, content);
        self.add_spoken(message);
    }

    /// Takes a text, or parts of whatever kind.
    fn fill(&mut self, message: &mut Message, content: Json<'_>) {
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
        let is_thought = part.get("thought").is_some_and(|it| it.raw() == "true");
        if is_thought
            || ["thinking", "redacted_thinking", "reasoning"]
                .iter()
                .any(|kind| part.is("type", kind))
        {
            // A model's thoughts are no part of the conversation.
        } else if let Some(text) = part.text_in("text").or_else(|| part.text_in("refusal")) {
            self.append(&mut message.content, text);
        } else if is_page(part) {
            lines_of(part).for_each(|line| self.append(&mut message.content, line));
            if let Some(content) = part.get("content") {
                self.fill(message, content);
            }
        } else if let Some(text) = text_document(part) {
            self.append(&mut message.content, text);
        } else if part.ends("type", "tool_use") {
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
        } else if let Some(seen) = attachment(part) {
            put_line(&mut message.content, &seen);
        }
    }

    fn add_call(&mut self, message: &mut Message, id: Option<Text<'_>>, call: Json<'_>, key: &str) {
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

    fn push_call(
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
    fn add_answer(&mut self, id: Option<Text<'_>>, answer: Json<'_>) {
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

    fn add(&mut self, message: Message) {
        if self.hides_content {
            self.silent += 1;
            return;
        }
        self.shown += message.attributes();
        let Some(gathered) = &mut self.gathered else {
            self.is_long |= self.next >= MAX_MESSAGES || self.shown > MAX_SHOWN;
            return self.put(message);
        };
        gathered.push(message);
        while gathered.len() > 2 && (gathered.len() > MAX_MESSAGES || self.shown > MAX_SHOWN) {
            // The first message tells what the model is to be, the last are those that it answers.
            let oldest = gathered.remove(1);
            self.held = self.held.saturating_sub(oldest.content.len());
            self.shown -= oldest.attributes();
            self.left_out += 1;
        }
    }

    /// Shows a message.
    fn put(&mut self, message: Message) {
        message.put(self.next, &mut self.attributes);
        self.next += 1;
    }

    fn take_setting(&mut self, field: Json<'_>) {
        put_setting(field, &mut self.attributes);
    }

    fn take_tool(&mut self, tool: Json<'_>) {
        let function = tool.get("function").or_else(|| tool.get("custom"));
        let named = function.unwrap_or(tool).text_in("name");
        if let Some(name) = named.or_else(|| tool.text_in("type")) {
            let servers = ["server_label", "mcp_server_name"];
            let server = servers.iter().find_map(|key| tool.text_in(key));
            return self.add_tool(match server {
                Some(server) => format!("{}:{}", word(name), word(server)),
                None => word(name),
            });
        }
        // Gemini's tools are fields: its own by their names, those of the program as a list.
        for (field, value) in tool.fields() {
            match field {
                b"functionDeclarations" | b"function_declarations" => {
                    let names = value.items().filter_map(|it| it.text_in("name"));
                    names.for_each(|name| self.add_tool(word(name)));
                }
                _ if value.is_object() => self.add_tool(word(Text::plain(value.name_text()))),
                _ => {}
            }
        }
    }

    fn add_tool(&mut self, name: String) {
        if self.tools.len() < MAX_TOOLS {
            self.tools.push(name);
        }
    }

    fn append(&mut self, to: &mut String, text: Text<'_>) {
        let written = text.written();
        if written.starts_with("data:") && written.contains(";base64,") {
            return put_line(to, &mark(kind_of(written), text));
        }
        if !to.is_empty() {
            to.push('\n');
        }
        match text.as_plain() {
            Some(whole) => self.append_raw(to, whole),
            None => text.each(&mut |piece| self.append_raw(to, piece)),
        }
    }

    fn append_raw(&mut self, to: &mut String, piece: &str) {
        self.bytes += piece.len();
        if self.hides_content || piece.is_empty() {
            return;
        }
        let room = limits::VALUE_BYTES
            .saturating_sub(to.len())
            .min(MAX_TEXTS.saturating_sub(self.held));
        if piece.len() > room {
            return self.append_start(to, piece, room);
        }
        self.held += piece.len();
        if to.is_empty() {
            // The text gets no more room than it takes.
            *to = piece.to_owned();
        } else {
            to.push_str(piece);
        }
    }

    /// Appends the part that there is room for, and a mark.
    #[cold]
    fn append_start(&mut self, to: &mut String, piece: &str, room: usize) {
        let end = (0..=room).rev().find(|end| piece.is_char_boundary(*end));
        let kept = &piece[..end.unwrap_or(0)];
        to.push_str(kept);
        self.held += kept.len();
        if limits::mark_of(to).is_none() {
            to.push_str(&limits::mark(to.len() - kept.len() + piece.len()));
        }
    }
}

fn put_line(to: &mut String, line: &str) {
    if !to.is_empty() {
        to.push('\n');
    }
    to.push_str(line);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the value of an attribute.
    fn shown(asked: &Asked, key: &str) -> String {
        let mut all = asked.attributes.iter();
        let found = all.find(|it| it.key.as_str() == key);
        found.expect(key).value.as_str().into_owned()
    }

    /// Returns the conversation in short: who said what, and what was called.
    fn read(body: &str) -> Vec<String> {
        let mut asked = Asked {
            gathered: Some(Vec::new()),
            ..Asked::default()
        };
        let mut index = Index::new();
        asked.take(index.read(body).expect("JSON"));
        let messages = asked.gathered.take().into_iter().flatten();
        let shown = messages.map(|message| {
            let calls = message.tool_calls.iter().map(|call| {
                let id = call.id.as_deref().unwrap_or("-");
                format!(" {}({}) {id}", call.name, call.arguments)
            });
            let answers = message.tool_call_id.iter().map(|id| format!(" to {id}"));
            let all: String = calls.chain(answers).collect();
            format!("{}: {}{all}", message.role, message.content)
        });
        shown.collect()
    }

    #[test]
    fn a_conversation_reads_the_same_in_the_words_of_each_api() {
        let expected = [
            "system: Be brief.",
            "user: Weather?\n[image, 1 KB]",
            "assistant:  weather({\"city\":\"Paris\"}) c1",
            "tool: Sunny. to c1",
        ];
        let chat = r#"{"model":"m","messages":[
            {"role":"system","content":"Be brief."},
            {"role":"user","content":[{"type":"text","text":"Weather?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJDRA=="}}]},
            {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Paris\"}"}}]},
            {"role":"tool","tool_call_id":"c1","content":"Sunny."}]}"#;
        let responses = r#"{"model":"m","instructions":"Be brief.","input":[
            {"role":"user","content":[{"type":"input_text","text":"Weather?"},{"type":"input_image","image_url":"data:image/png;base64,QUJDRA=="}]},
            {"type":"reasoning","summary":[]},
            {"type":"function_call","call_id":"c1","name":"weather","arguments":"{\"city\":\"Paris\"}"},
            {"type":"function_call_output","call_id":"c1","output":"Sunny."}]}"#;
        let anthropic = r#"{"model":"m","system":[{"type":"text","text":"Be brief."}],"messages":[
            {"role":"user","content":[{"type":"text","text":"Weather?"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QUJDRA=="}}]},
            {"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"tool_use","id":"c1","name":"weather","input":{"city":"Paris"}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":[{"type":"text","text":"Sunny."}]}]}]}"#;
        let gemini = r#"{"systemInstruction":{"parts":[{"text":"Be brief."}]},"contents":[
            {"role":"user","parts":[{"text":"Weather?"},{"inlineData":{"mimeType":"image/png","data":"QUJDRA=="}}]},
            {"role":"model","parts":[{"functionCall":{"id":"c1","name":"weather","args":{"city":"Paris"}}}]},
            {"role":"user","parts":[{"functionResponse":{"id":"c1","name":"weather","response":"Sunny."}}]}]}"#;
        for body in [chat, responses, anthropic, gemini] {
            assert_eq!(read(body), expected, "{body}");
        }
    }

    #[test]
    fn a_template_and_what_a_program_attaches_leave_the_conversation_whole() {
        for (body, expected) in [
            (
                r#"{"input":[{"role":"user","content":"Weather?"}],"prompt":{"id":"pmpt_1","version":"2"}}"#,
                "user: Weather?",
            ),
            (
                r#"{"contents":[{"parts":[{"text":"What?"},{"fileData":{"mimeType":"video/mp4","fileUri":"https://youtu.be/x"}},{"inline_data":{"mime_type":"image/png","data":"QUJD"}}]}]}"#,
                "user: What?\n[video]\n[image, 1 KB]",
            ),
            (
                r#"{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"Oaks."}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"QUJD"}},
                    {"type":"search_result","source":"https://y","title":"Trees","content":[{"type":"text","text":"Elms."}]}]}]}"#,
                "user: Oaks.\n[file, 1 KB]\nTrees\nElms.",
            ),
            (
                r#"{"messages":[{"role":"tool","tool_name":"weather","content":"Sunny."}]}"#,
                "tool: Sunny. to weather",
            ),
        ] {
            assert_eq!(read(body), [expected], "{body}");
        }
    }

    #[test]
    fn an_answer_that_was_a_refusal_is_part_of_the_conversation() {
        for silence in ["null", "\"\"", "[]"] {
            let body = format!(
                r#"{{"messages":[{{"role":"user","content":"How?"}},{{"role":"assistant","content":{silence},"refusal":"No."}}]}}"#
            );
            assert_eq!(read(&body), ["user: How?", "assistant: No."], "{silence}");
        }
    }

    #[test]
    fn tools_of_the_program_are_named_and_no_schema_is_kept() {
        let body = r#"{"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object"}}},{"name":"clock","input_schema":{}}]}"#;
        let asked = Asked::read(body.as_bytes(), false);
        assert_eq!(asked.tools, ["weather", "clock"]);
        assert!(asked.attributes.is_empty());
    }

    #[test]
    fn tools_that_the_provider_runs_are_named() {
        for (tools, named) in [
            (
                r#"[{"functionDeclarations":[{"name":"f"},{"name":"g"}],"googleSearch":{}},{"codeExecution":{}},{"url_context":{}}]"#,
                vec!["f", "g", "googleSearch", "codeExecution", "url_context"],
            ),
            (
                r#"[{"type":"web_search"},{"type":"mcp","server_label":"dice","server_url":"https://dice.example","headers":{"authorization":"x"}}]"#,
                vec!["web_search", "mcp:dice"],
            ),
            (
                r#"[{"type":"web_search_20250305","name":"web_search","max_uses":5},{"type":"mcp_toolset","mcp_server_name":"dice"}]"#,
                vec!["web_search", "mcp_toolset:dice"],
            ),
        ] {
            let asked = Asked::read(format!(r#"{{"tools":{tools}}}"#).as_bytes(), false);
            assert_eq!(asked.tools, named, "{tools}");
        }
    }

    #[test]
    fn calls_that_the_provider_has_run_are_part_of_the_conversation() {
        let responses = r#"{"input":[
            {"type":"mcp_list_tools","id":"l","server_label":"dice","tools":[{"name":"roll","input_schema":{}},{"name":"toss"}]},
            {"type":"mcp_approval_request","id":"r","server_label":"dice","name":"roll","arguments":"{}"},
            {"type":"mcp_approval_response","approval_request_id":"r","approve":true},
            {"type":"mcp_call","id":"m","server_label":"dice","name":"roll","arguments":"{}","output":"4","error":null},
            {"type":"web_search_call","id":"w","status":"completed","action":{"type":"search","query":"q"}},
            {"type":"shell_call_output","call_id":"s","output":[{"stdout":"a"}]},
            {"type":"message","role":"user","content":"And now?"}]}"#;
        assert_eq!(
            read(responses),
            [
                "assistant:  mcp_list_tools(dice) l",
                "tool: roll\ntoss to l",
                "assistant:  roll({}) r",
                "tool: approved to r",
                "assistant:  roll({}) m",
                "tool: 4 to m",
                r#"assistant:  web_search({"type":"search","query":"q"}) w"#,
                r#"tool: [{"stdout":"a"}] to s"#,
                "user: And now?",
            ]
        );
        let anthropic = r#"{"messages":[{"role":"assistant","content":[
            {"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"oaks"}},
            {"type":"web_search_tool_result","tool_use_id":"s","content":[{"type":"web_search_result","title":"Oaks","url":"https://oaks.example","encrypted_content":"QUJD"}]},
            {"type":"text","text":"Found."}]}]}"#;
        assert_eq!(
            read(anthropic),
            [
                r#"assistant:  web_search({"query":"oaks"}) s"#,
                "tool: Oaks\nhttps://oaks.example to s",
                "assistant: Found.",
            ]
        );
        let gemini = r#"{"contents":[{"role":"model","parts":[{"executableCode":{"language":"PYTHON","code":"print(1)"}},{"text":"One."}]}]}"#;
        assert_eq!(read(gemini), ["assistant: One. code_execution(print(1)) -"]);
        let openrouter = r#"{"messages":[{"role":"assistant","content":"A tree.","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}}]}]}"#;
        assert_eq!(read(openrouter), ["assistant: [image, 1 KB]\nA tree."]);
    }

    #[test]
    fn a_page_and_a_picture_that_a_tool_has_answered_with_are_no_bytes() {
        for (body, answer) in [
            (
                r#"{"input":[{"type":"computer_call_output","call_id":"c","output":{"type":"computer_screenshot","image_url":"data:image/png;base64,QUJD"}}]}"#,
                "tool: [image, 1 KB] to c",
            ),
            (
                r#"{"messages":[{"role":"assistant","content":[{"type":"web_fetch_tool_result","tool_use_id":"w","content":{"type":"web_fetch_result","url":"https://oaks.example","content":{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"QUJD"}}}}]}]}"#,
                "tool: https://oaks.example\n[file, 1 KB] to w",
            ),
            (
                r#"{"messages":[{"role":"assistant","content":[{"type":"web_fetch_tool_result","tool_use_id":"w","content":{"type":"web_fetch_result","url":"https://oaks.example","content":{"type":"document","source":{"type":"text","data":"Oaks."}}}}]}]}"#,
                "tool: https://oaks.example\nOaks. to w",
            ),
        ] {
            assert_eq!(read(body), [answer], "{body}");
        }
    }

    #[test]
    fn an_interaction_asks_by_a_text_by_parts_or_by_the_steps_so_far() {
        let parts = r#"{"model":"m","system_instruction":"Be brief.","input":[{"type":"text","text":"What is it?"},{"type":"image","data":"QUJDRA==","mime_type":"image/png"}],
            "generation_config":{"thinking_level":"low"},"tools":[{"type":"google_search"},{"type":"function","name":"f","parameters":{}}]}"#;
        assert_eq!(
            read(parts),
            [
                "system: Be brief.",
                "user: What is it?",
                "user: [image, 1 KB]"
            ]
        );
        let asked = Asked::read(parts.as_bytes(), false);
        assert_eq!(asked.tools, ["google_search", "f"]);
        assert_eq!(shown(&asked, "honeyhive_config.thinking_level"), "low");
        let steps = r#"{"agent":"deep-x","input":[
            {"type":"user_input","content":[{"type":"text","text":"Weather?"}]},
            {"type":"thought","signature":"QUJD","summary":[]},
            {"type":"function_call","id":"c","name":"weather","arguments":{"city":"Paris"}},
            {"type":"function_result","call_id":"c","name":"weather","result":"Sunny."},
            {"type":"model_output","content":[{"type":"text","text":"Go out."}]}]}"#;
        assert_eq!(
            read(steps),
            [
                "user: Weather?",
                r#"assistant:  weather({"city":"Paris"}) c"#,
                "tool: Sunny. to c",
                "assistant: Go out.",
            ]
        );
        let asked = Asked::read(steps.as_bytes(), false);
        assert_eq!(asked.model.as_deref(), Some("deep-x"));
        let mut asked = Asked::read(br#"{"model":"m","input":"Hi"}"#, false);
        asked.ask_texts();
        assert_eq!(
            shown(&asked, "honeyhive_inputs.chat_history.0.content"),
            "Hi"
        );
    }

    #[test]
    fn texts_to_embed_are_texts_and_nothing_of_them_is_kept_where_content_is_hidden() {
        let body = br#"{"model":"e","input":["one","two"],"stop":"secret","messages":[{"role":"user","content":"secret"}]}"#;
        assert_eq!(Asked::read(body, false).texts, ["one", "two"]);
        let many = br#"{"requests":[{"model":"models/e","content":{"parts":[{"text":"one"}]}},{"content":{"parts":[{"text":"two"}]}}]}"#;
        assert_eq!(Asked::read(many, false).texts, ["one", "two"]);
        let hidden = Asked::read(body, true);
        assert!(!format!("{hidden:?}").contains("secret") && hidden.texts.is_empty());
        assert_eq!(hidden.bytes, 12);
    }

    #[test]
    fn of_a_long_conversation_the_first_and_the_last_stay() {
        let one = |turn: usize| format!(r#"{{"role":"user","content":"{turn}"}}"#);
        let messages: Vec<_> = (0..1_000).map(one).collect();
        let asked = Asked::read(format!("[{}]", messages.join(",")).as_bytes(), false);
        assert_eq!(asked.next, MAX_MESSAGES);
        let content = |index: usize| {
            shown(
                &asked,
                &format!("honeyhive_inputs.chat_history.{index}.content"),
            )
        };
        assert_eq!([content(0), content(MAX_MESSAGES - 1)], ["0", "999"]);
        assert_eq!(asked.left_out, 1_000 - MAX_MESSAGES);
    }

    #[test]
    fn a_long_text_is_cut_with_a_mark_before_it_is_copied() {
        let body = format!(
            r#"[{{"role":"user","content":"{}"}}]"#,
            "x".repeat(3 * 1024 * 1024)
        );
        let asked = Asked::read(body.as_bytes(), false);
        let text = shown(&asked, "honeyhive_inputs.chat_history.0.content");
        assert!(
            text.len() < limits::VALUE_BYTES + 64
                && text.ends_with("… [cut: 3145728 bytes in all]")
        );
    }
}
