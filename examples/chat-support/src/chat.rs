//! [`Chat`] answers messages.

use std::sync::Arc;

use honeyhive::feedback::FeedbackEndpoint;
use honeyhive::{HoneyHiveTracer, Session};

use crate::conversations::Conversations;
use crate::error::ChatError;
use crate::message::ChatReply;
use crate::reply_stream::ReplyStream;
use crate::request::ChatRequest;
use crate::responder::Responder;
use crate::turn::Turn;

/// A `Chat` stands behind an example's handlers, and is a cheap clone.
#[derive(Debug, Clone)]
pub struct Chat {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    responder: Responder,
    conversations: Arc<Conversations>,
    feedback: FeedbackEndpoint,
}

impl Chat {
    /// Returns a chat without any conversation yet, whose calls of a model `tracer` sees.
    #[must_use]
    pub fn new(tracer: &HoneyHiveTracer, responder: Responder) -> Self {
        Self {
            inner: Arc::new(Inner {
                responder: responder.traced_by(tracer),
                conversations: Arc::default(),
                feedback: FeedbackEndpoint::new(tracer.clone()),
            }),
        }
    }

    /// Returns the endpoint that takes ratings of the answers: one for all workers.
    #[must_use]
    pub fn feedback(&self) -> FeedbackEndpoint {
        self.inner.feedback.clone()
    }

    /// Answers in one piece.
    ///
    /// # Errors
    ///
    /// Where the model endpoint fails.
    pub async fn reply(
        &self,
        session: &Session,
        request: ChatRequest,
    ) -> Result<ChatReply, ChatError> {
        let turn = self.begin(session, request);
        let answer = self.inner.responder.answer(turn.messages());
        match turn.model().scope(answer).await {
            Ok(answer) => Ok(turn.complete(&answer)),
            Err(error) => Err(turn.fail(error).into()),
        }
    }

    /// Answers token by token. The turn ends when the stream does, or when it is dropped.
    ///
    /// # Errors
    ///
    /// Where the model endpoint fails before its first token; a later failure is the stream's last event.
    pub async fn stream(
        &self,
        session: &Session,
        request: ChatRequest,
    ) -> Result<ReplyStream, ChatError> {
        let turn = self.begin(session, request);
        let answer = self.inner.responder.stream(turn.messages());
        match turn.model().scope(answer).await {
            Ok(deltas) => Ok(ReplyStream::new(turn, deltas)),
            Err(error) => Err(turn.fail(error).into()),
        }
    }

    fn begin(&self, session: &Session, request: ChatRequest) -> Turn {
        if let Some(conversation) = request.conversation_id {
            session.link_to(conversation);
        }
        let inner = &*self.inner;
        Turn::begin(
            &inner.conversations,
            session,
            request.message,
            inner.responder.about(),
        )
    }
}
