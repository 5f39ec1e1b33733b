//! [`RecordedBody`] records the body of a response, for clients with the types of `http`.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderValue, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::call::ModelCall;
use super::error_text::ErrorText;
use super::recorder::Recorder;
use crate::stream::each_piece;

pin_project! {
    /// The body passes unchanged and is recorded.
    #[derive(Debug)]
    pub struct RecordedBody<B>
    where
        B: Body,
    {
        #[pin]
        inner: B,
        recorder: Recorder,
        text_of: fn(&B::Error) -> String,
    }
}

impl ModelCall {
    /// Returns the response with a body that is recorded as it is read: for clients with the types of `http`.
    ///
    /// The event ends with the body, or when the body is dropped.
    pub fn record_response<B, Kind>(&self, response: Response<B>) -> Response<RecordedBody<B>>
    where
        B: Body,
        B::Error: ErrorText<Kind>,
        Kind: ?Sized,
    {
        let header = |name| {
            response
                .headers()
                .get(name)
                .and_then(|it: &HeaderValue| it.to_str().ok())
        };
        let recorder = self.recorder(
            Some(response.status().as_u16()),
            header(CONTENT_TYPE),
            header(CONTENT_ENCODING),
        );
        response.map(|body| RecordedBody::new(body, recorder))
    }
}

impl<B: Body> RecordedBody<B> {
    /// Returns a body whose bytes go to `recorder`, too.
    pub fn new<Kind: ?Sized>(inner: B, mut recorder: Recorder) -> Self
    where
        B::Error: ErrorText<Kind>,
    {
        if inner.is_end_stream() {
            recorder.end();
        }
        Self {
            inner,
            recorder,
            text_of: B::Error::text_with_causes,
        }
    }
}

/// Shows the recorder a buffer, which is of one piece from most clients.
fn see(recorder: &mut Recorder, data: &impl Buf) {
    let unread = each_piece(
        data.chunk(),
        data.remaining(),
        |pieces| data.chunks_vectored(pieces),
        |piece| recorder.bytes(piece),
    );
    if unread > 0 {
        recorder.skip(unread as u64);
    }
}

impl<B: Body> Body for RecordedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(task));
        match &frame {
            None => this.recorder.end(),
            Some(Err(error)) => this.recorder.fail_with(|| (this.text_of)(error)),
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    see(this.recorder, data);
                }
                // A caller that has the last frame may never poll again.
                if this.inner.is_end_stream() {
                    this.recorder.end();
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
