//! Bytes out are bytes in, whatever the stream and however it ends.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use super::{ModelCall, RecordedStream, Recorder};
use crate::stream::tests::fixtures::{self, Fixture};
use crate::stream::{Assembler, Content, PANIC};
use crate::testing;

type Item = Result<Vec<u8>, &'static str>;

/// A stream whose items are all there.
struct Ready(std::vec::IntoIter<Item>);

impl Stream for Ready {
    type Item = Item;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Item>> {
        Poll::Ready(self.0.next())
    }
}

/// The items that come out of a recorded stream of these, of which so many are asked for.
fn passed(call: &ModelCall, items: &[Item], asked: usize) -> Vec<Item> {
    let assembler = Assembler::new(Content::Unknown, false);
    let recorder = Recorder::new(Arc::clone(call.inner()), Some(assembler));
    let ready = Ready(Vec::from(items).into_iter());
    let mut stream = RecordedStream::new(ready, recorder);
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
