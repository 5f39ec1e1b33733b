//! [`batch`] processes many items in one session.

use honeyhive::{HoneyHiveTracer, NewSession, json};

/// Processes the items in a session of their own, and returns how many words they have.
pub async fn batch(tracer: &HoneyHiveTracer, batch_id: &str, items: &[&str]) -> usize {
    let session = NewSession::named("batch-job").inputs(json!({ "batch_id": batch_id }));
    tracer
        .with_session(session, async |session| {
            let words = items.iter().map(|item| count_words(item)).sum();
            session.outputs(json!({ "processed": items.len(), "words": words }));
            words
        })
        .await
}

/// Counts words without a tracer of its own: the function uses that of the session in which it is called.
#[honeyhive::trace(event_type = "tool")]
fn count_words(item: &str) -> usize {
    item.split_whitespace().count()
}
