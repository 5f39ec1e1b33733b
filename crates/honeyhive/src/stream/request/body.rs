use super::{Asked, MAX_TOOLS};
use crate::stream::json::{Json, Text};
use crate::stream::message::{MAX_WORD, word};
use crate::stream::settings::put_setting;

impl Asked {
    pub(super) fn take(&mut self, root: Json<'_>) {
        if root.is_list() {
            // The body is the messages alone.
            return root.items().for_each(|item| self.take_message(item));
        }
        let (mut system, mut messages, mut input, mut agent) = (None, None, None, None);
        for (name, value) in root.fields() {
            match name {
                b"model" => self.model = value.said().map(|it| it.shared(MAX_WORD)),
                b"agent" => agent = value.said(),
                b"system" | b"instructions" | b"systemInstruction" | b"system_instruction" => {
                    system = Some(value);
                }
                b"messages" | b"contents" => messages = Some(value),
                b"input" => input = Some(value),
                // A prompt that is an object names a template.
                b"prompt" if !value.is_object() => input = Some(value),
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
        if let Some(input) = input {
            self.take_input(input);
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
}
