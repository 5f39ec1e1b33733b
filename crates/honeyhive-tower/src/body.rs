//! [`ResponseBody`].

use std::fmt::Display;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use honeyhive::http::ResponseGuard;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::headers::View;

pin_project! {
    /// The response body of a [`HoneyHiveService`](crate::HoneyHiveService): the inner body unchanged,
    /// polled in the request's context, with an eye on how it ends.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        guard: ResponseGuard,
    }
}

impl<B: Body> ResponseBody<B> {
    pub(crate) fn new(inner: B, mut guard: ResponseGuard) -> Self {
        if inner.is_end_stream() {
            guard.finish();
        }
        Self { inner, guard }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Error: Display,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        if this.inner.is_end_stream() {
            // Nothing of the program's is left to run.
            this.guard.finish();
            return Poll::Ready(None);
        }
        let frame = ready!(this.guard.run(|| this.inner.as_mut().poll_frame(cx)));
        // Before the frame is handed on: whoever gets the last one may never poll again.
        match &frame {
            None => this.guard.finish(),
            Some(Err(error)) => this.guard.on_error(error),
            Some(Ok(frame)) => {
                note(this.guard, frame);
                if this.inner.is_end_stream() {
                    this.guard.finish();
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

fn note<D: bytes::Buf>(guard: &mut ResponseGuard, frame: &Frame<D>) {
    if let Some(data) = frame.data_ref() {
        guard.on_data(data.remaining());
    } else if let Some(trailers) = frame.trailers_ref() {
        guard.on_trailers(&View(trailers));
    }
}
