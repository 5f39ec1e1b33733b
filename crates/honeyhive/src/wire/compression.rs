//! Spans are compressed by the settings or by the server's answers.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use http::HeaderValue;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use opentelemetry_http::Bytes;

use super::payload::Payload;
use crate::log;
use crate::settings::OtlpCompression;

const GZIP: HeaderValue = HeaderValue::from_static("gzip");
const PLAIN: HeaderValue = HeaderValue::from_static("");

/// The knowledge about a server's compression grows with its answers: HoneyHive does not say whether it takes
/// compressed spans.
#[derive(Debug)]
pub(crate) struct Compression {
    is_on: AtomicBool,
    /// The setting is `auto`, so that answers decide.
    learns: bool,
}

impl Compression {
    pub(crate) fn new(setting: OtlpCompression) -> Self {
        Self {
            is_on: AtomicBool::new(setting != OtlpCompression::None),
            learns: setting == OtlpCompression::Auto,
        }
    }

    fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// Packs bytes, compressed where that is wanted.
    pub(crate) fn pack(&self, content_type: HeaderValue, bytes: Bytes) -> Option<Payload> {
        Some(if self.is_on() {
            Payload::new(content_type, GZIP, gzip(&bytes)?)
        } else {
            Payload::new(content_type, PLAIN, bytes)
        })
    }

    /// Unpacks a payload that was packed before compression was turned off, or by another process.
    pub(super) fn repack(&self, payload: Box<Payload>) -> Box<Payload> {
        if self.is_on() {
            return payload;
        }
        uncompressed(&payload).map_or(payload, Box::new)
    }

    /// Returns the same spans uncompressed, where the compression may be what the server refuses.
    pub(super) fn without(&self, payload: &Payload, status: u16) -> Option<Payload> {
        let may_be_it = self.learns && matches!(status, 400 | 415);
        may_be_it.then(|| uncompressed(payload)).flatten()
    }

    /// Turns compression off: the server has refused spans with this status, and has taken the same ones uncompressed.
    pub(super) fn give_up(&self, status: u16) {
        if self.is_on.swap(false, Ordering::Relaxed) {
            log::warn(format_args!(
                "HoneyHive does not take compressed spans (status {status}); from now on they go uncompressed, which \
                 `HH_OTLP_COMPRESSION=none` says from the start"
            ));
        }
    }
}

/// Returns the bytes of a payload, whatever its encoding; `None` where it cannot be read.
pub(super) fn unpacked(payload: &Payload) -> Option<Bytes> {
    match payload.headers.get(CONTENT_ENCODING) {
        None => Some(payload.bytes.clone()),
        Some(encoding) if encoding == GZIP => {
            let mut bytes = Vec::new();
            let mut decoder = GzDecoder::new(payload.bytes.as_ref());
            decoder.read_to_end(&mut bytes).ok()?;
            Some(bytes.into())
        }
        Some(_) => None,
    }
}

/// Unpacks a payload; `None` for one that is not compressed.
fn uncompressed(payload: &Payload) -> Option<Payload> {
    let content_type = payload.headers.get(CONTENT_TYPE)?.clone();
    payload.headers.get(CONTENT_ENCODING)?;
    Some(Payload::new(content_type, PLAIN, unpacked(payload)?))
}

/// Compresses at the fastest level, since spans repeat themselves and compress well at any.
fn gzip(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(
        Vec::with_capacity(bytes.len() / 4),
        flate2::Compression::fast(),
    );
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}
