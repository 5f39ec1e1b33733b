//! A script has one session, and everything it does is in there.

use honeyhive::{Enrichment, HoneyHiveTracer, json};

/// Processes both texts. Nothing here begins a session: the first span begins the tracer's own.
pub fn run(tracer: &HoneyHiveTracer) -> [String; 2] {
    let results = [process_data(tracer, "Hello"), process_data(tracer, "World")];
    tracer.enrich_session(Enrichment::new().outputs(json!({ "results": results })));
    results
}

/// Processes a text; every call is a span, with `input_text` as its input and the result as its output.
#[honeyhive::trace(event_type = "tool", tracer = tracer)]
pub fn process_data(tracer: &HoneyHiveTracer, input_text: &str) -> String {
    let result = transform(input_text);
    tracer.enrich_span(Enrichment::new().metadata(json!({ "input_length": input_text.len() })));
    result
}

fn transform(text: &str) -> String {
    text.chars().rev().collect()
}
