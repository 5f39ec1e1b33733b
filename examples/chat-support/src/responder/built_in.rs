//! The built-in responder answers without a model: always the same to the same conversation.

use std::time::Duration;

use futures_util::stream::{self, Stream, StreamExt};

use crate::error::UpstreamError;
use crate::message::{Message, Role};

/// An answer takes about three seconds with this rest between two words.
pub const HUMAN_PACE: Duration = Duration::from_millis(80);

/// An answer quotes at most this many characters of a message.
const LONGEST_QUOTE: usize = 80;

#[derive(Debug)]
pub(crate) struct BuiltIn {
    pace: Duration,
}

impl BuiltIn {
    pub(crate) const fn new(pace: Duration) -> Self {
        Self { pace }
    }

    /// Returns the first word at once, and the others one by one.
    pub(crate) fn stream(
        &self,
        messages: &[Message],
    ) -> impl Stream<Item = Result<String, UpstreamError>> + Send + use<> {
        let answer = answer(messages);
        let words = answer.split_inclusive(' ').map(str::to_owned);
        let words: Vec<String> = words.collect();
        let rests = std::iter::once(Duration::ZERO).chain(std::iter::repeat(self.pace));
        stream::iter(words.into_iter().zip(rests)).then(say)
    }
}

async fn say((word, rest): (String, Duration)) -> Result<String, UpstreamError> {
    tokio::time::sleep(rest).await;
    Ok(word)
}

/// Returns the answer to the last message: it shows that the ones before are known.
fn answer(messages: &[Message]) -> String {
    let said: Vec<&str> = messages
        .iter()
        .filter(|message| message.role == Role::User)
        .map(|message| message.content.as_str())
        .collect();
    match *said {
        [] => "You have not said anything yet.".to_owned(),
        [only] => first_answer(only),
        [first, .., last] if asks_for_the_first(last) => {
            format!("The first thing you said was: {}", quoted(first))
        }
        [.., before, last] => later_answer(said.len(), before, last),
    }
}

fn asks_for_the_first(message: &str) -> bool {
    message.to_lowercase().contains("first")
}

fn first_answer(message: &str) -> String {
    format!(
        "You said {}. I am only the built-in responder, so I have no opinion on that, but I will \
         remember it: say something else in the same session, or ask me what you said first.",
        quoted(message)
    )
}

fn later_answer(turn: usize, before: &str, message: &str) -> String {
    format!(
        "This is turn {turn} of our conversation. You said {}, and before that you said {}. \
         Set OPENAI_API_KEY if you would rather hear from a real model.",
        quoted(message),
        quoted(before)
    )
}

fn quoted(message: &str) -> String {
    match message.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("\"{}…\"", &message[..end]),
        None => format!("\"{message}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_answer_knows_the_turns_before() {
        let mut messages = vec![Message::user("I like tea")];
        assert!(answer(&messages).starts_with("You said \"I like tea\"."));
        messages.push(Message::assistant("Good."));
        messages.push(Message::user("And cake"));
        assert!(answer(&messages).starts_with("This is turn 2"));
        assert!(answer(&messages).contains("before that you said \"I like tea\""));
        messages.push(Message::user("What did I say first?"));
        assert_eq!(
            answer(&messages),
            "The first thing you said was: \"I like tea\""
        );
    }

    #[test]
    fn a_long_message_is_quoted_in_part() {
        assert_eq!(quoted(&"ß".repeat(81)), format!("\"{}…\"", "ß".repeat(80)));
    }
}
