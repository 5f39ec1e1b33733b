//! [`Template`] is the prompt of a model, with places to fill in.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::open::or_default;

/// A template is the text or the messages of a prompt, with `{{places}}` to fill in. A template serialises to the text
/// or the messages that a model's API takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Template {
    /// The prompt is one text.
    Text(String),
    /// The prompt is a list of messages.
    Messages(Vec<TemplateMessage>),
}

/// A message of a template has a role and a text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TemplateMessage {
    /// The role is `system`, `user` or `assistant`.
    #[serde(deserialize_with = "or_default")]
    pub role: String,
    /// The content is the text of the message.
    #[serde(deserialize_with = "or_default")]
    pub content: String,
}

/// The default is an empty list of messages.
impl Default for Template {
    fn default() -> Self {
        Self::Messages(Vec::new())
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self::Text(text)),
            messages => serde_json::from_value(messages)
                .map(Self::Messages)
                .map_err(|_| serde::de::Error::custom("expected a text or messages")),
        }
    }
}

impl Template {
    /// Returns the template with its places filled in: `{{name}}` by the value of that name. A text is filled in as it
    /// is, and anything else as JSON; places without a value stay.
    ///
    /// ```
    /// use honeyhive::client::Template;
    ///
    /// let template = Template::Text("Answer {{name}} in {{language}}.".to_owned());
    /// let filled = template.fill([("name", "Ada")]);
    /// assert_eq!(filled, Template::Text("Answer Ada in {{language}}.".to_owned()));
    /// ```
    #[must_use]
    pub fn fill<N, V>(&self, values: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: AsRef<str>,
        V: Into<Value>,
    {
        let values: Vec<(String, String)> = values
            .into_iter()
            .map(|(name, value)| (name.as_ref().to_owned(), as_text(value.into())))
            .collect();
        match self {
            Self::Text(text) => Self::Text(filled(text, &values)),
            Self::Messages(messages) => {
                let messages = messages.iter().map(|message| TemplateMessage {
                    role: message.role.clone(),
                    content: filled(&message.content, &values),
                });
                Self::Messages(messages.collect())
            }
        }
    }
}

fn as_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Fills each place once: places in a filled-in value are left.
fn filled(text: &str, values: &[(String, String)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let Some(end) = rest[start..].find("}}").map(|end| start + end) else {
            break;
        };
        let name = rest[start + 2..end].trim();
        match values.iter().find(|(known, _)| known == name) {
            Some((_, value)) => {
                filled.push_str(&rest[..start]);
                filled.push_str(value);
            }
            None => filled.push_str(&rest[..end + 2]),
        }
        rest = &rest[end + 2..];
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_filled_once_and_those_without_a_value_stay() {
        for (text, expected) in [
            ("{{a}} and {{ b }}", "{{b}} and 2"),
            ("{{c}}{{a}}", "{{c}}{{b}}"),
            ("{{a", "{{a"),
            ("}}{{a}}{{", "}}{{b}}{{"),
            ("{a} {{}} plain", "{a} {{}} plain"),
        ] {
            let template = Template::Text(text.to_owned());
            let values = [("a", json!("{{b}}")), ("b", json!(2))];
            assert_eq!(
                template.fill(values),
                Template::Text(expected.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_template_is_a_text_or_messages() {
        for (sent, expected) in [
            (json!("x"), Template::Text("x".to_owned())),
            (json!([]), Template::default()),
            (
                json!([{"role": "user", "content": "x", "name": "more"}]),
                Template::Messages(vec![TemplateMessage {
                    role: "user".to_owned(),
                    content: "x".to_owned(),
                }]),
            ),
        ] {
            assert_eq!(serde_json::from_value::<Template>(sent).unwrap(), expected);
        }
        assert!(serde_json::from_value::<Template>(json!(7)).is_err());
    }
}
