//! [`work`] takes messages from a queue, a session each, several at once.

use honeyhive::{HoneyHiveTracer, NewSession, json};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

/// A `Message` is put into the queue by a producer.
#[derive(Debug, Clone)]
pub struct Message {
    /// The message's id.
    pub id: String,
    /// The question to answer.
    pub question: String,
}

/// The error says that a message cannot be answered.
#[derive(Debug, thiserror::Error)]
#[error("there is nothing to answer")]
struct NoQuestion;

/// A `Tally` has the numbers of answered and failed messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// The number of messages that were answered.
    pub answered: usize,
    /// The number of messages that failed.
    pub failed: usize,
}

/// Handles messages until the queue is closed and empty, `at_once` of them at a time.
///
/// A message that fails is recorded as that in its own session; the others go on.
pub async fn work(
    tracer: &HoneyHiveTracer,
    mut queue: mpsc::Receiver<Message>,
    at_once: usize,
) -> Tally {
    let mut tally = Tally::default();
    let mut under_way = JoinSet::new();
    while let Some(message) = queue.recv().await {
        if under_way.len() >= at_once
            && let Some(ended) = under_way.join_next().await
        {
            tally.add(&ended);
        }
        under_way.spawn(handle(tracer.clone(), message));
    }
    while let Some(ended) = under_way.join_next().await {
        tally.add(&ended);
    }
    tally
}

/// Handles one message: its session begins and ends here.
async fn handle(tracer: HoneyHiveTracer, message: Message) -> Result<(), NoQuestion> {
    let session = NewSession::named("message")
        .inputs(json!({ "question": message.question }))
        .metadata(json!({ "message_id": message.id }));
    tracer
        .try_with_session(session, async |session| {
            let answer = answer(&message.question).await?;
            session.outputs(json!({ "answer": answer }));
            Ok(())
        })
        .await
}

#[honeyhive::trace(event_type = "chain")]
async fn answer(question: &str) -> Result<String, NoQuestion> {
    if question.is_empty() {
        return Err(NoQuestion);
    }
    let model = honeyhive::span("ask model")
        .event_type("model")
        .inputs(json!({"chat_history": [{"role": "user", "content": question}]}))
        .start();
    let answer = model.scope(ask_model(question)).await;
    model.outputs(json!({"role": "assistant", "content": answer}));
    Ok(answer)
}

/// Stands in for a model that takes its time.
async fn ask_model(question: &str) -> String {
    tokio::task::yield_now().await;
    format!("{question} That depends.")
}

impl Tally {
    fn add(&mut self, ended: &Result<Result<(), NoQuestion>, JoinError>) {
        match ended {
            Ok(Ok(())) => self.answered += 1,
            _ => self.failed += 1,
        }
    }
}
