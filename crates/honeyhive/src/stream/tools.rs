//! Providers run some tools themselves; requests and answers have names for these.

use super::json::{Json, Text};

/// Gemini's tool that runs code has this name, which its calls and answers do not tell.
pub(super) const CODE_EXECUTION: &str = "code_execution";

/// Returns the name of the tool that an item of OpenAI's Responses calls, by the item's type: `web_search_call`.
pub(super) fn own_tool(kind: &str) -> Option<Text<'_>> {
    let name = match kind {
        "mcp_list_tools" | "mcp_approval_request" => Some(kind),
        _ => kind.strip_suffix("_call"),
    };
    name.map(Text::plain)
}

/// Returns what such an item asks of the tool; of a listing of tools, the server.
pub(super) fn asked_of(item: Json<'_>) -> Option<Json<'_>> {
    const ASKED: [&str; 6] = [
        "arguments",
        "input",
        "action",
        "code",
        "queries",
        "server_label",
    ];
    ASKED.iter().find_map(|key| item.get(key))
}

/// Returns what the tool has answered, where the item says that.
pub(super) fn answer_in(item: Json<'_>) -> Option<Json<'_>> {
    const ANSWERS: [&str; 4] = ["output", "outputs", "results", "error"];
    ANSWERS.iter().find_map(|key| item.get(key))
}

/// Returns the texts of a part of an answer: its text, or the title and the address of a page.
pub(super) fn lines_of(part: Json<'_>) -> impl Iterator<Item = Text<'_>> {
    let texts = ["text", "title", "url"].map(|key| part.text_in(key));
    texts.into_iter().flatten()
}

/// Returns whether a part of an answer is a page that was found or fetched.
pub(super) fn is_page(part: Json<'_>) -> bool {
    const PAGES: [&str; 3] = ["web_search_result", "search_result", "web_fetch_result"];
    PAGES.iter().any(|kind| part.is("type", kind))
}
