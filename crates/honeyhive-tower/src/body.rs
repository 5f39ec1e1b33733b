//! [`ResponseBody`] records how a response ends.

use std::error::Error;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use honeyhive::http::{Held, ResponseGuard};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::headers::View;

/// A body's error reaches the server whole, so that its causes can be recorded.
type BoxError = Box<dyn Error + Send + Sync>;

pin_project! {
    /// The response body of a [`HoneyHiveService`](crate::HoneyHiveService) passes the inner body on unchanged, polls
    /// it in the request's context, and records how it ends. Its error is that of the inner body in a box, as servers
    /// take it.
    #[derive(Debug)]
    pub struct ResponseBody<B>
    where
        B: Body,
    {
        #[pin]
        inner: B,
        guard: ResponseGuard,
        // The last answer of the inner body waits here while the end is held back.
        held: Held<Option<Result<Frame<B::Data>, BoxError>>>,
    }
}

impl<B: Body> ResponseBody<B> {
    pub(crate) const fn new(inner: B, guard: ResponseGuard) -> Self {
        Self {
            inner,
            guard,
            held: Held::nothing(),
        }
    }

    fn held_bytes(&self) -> u64 {
        let held = self.held.get().and_then(Option::as_ref);
        let data = held.and_then(|it| it.as_ref().ok()?.data_ref());
        data.map_or(0, |data| data.remaining() as u64)
    }

    /// Returns the body inside.
    #[must_use]
    pub const fn get_ref(&self) -> &B {
        &self.inner
    }

    /// Returns the body inside, to be changed.
    pub const fn get_mut(&mut self) -> &mut B {
        &mut self.inner
    }

    /// Returns the body inside, without the recording: the session ends as if the client had left.
    #[must_use]
    pub fn into_inner(self) -> B {
        self.inner
    }
}

/// Makes a body that is not recorded: for a layer that answers without calling the service.
impl<B: Body + Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self {
            inner: B::default(),
            guard: ResponseGuard::default(),
            held: Held::nothing(),
        }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = BoxError;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        if let Some(held) = this.held.poll(cx) {
            return held.map(|held| this.guard.released(held));
        }
        if this.guard.is_idle() {
            let polled = this.guard.run(|| this.inner.poll_frame(cx));
            return polled.map_err(Into::into);
        }
        let body = this.inner.as_mut();
        let polled = this
            .guard
            .poll(body, B::is_end_stream, |body| body.poll_frame(cx));
        let frame = ready!(polled).map(|frame| frame.map_err(Into::into));
        // The recording comes before the frame is handed on: a caller that gets the last one may never poll again.
        match &frame {
            None => this.guard.finish(),
            Some(Err(error)) => this.guard.on_error(&**error),
            Some(Ok(frame)) => {
                note(this.guard, frame);
                if this.inner.is_end_stream() {
                    this.guard.finish();
                }
            }
        }
        if this.guard.is_held() {
            let held = this.held.hold(frame, mem::take(this.guard), cx);
            return held.map(|held| this.guard.released(held));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.held.get().is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.inner.size_hint();
        match self.held_bytes() {
            0 => rest,
            held => with(rest, held),
        }
    }
}

/// Adds the bytes that are held back to a size hint.
fn with(rest: SizeHint, held: u64) -> SizeHint {
    let mut hint = SizeHint::new();
    hint.set_lower(rest.lower() + held);
    if let Some(upper) = rest.upper() {
        hint.set_upper(upper + held);
    }
    hint
}

fn note<D: Buf>(guard: &mut ResponseGuard, frame: &Frame<D>) {
    if let Some(data) = frame.data_ref() {
        let length = data.remaining();
        guard.on_buffer(data.chunk(), length, |pieces| data.chunks_vectored(pieces));
        guard.on_data(length);
    } else if let Some(trailers) = frame.trailers_ref() {
        guard.on_trailers(&View(trailers));
    }
}
