//! A piece of an answer, or the whole of it.

use serde::Serialize;

/// Some text, and what the endpoint says about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Delta {
    pub(crate) text: String,
    pub(crate) facts: Facts,
}

/// What endpoints say about an answer, under HoneyHive's names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Facts {
    pub(crate) finish_reason: Option<String>,
    pub(crate) input_tokens: Option<u64>,
    pub(crate) output_tokens: Option<u64>,
}

impl Delta {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            facts: Facts::default(),
        }
    }

    /// Appends the text; of the facts, the latest stands.
    pub(crate) fn merge(&mut self, newer: Self) {
        self.text.push_str(&newer.text);
        let Facts {
            finish_reason,
            input_tokens,
            output_tokens,
        } = newer.facts;
        let facts = &mut self.facts;
        facts.finish_reason = finish_reason.or(facts.finish_reason.take());
        facts.input_tokens = input_tokens.or(facts.input_tokens);
        facts.output_tokens = output_tokens.or(facts.output_tokens);
    }
}
