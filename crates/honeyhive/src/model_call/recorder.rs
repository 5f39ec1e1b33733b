//! [`Recorder`] and [`RecordedStream`] read the bytes of a response, which pass unchanged.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::{Stream, TryStream};
use pin_project_lite::pin_project;

use super::error_text::ErrorText;
use super::shared::{Inner, UNTOLD};
use crate::model::causes::with_causes;
use crate::model::text::bounded;
use crate::stream::{Assembler, Cause};

/// The recorder takes the bytes of a response as they pass; the event ends with them, or when the recorder is dropped.
pub struct Recorder {
    call: Arc<Inner>,
    /// The assembler is `None` where nothing is recorded, and after a panic.
    assembler: Option<Assembler>,
    has_ended: bool,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Recorder {
    pub(super) const fn new(call: Arc<Inner>, assembler: Option<Assembler>) -> Self {
        Self {
            call,
            assembler,
            has_ended: false,
        }
    }

    /// Takes bytes of the response that have come.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let Some(assembler) = self.assembler.as_mut().filter(|it| it.hears(bytes)) else {
            return;
        };
        let at = self.call.elapsed();
        let taken = self.call.guarded(|| assembler.take(bytes, at));
        if taken.is_none() {
            self.assembler = None;
        }
    }

    /// Notes that bytes of the response have passed that nobody could read: the event that they belong to is left out.
    pub fn skip(&mut self, bytes: u64) {
        if let Some(assembler) = &mut self.assembler {
            assembler.skip(bytes);
        }
    }

    /// Notes that the response has ended.
    pub fn end(&mut self) {
        self.finish(Cause::End, None);
    }

    /// Notes that reading the response has failed, with this error and its causes.
    pub fn fail(&mut self, error: &dyn Error) {
        self.fail_with(|| with_causes(error));
    }

    /// Notes that reading the response has failed, with this text.
    pub fn error(&mut self, text: impl Into<String>) {
        self.fail_with(|| bounded(format_args!("{}", text.into())));
    }

    pub(super) fn fail_with(&mut self, text: impl FnOnce() -> String) {
        let text = match self.call.hides_content() {
            true => UNTOLD.to_owned(),
            false => text(),
        };
        self.finish(Cause::Failed, Some(text));
    }

    fn finish(&mut self, cause: Cause, broken: Option<String>) {
        if !std::mem::replace(&mut self.has_ended, true) {
            self.call.finish(self.assembler.as_mut(), cause, broken);
            self.assembler = None;
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.finish(Cause::Dropped, None);
    }
}

pin_project! {
    /// The stream passes bytes on unchanged and records them; it comes from
    /// [`ModelCall::record_bytes`](super::ModelCall::record_bytes).
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct RecordedStream<S>
    where
        S: TryStream,
    {
        #[pin]
        inner: S,
        recorder: Recorder,
        text_of: fn(&S::Error) -> String,
    }
}

impl<S: TryStream> RecordedStream<S> {
    pub(super) fn new<Kind: ?Sized>(inner: S, recorder: Recorder) -> Self
    where
        S::Error: ErrorText<Kind>,
    {
        Self {
            inner,
            recorder,
            text_of: S::Error::text_with_causes,
        }
    }
}

impl<S, B, E> Stream for RecordedStream<S>
where
    S: Stream<Item = Result<B, E>>,
    B: AsRef<[u8]>,
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let polled = this.inner.poll_next(task);
        match &polled {
            Poll::Ready(Some(Ok(bytes))) => this.recorder.bytes(bytes.as_ref()),
            Poll::Ready(Some(Err(error))) => {
                this.recorder.fail_with(|| (this.text_of)(error));
            }
            Poll::Ready(None) => this.recorder.end(),
            Poll::Pending => {}
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}
