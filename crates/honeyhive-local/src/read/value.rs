//! Cells of tables show JSON.

use maud::{Markup, html};
use serde_json::Value;

use super::{format, frame};
use crate::model::parse_iso;

pub(super) fn text<'v>(record: &'v Value, key: &str) -> &'v str {
    record[key].as_str().unwrap_or_default()
}

/// Returns the moment when a record was made, which the page's script tells in the reader's own time; a dash for none.
pub(super) fn made(record: &Value) -> Markup {
    let made = parse_iso(text(record, "created_at"));
    html! { @if let Some(made) = made { (frame::time(made)) } @else { span.dim { "–" } } }
}

/// Returns a number, or a dash.
pub(super) fn number(value: &Value) -> String {
    value
        .as_f64()
        .map_or_else(|| "–".to_owned(), format::number)
}

/// Returns an object as its fields, a line each; a dash for nothing.
pub(super) fn fields(value: &Value) -> Markup {
    html! {
        @match value {
            Value::Null => { span.dim { "–" } }
            Value::Object(fields) if fields.is_empty() => { span.dim { "–" } }
            Value::Object(fields) => { @for (key, value) in fields { div { span.dim { (key) ": " } (plain(value)) } } }
            other => { (plain(other)) }
        }
    }
}

/// Returns the one text of an object that has only one, else its fields.
pub(super) fn brief(value: &Value) -> Markup {
    let object = value.as_object();
    let mut values = object.into_iter().flatten().map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(Value::String(text)), None) => html! { (text) },
        _ => fields(value),
    }
}

/// Returns a text without quotes, any other value as JSON; a number as people read it.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map(format::number).unwrap_or_default()
        }
        other => other.to_string(),
    }
}
