//! [`Streamed`] reads what a server streams to its user, in the words of a model's API or of Vercel's AI SDK.

use std::time::Duration;

use super::Headers;
use crate::enrichment::Enrichment;
use crate::outbox::{Outbox, Outcome};
use crate::panics::guarded;
use crate::stream::{Assembler, Cause, Content};

/// A streamed answer becomes the session's outputs. Its tokens are those of the calls behind it, so they are not
/// counted again.
pub(super) struct Streamed(Option<Assembler>);

const CONTENT_TYPE: &str = "content-type";
const CONTENT_ENCODING: &str = "content-encoding";
/// Vercel's AI SDK sets these headers, and its data streams are plain text.
const VERCEL: [&str; 2] = ["x-vercel-ai-ui-message-stream", "x-vercel-ai-data-stream"];

impl Streamed {
    /// Begins to record a stream; `None` where the response is no stream.
    pub(super) fn begin(outbox: &Outbox, headers: &dyn Headers) -> Option<Box<Self>> {
        let mut content = Content::Unknown;
        let mut is_vercels = false;
        let mut is_packed = false;
        headers.for_each(&mut |name, value| match name {
            CONTENT_TYPE => content = Content::of(std::str::from_utf8(value).ok(), None),
            CONTENT_ENCODING => is_packed = value != b"identity",
            name => is_vercels |= VERCEL.contains(&name),
        });
        let is_stream = !is_packed && (is_vercels || content == Content::Lines);
        let assembler = || Assembler::new(Content::Lines, outbox.hides_content());
        is_stream.then(|| Box::new(Self(Some(assembler()))))
    }

    /// Reads bytes of the body that are about to pass.
    pub(super) fn take(&mut self, outbox: &Outbox, bytes: &[u8]) {
        let Some(assembler) = self.0.as_mut().filter(|it| it.hears(bytes)) else {
            return;
        };
        if guarded(outbox, || assembler.take(bytes, Duration::ZERO)).is_none() {
            self.0 = None;
        }
    }

    /// Leaves out bytes of the body that are about to pass and that nobody can read.
    pub(super) fn skip(&mut self, bytes: usize) {
        if let Some(assembler) = &mut self.0 {
            assembler.skip(bytes as u64);
        }
    }

    /// Returns the outputs, as far as the body was understood.
    pub(super) fn finish(self, outbox: &Outbox, outcome: Outcome) -> Option<Enrichment> {
        let mut assembler = self.0?;
        let cause = match outcome {
            Outcome::Complete => Cause::End,
            Outcome::ClientDisconnected => Cause::Dropped,
            _ => Cause::Failed,
        };
        let outputs = guarded(outbox, || {
            assembler.finish(cause);
            assembler.reply_mut().outputs()
        });
        let outputs = outputs.filter(|it| !it.is_empty())?;
        Some(Enrichment::new().outputs(outputs))
    }
}
