//! The tests check recorded streams: bytes out are bytes in, whatever the stream and however it ends.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Buf;
use bytes::buf::Chain;
use futures_core::Stream;
use http::Response;
use http_body::{Body, Frame};
use opentelemetry::KeyValue;
use opentelemetry::trace::TraceContextExt as _;

use super::{ModelCall, RecordedStream, Recorder};
use crate::stream::tests::fixtures::{self, Fixture};
use crate::stream::{Assembler, Content, PANIC};
use crate::testing;

type Item<'a> = Result<&'a [u8], &'static str>;

/// The items of the stream are ready.
struct Ready<'a>(std::slice::Iter<'a, Item<'a>>);

impl<'a> Stream for Ready<'a> {
    type Item = Item<'a>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Item<'a>>> {
        Poll::Ready(self.0.next().copied())
    }
}

/// Returns the items that come out of a recorded stream of these, of which `asked` are read.
fn passed<'a>(call: &ModelCall, items: &'a [Item<'a>], asked: usize) -> Vec<Item<'a>> {
    let assembler = Assembler::new(Content::Unknown, false);
    let recorder = Recorder::new(Arc::clone(call.inner()), Some(assembler));
    let mut stream = RecordedStream::new(Ready(items.iter()), recorder);
    let mut task = Context::from_waker(Waker::noop());
    let mut out = Vec::new();
    while out.len() < asked
        && let Poll::Ready(Some(item)) = Pin::new(&mut stream).poll_next(&mut task)
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
                let complete = [Ok(before), Ok(behind)];
                let failed = [Ok(before), Err("reset"), Ok(behind)];
                let faulty = [Ok(before), Ok(PANIC), Ok(behind)];
                // A panic is tried on few of the cuts, since it takes long.
                let faulty = if at % 97 == 0 { faulty.as_slice() } else { &[] };
                // The stream is read to its end, which may come too early, and dropped: after its last piece and before
                // it, after an error, and after a fault.
                for (items, asked) in [
                    (complete.as_slice(), usize::MAX),
                    (&complete[..1], usize::MAX),
                    (&complete, 2),
                    (&complete, 1),
                    (&failed, usize::MAX),
                    (&failed, 2),
                    (faulty, usize::MAX),
                ] {
                    let expected = &items[..asked.min(items.len())];
                    assert_eq!(passed(&call, items, asked), expected);
                }
            }
        }
    }
}

/// The body has one frame, whose buffer is of two pieces.
struct TwoPieces(Option<[&'static [u8]; 2]>);

impl Body for TwoPieces {
    type Data = Chain<&'static [u8], &'static [u8]>;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = self
            .0
            .take()
            .map(|[first, last]| Ok(Frame::data(first.chain(last))));
        Poll::Ready(frame)
    }
}

#[test]
fn a_buffer_of_several_pieces_is_read_to_its_end() {
    let (tracer, captured) = testing::tracer();
    tracer.create_session("chat").in_scope(|| {
        let call = tracer.model_call("openai", "m").start();
        let pieces: [&[u8]; 2] = [
            b"data: {\"choices\":[{\"delta\":{\"content\":\"Fo",
            b"rty\"},\"finish_reason\":\"stop\"}]}\n\n",
        ];
        let response = call.record_response(Response::new(TwoPieces(Some(pieces))));
        let mut body = response.into_body();
        let mut task = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(frame)) = Pin::new(&mut body).poll_frame(&mut task) {
            let data = frame.ok().and_then(|it| it.into_data().ok());
            assert_eq!(data.map(|it| it.remaining()), Some(pieces.concat().len()));
        }
    });
    let event = captured.only_session().event("chat m").clone();
    assert_eq!(
        event.text("honeyhive_outputs.content").as_deref(),
        Some("Forty")
    );
}

/// The buffer shows one piece at a time, as the trait's own methods do.
struct OneByOne(VecDeque<&'static [u8]>);

impl Buf for OneByOne {
    fn remaining(&self) -> usize {
        self.0.iter().map(|piece| piece.len()).sum()
    }

    fn chunk(&self) -> &[u8] {
        self.0.front().copied().unwrap_or_default()
    }

    fn advance(&mut self, _: usize) {
        unreachable!("nobody reads it")
    }
}

/// The body has a frame for each buffer.
struct Frames(VecDeque<OneByOne>);

impl Body for Frames {
    type Data = OneByOne;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<OneByOne>, Self::Error>>> {
        Poll::Ready(self.0.pop_front().map(|buffer| Ok(Frame::data(buffer))))
    }
}

#[test]
fn a_hole_in_what_is_read_is_told_and_what_stands_beside_it_is_not_glued() {
    const SPEAKS: &[u8] = b"data: {\"choices\":[{\"delta\":{\"content\":\"One\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"T";
    const LOST: &[u8] = b"wo\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"T";
    const GOES_ON: &[u8] = b"hree\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"Four\"},\"finish_reason\":\"stop\"}]}\n\n";
    const ITEM: &[u8] = b"[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"One";
    const ITEMS: &[u8] = b"\"}]}}]},{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"";
    const LAST: &[u8] = b"Three\"}]}}]}]";
    const WHOLE: &[u8] = b"{\"choices\":[{\"message\":{\"content\":\"";
    const REST: &[u8] = b"\"}}]}";
    for (pieces, content) in [
        ([SPEAKS, LOST, GOES_ON], Some("OneFour")),
        ([ITEM, ITEMS, LAST], None),
        ([WHOLE, b"One", REST], None),
    ] {
        let (tracer, captured) = testing::tracer();
        tracer.create_session("chat").in_scope(|| {
            let call = tracer.model_call("openai", "m").start();
            let [first, lost, last] = pieces;
            let buffers = [[first, lost].into(), [last].into()].map(OneByOne);
            let response = call.record_response(Response::new(Frames(buffers.into())));
            let mut body = response.into_body();
            let mut task = Context::from_waker(Waker::noop());
            while let Poll::Ready(Some(_)) = Pin::new(&mut body).poll_frame(&mut task) {}
        });
        let event = captured.only_session().event("chat m").clone();
        let said = event.text("honeyhive_outputs.content");
        assert_eq!(said.as_deref(), content);
        let left_out = event.text("honeyhive_metadata.left_out");
        assert_eq!(left_out.as_deref(), Some("1"), "{content:?}");
    }
}

#[test]
fn a_cost_that_the_program_says_of_its_own_span_counts_more_under_any_name() {
    for name in [
        "honeyhive_metadata.cost",
        "gen_ai.usage.cost",
        "gen_ai.usage.total_cost",
        "llm.cost.total",
    ] {
        let (tracer, captured) = testing::tracer();
        tracer.create_session("chat").in_scope(|| {
            let span = tracer.model("answer").start();
            span.in_scope(|| {
                let cx = crate::context::current();
                cx.span().set_attribute(KeyValue::new(name, 0.5));
                let call = tracer.model_call("openrouter", "m").by_middleware().start();
                call.recorder(Some(200), None, None).bytes(
                    br#"{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":1,"completion_tokens":2,"cost":0.25}}"#,
                );
            });
        });
        let event = captured.only_session().event("answer").clone();
        assert_eq!(event.text(name).as_deref(), Some("0.5"), "{name}");
        let told = event.text("honeyhive_metadata.cost");
        assert_ne!(told.as_deref(), Some("0.25"), "{name}");
    }
}

#[test]
fn the_cost_is_what_the_provider_says_and_what_the_program_says_counts_more() {
    let bodies = [
        r#"{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":1,"completion_tokens":2,"cost":0.25}}"#,
        r#"{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":1,"completion_tokens":2,"cost":{"total_cost":0.25}}}"#,
    ];
    for (body, said, cost) in [
        (bodies[0], None, "0.25"),
        (bodies[1], None, "0.25"),
        (bodies[0], Some(0.5), "0.5"),
    ] {
        let (tracer, captured) = testing::tracer();
        tracer.create_session("chat").in_scope(|| {
            let call = tracer.model_call("openrouter", "m").start();
            call.reply_bytes(body);
            said.map(|cost| call.cost(cost));
        });
        let event = captured.only_session().event("chat m").clone();
        let told = event.text("honeyhive_metadata.cost");
        assert_eq!(told.as_deref(), Some(cost), "{body}");
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
