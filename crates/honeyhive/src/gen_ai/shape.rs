//! The members of a value tell whether it is a message, or a part of one.

use serde_json::Value as Json;

/// Returns the first of these members that an object has.
pub(super) fn find<'j>(object: &'j Json, names: &[&str]) -> Option<&'j Json> {
    names.iter().find_map(|name| object.get(*name))
}

/// Returns whether a value is a message, by its members.
pub(super) fn is_chat_item(value: &Json) -> bool {
    const KINDS: [&str; 10] = [
        "ai",
        "AIMessage",
        "assistant",
        "human",
        "HumanMessage",
        "message",
        "system",
        "SystemMessage",
        "tool",
        "ToolMessage",
    ];
    let kind = || value.get("type").and_then(Json::as_str);
    value.is_object()
        && (find(
            value,
            &[
                "role",
                "message",
                "delta",
                "parts",
                "tool_calls",
                "outputText",
            ],
        )
        .is_some()
            || kind().is_some_and(|kind| KINDS.contains(&kind)))
}
