//! [`SessionUsage`] counts what a session uses, and reads what a span says of that.

use opentelemetry::KeyValue;

use crate::event_type::EventType;
use crate::gen_ai::number;

/// The usage of a session is counted in this process; see [`SessionBudget`](crate::SessionBudget).
///
/// | Field | Where a span of the type model states it |
/// |---|---|
/// | `input_tokens` | `metadata.input_tokens`, `metadata.prompt_tokens`, `gen_ai.usage.input_tokens`, `llm.token_count.prompt` and their older names |
/// | `output_tokens` | in the same places: `output_tokens`, `completion_tokens`, … |
/// | `tokens` | the sum of both; where neither is stated, `total_tokens` |
/// | `cost` | `metadata.cost`, `gen_ai.usage.cost`, `llm.cost.total`, `gen_ai.usage.total_cost` |
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct SessionUsage {
    /// The input tokens go into models.
    pub input_tokens: u64,
    /// The output tokens come out of models.
    pub output_tokens: u64,
    /// The tokens are the sum of input and output, or the total of a span that states neither.
    pub tokens: u64,
    /// Spans of the type model count as calls of models.
    pub model_calls: u64,
    /// The cost of the calls is known as far as spans state it.
    pub cost: f64,
    /// The turns count how often the session began or was continued.
    pub turns: u64,
}

impl SessionUsage {
    /// A turn uses one turn and nothing else.
    pub(crate) const TURN: Self = Self {
        input_tokens: 0,
        output_tokens: 0,
        tokens: 0,
        model_calls: 0,
        cost: 0.0,
        turns: 1,
    };

    pub(super) fn add(&mut self, used: &Self) {
        let sum = |counter: &mut u64, more: u64| *counter = counter.saturating_add(more);
        sum(&mut self.input_tokens, used.input_tokens);
        sum(&mut self.output_tokens, used.output_tokens);
        sum(&mut self.tokens, used.tokens);
        sum(&mut self.model_calls, used.model_calls);
        sum(&mut self.turns, used.turns);
        self.cost += used.cost;
    }
}

const INPUT: &[&str] = &[
    "honeyhive_metadata.input_tokens",
    "honeyhive_metadata.prompt_tokens",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.token_count.prompt",
    "llm.usage.prompt_tokens",
];
const OUTPUT: &[&str] = &[
    "honeyhive_metadata.output_tokens",
    "honeyhive_metadata.completion_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.token_count.completion",
    "llm.usage.completion_tokens",
];
const TOTAL: &[&str] = &[
    "honeyhive_metadata.total_tokens",
    "gen_ai.usage.total_tokens",
    "llm.token_count.total",
    "llm.usage.total_tokens",
];
const COST: &[&str] = &[
    "honeyhive_metadata.cost",
    "gen_ai.usage.cost",
    "llm.cost.total",
    "gen_ai.usage.total_cost",
];

/// Returns the usage of a finished span; `None` for one that is no call of a model. Sums that an agent's span repeats
/// count once, with the calls that they are sums of.
pub(crate) fn of_span(attributes: &[KeyValue]) -> Option<SessionUsage> {
    if EventType::said(attributes) != Some(EventType::Model) {
        return None;
    }
    let said = |names| first(attributes, names);
    let (input, output) = (said(INPUT).map(count), said(OUTPUT).map(count));
    let tokens = match (input, output) {
        (None, None) => said(TOTAL).map_or(0, count),
        _ => input.unwrap_or(0).saturating_add(output.unwrap_or(0)),
    };
    Some(SessionUsage {
        input_tokens: input.unwrap_or(0),
        output_tokens: output.unwrap_or(0),
        tokens,
        model_calls: 1,
        cost: said(COST).unwrap_or(0.0),
        turns: 0,
    })
}

/// Returns the first of the names that a span has a number under; the last value counts where a key is repeated.
fn first(attributes: &[KeyValue], names: &[&str]) -> Option<f64> {
    names.iter().find_map(|name| {
        let said = attributes.iter().rfind(|it| it.key.as_str() == *name)?;
        number(&said.value).filter(|it| it.is_finite() && *it >= 0.0)
    })
}

const fn count(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use opentelemetry::Value;

    use super::*;

    fn span(pairs: &[(&'static str, Value)]) -> Option<SessionUsage> {
        let attributes: Vec<_> = pairs
            .iter()
            .map(|(key, value)| KeyValue::new(*key, value.clone()))
            .collect();
        of_span(&attributes)
    }

    #[test]
    fn what_a_span_has_used_is_read_under_many_names() {
        let chat = ("gen_ai.operation.name", Value::from("chat"));
        for (what, said, expected) in [
            (
                "ours",
                vec![
                    ("honeyhive_metadata.input_tokens", 3.into()),
                    ("gen_ai.usage.input_tokens", 9.into()),
                    ("honeyhive_metadata.completion_tokens", 4.into()),
                    ("honeyhive_metadata.cost", 0.5.into()),
                ],
                (3, 4, 7, 0.5),
            ),
            (
                "the conventions, as text",
                vec![
                    ("gen_ai.usage.input_tokens", "3".into()),
                    ("gen_ai.usage.output_tokens", "4".into()),
                    ("gen_ai.usage.cost", "0.25".into()),
                ],
                (3, 4, 7, 0.25),
            ),
            (
                "a sum only",
                vec![("llm.token_count.total", 7.into())],
                (0, 0, 7, 0.0),
            ),
            (
                "nonsense",
                vec![
                    ("gen_ai.usage.input_tokens", (-3).into()),
                    ("honeyhive_metadata.cost", f64::NAN.into()),
                ],
                (0, 0, 0, 0.0),
            ),
        ] {
            let said: Vec<_> = said.into_iter().chain([chat.clone()]).collect();
            let usage = span(&said).expect(what);
            assert_eq!(usage.model_calls, 1, "{what}");
            let seen = (
                usage.input_tokens,
                usage.output_tokens,
                usage.tokens,
                usage.cost,
            );
            assert_eq!(seen, expected, "{what}");
        }
    }

    #[test]
    fn an_agents_sum_is_no_call() {
        let agent = ("gen_ai.operation.name", Value::from("invoke_agent"));
        assert_eq!(
            span(&[agent, ("gen_ai.usage.input_tokens", 3.into())]),
            None
        );
        assert_eq!(span(&[("gen_ai.usage.input_tokens", 3.into())]), None);
    }
}
