//! [`Turn`] records one message and its answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use honeyhive::{Session, Span, json};

use crate::conversations::Conversations;
use crate::error::UpstreamError;
use crate::message::{ChatReply, Message};
use crate::responder::About;

/// A `Turn` is under way: the chain span, the model span in it, and the answer so far.
///
/// It ends by [`complete`](Self::complete) or [`fail`](Self::fail). Dropped before that, because the
/// client went away, it records what there is and says that it was cancelled.
#[derive(Debug)]
pub(crate) struct Turn {
    // Fields are dropped in order: the model span ends before the chain span around it.
    model: Span,
    chain: Span,
    session: Session,
    conversations: Arc<Conversations>,
    /// The earlier messages, and the one to answer.
    messages: Vec<Message>,
    answer: String,
    began: Instant,
    first_token_after: Option<Duration>,
    ended: bool,
}

impl Turn {
    /// Begins a turn of `session`, which is current here, so the spans go there.
    pub(crate) fn begin(
        conversations: &Arc<Conversations>,
        session: &Session,
        message: String,
        about: About<'_>,
    ) -> Self {
        let mut messages = conversations.history(session.id());
        let asked = json!({ "message": message });
        messages.push(Message::user(message));
        session.inputs(&asked);
        let chain = session
            .span("chat turn")
            .event_type("chain")
            .inputs(asked)
            .start();
        Self {
            model: chain.in_scope(|| model_span(session, &messages, about)),
            chain,
            session: session.clone(),
            conversations: Arc::clone(conversations),
            messages,
            answer: String::new(),
            began: Instant::now(),
            first_token_after: None,
            ended: false,
        }
    }

    /// Returns the messages for the model.
    pub(crate) fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Returns the span that the model's work belongs in.
    pub(crate) const fn model(&self) -> &Span {
        &self.model
    }

    /// Adds a piece of a streamed answer.
    pub(crate) fn push(&mut self, delta: &str) {
        self.first_token_after
            .get_or_insert_with(|| self.began.elapsed());
        self.answer.push_str(delta);
    }

    /// Completes the turn with the answer, or the rest of it.
    pub(crate) fn complete(mut self, rest: &str) -> ChatReply {
        self.answer.push_str(rest);
        self.end();
        ChatReply {
            reply: std::mem::take(&mut self.answer),
            session_id: self.session.id(),
            event_id: self.chain.event_id(),
        }
    }

    /// Ends the turn without an answer, or without the rest of it.
    pub(crate) fn fail(mut self, error: UpstreamError) -> UpstreamError {
        self.model.fail(&error);
        self.chain.fail(&error);
        self.end();
        error
    }

    fn end(&mut self) {
        self.ended = true;
        let time_to_first_token_ms = self.first_token_after.map(|time| time.as_millis());
        self.model
            .metadata(json!({ "time_to_first_token_ms": time_to_first_token_ms }));
        if !self.answer.is_empty() {
            self.record_answer();
        }
    }

    /// Records the answer, even of a turn that was cut short: the text that the user has read is part of the
    /// conversation.
    fn record_answer(&mut self) {
        let said = Message::assistant(&self.answer);
        let reply = json!({ "reply": self.answer });
        self.model.outputs(&said);
        self.chain.outputs(&reply);
        let Some(asked) = self.messages.pop() else {
            return;
        };
        // The session's top shows the first inputs, so the last question goes beside the last answer.
        self.session
            .outputs(json!({ "message": asked.content, "reply": self.answer }));
        self.conversations
            .remember(self.session.id(), [asked, said]);
    }
}

fn model_span(session: &Session, messages: &[Message], about: About<'_>) -> Span {
    session
        .span("chat completion")
        .event_type("model")
        .inputs(json!({ "chat_history": messages }))
        .config(about)
        .start()
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.ended {
            for span in [&self.model, &self.chain] {
                span.metadata(json!({ "cancelled": true }));
            }
            self.end();
        }
    }
}
