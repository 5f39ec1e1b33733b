//! [`batch`]: many items, one session.

use honeyhive::{HoneyHiveTracer, NewSession, json};

/// Processes the items in a session of their own. Answers how many words they have.
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

/// It needs no tracer: it takes that of the session it is called in.
#[honeyhive::trace(event_type = "tool")]
fn count_words(item: &str) -> usize {
    item.split_whitespace().count()
}
