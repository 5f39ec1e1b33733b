//! [`Recorder`] and [`RecordedStream`]: the bytes of a response, which pass unchanged.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::shared::Inner;
use crate::model::text::bounded;
use crate::stream::{Assembler, Cause};

/// Takes the bytes of a response as they pass; the event ends with them, or when this is dropped.
pub struct Recorder {
    call: Arc<Inner>,
    /// `None` where nothing is recorded, and after a panic.
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

    /// Bytes of the response have come.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let Some(mut assembler) = self.assembler.take() else {
            return;
        };
        let at = self.call.elapsed();
        self.assembler = self.call.guarded(|| {
            assembler.take(bytes, at);
            assembler
        });
    }

    /// The response has ended.
    pub fn end(&mut self) {
        self.finish(Cause::End, None);
    }

    /// Reading the response has failed.
    pub fn fail(&mut self, error: &dyn fmt::Display) {
        let text = bounded(format_args!("{error}"));
        self.finish(Cause::Failed, Some(text));
    }

    fn finish(&mut self, cause: Cause, broken: Option<String>) {
        if !std::mem::replace(&mut self.has_ended, true) {
            self.call.finish(self.assembler.take(), cause, broken);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.finish(Cause::Dropped, None);
    }
}

pin_project! {
    /// A stream of bytes, unchanged, with an eye on what they say; from
    /// [`ModelCall::record_bytes`](super::ModelCall::record_bytes).
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct RecordedStream<S> {
        #[pin]
        inner: S,
        recorder: Recorder,
    }
}

impl<S> RecordedStream<S> {
    pub(super) const fn new(inner: S, recorder: Recorder) -> Self {
        Self { inner, recorder }
    }
}

impl<S, B, E> Stream for RecordedStream<S>
where
    S: Stream<Item = Result<B, E>>,
    B: AsRef<[u8]>,
    E: fmt::Display,
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let polled = this.inner.poll_next(task);
        match &polled {
            Poll::Ready(Some(Ok(bytes))) => this.recorder.bytes(bytes.as_ref()),
            Poll::Ready(Some(Err(error))) => this.recorder.fail(error),
            Poll::Ready(None) => this.recorder.end(),
            Poll::Pending => {}
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use futures_core::Stream;

    use super::{RecordedStream, Recorder};
    use crate::model_call::ModelCall;
    use crate::stream::tests::fixtures::{self, Fixture};
    use crate::stream::{Assembler, Content, PANIC};
    use crate::testing;

    type Item = Result<Vec<u8>, &'static str>;

    /// A stream whose items are all there.
    struct Ready(std::vec::IntoIter<Item>);

    impl Stream for Ready {
        type Item = Item;

        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Item>> {
            Poll::Ready(self.0.next())
        }
    }

    /// The items that come out of a recorded stream of these, of which so many are asked for.
    fn passed(call: &ModelCall, items: &[Item], asked: usize) -> Vec<Item> {
        let assembler = Assembler::new(Content::Unknown, false);
        let recorder = Recorder::new(Arc::clone(call.inner()), Some(assembler));
        let mut stream = RecordedStream::new(Ready(items.to_vec().into_iter()), recorder);
        let mut task = Context::from_waker(Waker::noop());
        let mut out = Vec::new();
        while out.len() < asked
            && let Poll::Ready(Some(item)) = std::pin::Pin::new(&mut stream).poll_next(&mut task)
        {
            out.push(item);
        }
        out
    }

    #[test]
    fn bytes_out_are_bytes_in_for_every_format_every_place_to_split_and_every_ending() {
        let (tracer, _captured) = testing::tracer();
        let call = tracer.model_call("openai", "m").start();
        for Fixture { stream, whole, .. } in fixtures::all() {
            let texts = [Some(stream.as_str()), whole];
            for bytes in texts.into_iter().flatten().map(str::as_bytes) {
                for at in 0..=bytes.len() {
                    let (before, behind) = bytes.split_at(at);
                    let (before, behind) = (before.to_vec(), behind.to_vec());
                    let complete = vec![Ok(before.clone()), Ok(behind.clone())];
                    let truncated = vec![Ok(before.clone())];
                    let failed = vec![Ok(before.clone()), Err("reset"), Ok(behind.clone())];
                    let faulty = vec![Ok(before), Ok(PANIC.to_vec()), Ok(behind)];
                    // A panic takes long to tell of.
                    let faulty = (at % 97 == 0).then_some(faulty);
                    for items in [complete, truncated, failed].into_iter().chain(faulty) {
                        // To its end, and let go of before it.
                        for asked in [items.len(), items.len() - 1] {
                            assert_eq!(passed(&call, &items, asked), items[..asked]);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_fault_of_the_assembler_disarms_it_and_the_event_still_ends() {
        let (tracer, captured) = testing::tracer();
        tracer.create_session("chat").in_scope(|| {
            let call = tracer.model_call("openai", "m").start();
            let mut recorder = call.recorder(Some(200), None, None);
            recorder.bytes(PANIC);
            recorder.bytes(b"data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n");
            recorder.end();
        });
        let event = captured.only_session().event("chat m").clone();
        assert_eq!(event.text("honeyhive_outputs.content"), None);
        assert_eq!(
            event.text("honeyhive_metadata.status_code").as_deref(),
            Some("200")
        );
        assert_eq!(tracer.stats().callback_panics, 1);
    }
}
