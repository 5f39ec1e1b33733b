//! A session as Markdown is for people and for language models: what happened, in order, without noise.

use std::fmt::Write;

use serde_json::Value;

use super::format;
use super::outcome::Outcome;
use crate::model::{LocalEvent, LocalSession, Object, iso};
use crate::store::SessionRow;

/// A value is shown up to this many characters.
const LONGEST: usize = 4_000;

/// Returns a session, its events in the order of its tree.
pub(super) fn session(
    session: &LocalSession,
    row: &SessionRow,
    events: &[(usize, LocalEvent)],
) -> String {
    let mut text = String::new();
    let name = one_line(session.name.as_deref().unwrap_or("unnamed session"));
    let _ = writeln!(text, "# {name}\n");
    let _ = writeln!(text, "- id: `{}`", session.session_id);
    let _ = writeln!(text, "- started: {}", iso(session.start_time));
    let _ = writeln!(text, "- ended: {}", Outcome::of(row).word);
    if let Some(duration) = session.duration {
        let _ = writeln!(text, "- took: {}", format::duration(duration));
    }
    if row.tokens > 0 {
        let _ = writeln!(text, "- tokens: {}", format::count(row.tokens));
    }
    let _ = writeln!(
        text,
        "- events: {}, of them failed: {}",
        row.events, row.errors
    );
    buckets(
        &mut text,
        &[
            ("Inputs", &session.inputs),
            ("Outputs", &session.outputs),
            ("Metadata", &session.metadata),
            ("Metrics", &session.metrics),
            ("Feedback", &session.feedback),
            ("Config", &session.config),
            ("User properties", &session.user_properties),
        ],
    );
    failure(&mut text, session.error.as_deref());
    for (depth, event) in events {
        let _ = writeln!(
            text,
            "\n{} {}",
            "#".repeat((depth + 2).min(6)),
            title(event)
        );
        text.push_str(&self::event(event));
    }
    text
}

/// Returns an event, without its title.
fn event(event: &LocalEvent) -> String {
    let mut text = String::new();
    failure(&mut text, event.error.as_deref());
    buckets(
        &mut text,
        &[
            ("Inputs", &event.inputs),
            ("Outputs", &event.outputs),
            ("Config", &event.config),
            ("Metadata", &event.metadata),
            ("Metrics", &event.metrics),
            ("Feedback", &event.feedback),
            ("User properties", &event.user_properties),
        ],
    );
    text
}

fn title(event: &LocalEvent) -> String {
    let failed = if event.error.is_some() {
        ", failed"
    } else {
        ""
    };
    format!(
        "{} [{}] {}{failed}",
        one_line(&event.event_name),
        one_line(&event.event_type),
        format::duration(event.duration)
    )
}

fn failure(text: &mut String, error: Option<&str>) {
    if let Some(error) = error {
        let _ = writeln!(text, "\nError:\n{}", fenced(error, ""));
    }
}

fn buckets(text: &mut String, buckets: &[(&str, &Object)]) {
    for (name, bucket) in buckets {
        match chat(bucket) {
            _ if bucket.is_empty() => {}
            Some(messages) => {
                let _ = writeln!(text, "\n{name}, as chat:\n\n{messages}");
            }
            None => {
                let shown = serde_json::to_string_pretty(bucket).unwrap_or_default();
                let _ = writeln!(text, "\n{name}:\n{}", fenced(&shown, "json"));
            }
        }
    }
}

/// Returns messages, a line each; `None` where there is no chat.
fn chat(bucket: &Object) -> Option<String> {
    let messages = bucket.get("chat_history")?.as_array()?;
    let mut text = String::new();
    for message in messages {
        let role = message["role"].as_str().unwrap_or("unknown");
        let said = match &message["content"] {
            Value::String(said) => said.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let _ = writeln!(
            text,
            "- **{}**: {}",
            one_line(role),
            cut(&said).replace('\n', "\n  ")
        );
        if let Some(thought) = message["reasoning"].as_str() {
            let _ = writeln!(
                text,
                "  - reasoning: {}",
                cut(thought).replace('\n', "\n    ")
            );
        }
        if let Some(calls) = message["tool_calls"].as_array() {
            for call in calls {
                let _ = writeln!(text, "  - calls `{}`", one_line(&call.to_string()));
            }
        }
    }
    Some(text)
}

/// Returns the text in a fence that the text itself cannot close.
fn fenced(text: &str, language: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}{language}\n{}\n{fence}", cut(text))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!(
            "{} … ({} characters in all)",
            &text[..end],
            text.chars().count()
        ),
        None => text.to_owned(),
    }
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::{chat, fenced};
    use serde_json::json;

    #[test]
    fn a_text_cannot_close_its_own_fence() {
        assert_eq!(fenced("a ```` b", "json"), "`````json\na ```` b\n`````");
        assert_eq!(fenced("a", ""), "```\na\n```");
    }

    #[test]
    fn a_chat_is_told_message_by_message_with_its_tool_calls() {
        let bucket = json!({ "chat_history": [
            { "role": "user", "content": "Which\norders?" },
            { "role": "assistant", "content": null, "tool_calls": [{ "name": "find" }] },
            { "role": "assistant", "content": "Two.", "reasoning": "One,\ntwo." },
        ] });
        let told = chat(bucket.as_object().unwrap()).unwrap();
        assert_eq!(
            told,
            "- **user**: Which\n  orders?\n- **assistant**: \n  - calls `{\"name\":\"find\"}`\n- **assistant**: Two.\n  \
             - reasoning: One,\n    two.\n"
        );
    }
}
