//! [`ModelSpan`] marks the call of a model that is under way here, so that nobody records the same call twice.
//!
//! The context of a span that starts as a model call says so. Code that sees the call's bytes further in (a client's
//! middleware, a call by hand) fills that span instead of starting another: what the program has said of it stays.

use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context, Key, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use crate::attributes::{
    ERROR, GEN_AI_COMPLETION, GEN_AI_INPUT_MESSAGES, GEN_AI_OUTPUT_MESSAGES, GEN_AI_PROMPT,
};
use crate::event_type::EventType;

/// An attribute with this prefix counts only where the program has not set the same. The prefix never leaves the
/// process.
pub(crate) const FILLED: &str = "honeyhive.filled/";

/// A model call has this state in the context of its span.
#[derive(Debug)]
enum ModelSpan {
    /// The work inside of the call is of another kind.
    Elsewhere,
    Open(Call),
    /// The client's middleware sends the request in this context, while it records the call.
    AtWork(Context),
}

/// A call may be filled.
#[derive(Debug)]
struct Call {
    /// The context has the span.
    cx: Context,
    by_program: AtomicBool,
    by_middleware: AtomicBool,
}

/// A call is recorded by one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The program records the call.
    Program,
    /// A client's middleware records the call, and sees the bytes.
    Middleware,
}

/// The data of a call go to one of these spans.
pub(crate) enum Target {
    /// The call fills a span that exists.
    Fill(Context),
    /// The call gets a span of its own.
    Own,
    /// The call is recorded by an outer layer, so there is no span.
    Nothing,
}

/// Returns `cx` with the mark of a model call, where its span has just started as one.
pub(crate) fn mark(cx: Context, event_type: EventType) -> Context {
    if event_type == EventType::Model {
        return open(&cx, false);
    }
    match cx.get() {
        Some(ModelSpan::Open(_) | ModelSpan::AtWork(_)) => cx.with_value(ModelSpan::Elsewhere),
        Some(ModelSpan::Elsewhere) | None => cx,
    }
}

/// Returns the context in which a call that is recorded by `by` sends its request.
pub(crate) fn scope_of(cx: &Context, by: By) -> Context {
    match by {
        By::Program => open(cx, true),
        By::Middleware => cx.with_value(ModelSpan::AtWork(cx.clone())),
    }
}

fn open(cx: &Context, by_program: bool) -> Context {
    cx.with_value(ModelSpan::Open(Call {
        cx: cx.clone(),
        by_program: AtomicBool::new(by_program),
        by_middleware: AtomicBool::new(false),
    }))
}

/// Finds the span for a call, and reserves it: the next call gets another.
pub(crate) fn take(cx: &Context, by: By) -> Target {
    match cx.get() {
        Some(ModelSpan::AtWork(span)) if span.span().is_recording() => Target::Nothing,
        Some(ModelSpan::Open(call))
            if call.cx.span().is_recording() && !call.taken(by).swap(true, Ordering::Relaxed) =>
        {
            Target::Fill(call.cx.clone())
        }
        _ => Target::Own,
    }
}

/// Returns the context in which a client's middleware sends the call that it fills.
pub(crate) fn at_work(cx: &Context) -> Context {
    match cx.get() {
        Some(ModelSpan::Open(call)) => cx.with_value(ModelSpan::AtWork(call.cx.clone())),
        _ => cx.clone(),
    }
}

impl Call {
    const fn taken(&self, by: By) -> &AtomicBool {
        match by {
            By::Program => &self.by_program,
            By::Middleware => &self.by_middleware,
        }
    }
}

/// Returns the attribute in the form that counts only where the program has not set the same.
pub(crate) fn filled(attribute: KeyValue) -> KeyValue {
    let key = format!("{FILLED}{}", attribute.key.as_str());
    KeyValue::new(key, attribute.value)
}

/// Merges the filled-in attributes of a span, as far as the program has not set the same.
pub(crate) fn settle(span: &mut SpanData) {
    let is_filled = |it: &KeyValue| it.key.as_str().starts_with(FILLED);
    let (filled, said): (Vec<_>, Vec<_>) = std::mem::take(&mut span.attributes)
        .into_iter()
        .partition(is_filled);
    let names: Vec<&str> = said.iter().map(|it| name_of(it.key.as_str())).collect();
    let added: Vec<_> = filled
        .into_iter()
        .filter_map(|it| {
            let key = it.key.as_str().strip_prefix(FILLED)?;
            (!is_said(key, &names)).then(|| KeyValue::new(key.to_owned(), it.value))
        })
        .collect();
    span.attributes = said;
    span.attributes.extend(added);
    tell_error(span);
}

/// Returns the name within a bucket; for any other attribute the whole key.
fn name_of(key: &str) -> &str {
    if !key.starts_with("honeyhive_") {
        return key;
    }
    let mut dots = key.match_indices('.').map(|(at, _)| at);
    dots.nth(1).map_or(key, |end| &key[..end])
}

fn is_said(key: &str, said: &[&str]) -> bool {
    let name = name_of(key);
    said.contains(&name)
        || SAME.iter().any(|(keys, others)| {
            keys.iter().any(|it| name.starts_with(it)) && others.iter().any(|it| said.contains(it))
        })
}

/// The names that are filled in stand beside the program's own names for the same things.
const SAME: [(&[&str], &[&str]); 8] = [
    (
        &[
            "honeyhive_metadata.input_tokens",
            "gen_ai.usage.input_tokens",
        ],
        &[
            "honeyhive_metadata.input_tokens",
            "honeyhive_metadata.prompt_tokens",
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.prompt_tokens",
            "llm.token_count.prompt",
        ],
    ),
    (
        &[
            "honeyhive_metadata.output_tokens",
            "gen_ai.usage.output_tokens",
        ],
        &[
            "honeyhive_metadata.output_tokens",
            "honeyhive_metadata.completion_tokens",
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
            "llm.token_count.completion",
        ],
    ),
    (
        &["honeyhive_metadata.cost"],
        &[
            "gen_ai.usage.cost",
            "gen_ai.usage.total_cost",
            "llm.cost.total",
        ],
    ),
    (
        &["honeyhive_outputs."],
        &[GEN_AI_OUTPUT_MESSAGES, GEN_AI_COMPLETION],
    ),
    (
        &["honeyhive_inputs."],
        &[
            GEN_AI_INPUT_MESSAGES,
            GEN_AI_PROMPT,
            "honeyhive_inputs.messages",
        ],
    ),
    (&["honeyhive_config.model"], &["gen_ai.request.model"]),
    (
        &["honeyhive_config.provider"],
        &["gen_ai.provider.name", "gen_ai.system"],
    ),
    (&["gen_ai.request.model"], &["honeyhive_config.model"]),
];

/// Sets the error that was filled in as the span's, where the span has none.
fn tell_error(span: &mut SpanData) {
    use opentelemetry::trace::Status;
    let error = span
        .attributes
        .iter()
        .find(|it| it.key == Key::from_static_str(ERROR));
    if let (Status::Unset, Some(Value::String(text))) = (&span.status, error.map(|it| &it.value)) {
        span.status = Status::error(text.as_str().to_owned());
    }
}
