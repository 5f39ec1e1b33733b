//! [`ResponseBody`] records how a response ends.

use std::error::Error;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use honeyhive::http::{Held, ResponseGuard};
use pin_project_lite::pin_project;

pin_project! {
    /// The response body of a [`HoneyHiveMiddleware`](crate::HoneyHiveMiddleware) passes the inner body on unchanged,
    /// polls it in the request's context, and records how it ends.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        guard: ResponseGuard,
        // The last answer of the inner body waits here while the end is held back.
        held: Held<Option<Result<Bytes, Box<dyn Error>>>>,
    }
}

impl<B> ResponseBody<B> {
    pub(crate) const fn new(inner: B, guard: ResponseGuard) -> Self {
        Self {
            inner,
            guard,
            held: Held::nothing(),
        }
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

/// Makes a body that is not recorded: for a middleware that answers without calling the service.
impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self {
            inner: B::default(),
            guard: ResponseGuard::default(),
            held: Held::nothing(),
        }
    }
}

impl<B: MessageBody> MessageBody for ResponseBody<B> {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.inner.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.project();
        if let Some(held) = this.held.poll(cx) {
            return held.map(|held| this.guard.released(held));
        }
        if this.guard.is_idle() {
            let polled = this.guard.run(|| this.inner.poll_next(cx));
            return polled.map_err(Into::into);
        }
        let is_eof = |body: &B| body.size().is_eof();
        let polled = this
            .guard
            .poll(this.inner, is_eof, |body| body.poll_next(cx));
        let chunk = ready!(polled);
        // The recording comes before the chunk is handed on: a caller that gets the last one may never poll again.
        let chunk = match chunk {
            None => {
                this.guard.finish();
                None
            }
            Some(Ok(bytes)) => {
                this.guard.on_bytes(&bytes);
                this.guard.on_data(bytes.len());
                Some(Ok(bytes))
            }
            Some(Err(error)) => {
                let error = error.into();
                this.guard.on_error(&*error);
                Some(Err(error))
            }
        };
        if this.guard.is_held() {
            let held = this.held.hold(chunk, mem::take(this.guard), cx);
            return held.map(|held| this.guard.released(held));
        }
        Poll::Ready(chunk)
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        // Bytes that go at once cannot be held back.
        if self.guard.holds_end() || self.held.get().is_some() {
            return Err(self);
        }
        let Self {
            inner, mut guard, ..
        } = self;
        match guard.run(|| inner.try_into_bytes()) {
            Ok(bytes) => {
                guard.on_bytes(&bytes);
                guard.on_data(bytes.len());
                guard.finish();
                Ok(bytes)
            }
            Err(inner) => Err(Self::new(inner, guard)),
        }
    }
}
