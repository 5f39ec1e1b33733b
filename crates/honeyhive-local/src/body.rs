//! A request's body is read whole, within the limit, and decompressed.

use std::io::Read;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, HeaderValue};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::reply::Reply;
use crate::work::by_size;

/// `Unread` says why there is no body.
#[derive(Debug)]
pub(crate) enum Unread {
    TooLarge,
    InvalidGzip,
    UnknownEncoding,
    /// The client sends too slowly.
    Late,
    /// The client went away, or does not speak HTTP.
    Aborted,
}

impl Unread {
    pub(crate) fn refusal(&self) -> Reply {
        let (status, message) = match self {
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
            Self::InvalidGzip => (StatusCode::BAD_REQUEST, "the body is not valid gzip"),
            Self::UnknownEncoding => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the only content encoding taken is gzip",
            ),
            Self::Late => (StatusCode::REQUEST_TIMEOUT, "the body came too slowly"),
            Self::Aborted => (StatusCode::BAD_REQUEST, "the body ended early"),
        };
        Reply::refusal(status, message)
    }
}

/// A body of this size or less is read beside any number of others.
const SMALL: usize = 64 * 1024;

/// The memory of all large bodies that are read and worked on at a time.
const LARGE_TOGETHER: usize = 64 * 1024 * 1024;

/// The room for large bodies is counted in this unit.
const UNIT: usize = 1024;

/// A body is read up to this many times the limit, and refused unread where it announces more.
const READ_PAST: u64 = 4;

/// Gzip makes at most this many bytes of one.
const GZIP_RATIO: usize = 1032;

/// `Bodies` is the room for large bodies.
#[derive(Debug, Clone)]
pub(crate) struct Bodies(Arc<Semaphore>);

impl Default for Bodies {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LARGE_TOGETHER / UNIT)))
    }
}

/// `Whole` is a body, with its claim on the room for large ones while it is worked on.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) bytes: Bytes,
    pub(crate) _claim: Option<OwnedSemaphorePermit>,
}

/// Returns the whole body, decompressed, if neither form of it is longer than `limit`.
pub(crate) async fn read(
    bodies: &Bodies,
    headers: &HeaderMap,
    body: Incoming,
    limit: usize,
) -> Result<Whole, Unread> {
    let encoding = headers.get(CONTENT_ENCODING);
    let compressed = match encoding.map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => false,
        Some(encoding) if encoding.eq_ignore_ascii_case(b"gzip") => true,
        Some(_) => return Err(Unread::UnknownEncoding),
    };
    let claim = bodies.claim(&body, compressed, limit).await?;
    let sent = collect(body, limit).await?;
    let bytes = if compressed {
        let plain = by_size(sent.len(), move || gunzip(&sent, limit)).await;
        plain.unwrap_or(Err(Unread::Aborted))?
    } else {
        sent
    };
    Ok(Whole {
        bytes,
        _claim: claim,
    })
}

impl Bodies {
    /// Claims room before anything is read: as much as the body says that it takes, or may take.
    async fn claim(
        &self,
        body: &Incoming,
        compressed: bool,
        limit: usize,
    ) -> Result<Option<OwnedSemaphorePermit>, Unread> {
        let announced = body.size_hint().exact();
        if announced.is_some_and(|length| length / READ_PAST > limit as u64) {
            return Err(Unread::TooLarge);
        }
        let most = announced.map_or(limit, |length| usize::try_from(length).unwrap_or(limit));
        let most = if compressed {
            most.saturating_mul(GZIP_RATIO)
        } else {
            most
        };
        let most = most.min(limit).min(LARGE_TOGETHER);
        if most <= SMALL {
            return Ok(None);
        }
        let units = u32::try_from(most / UNIT).unwrap_or(u32::MAX);
        let claim = Arc::clone(&self.0).acquire_many_owned(units).await;
        claim.map(Some).map_err(|_| Unread::Aborted)
    }
}

/// Reads to the end even past the limit, within reason: a client that is still sending when the
/// connection closes would see a reset instead of the 413.
async fn collect(mut body: Incoming, limit: usize) -> Result<Bytes, Unread> {
    let mut collected = BytesMut::new();
    let mut length = 0_u64;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Unread::Aborted)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        length = length.saturating_add(data.len() as u64);
        if length <= limit as u64 {
            collected.extend_from_slice(&data);
        } else if length / READ_PAST > limit as u64 {
            break;
        }
    }
    if length > limit as u64 {
        return Err(Unread::TooLarge);
    }
    Ok(collected.freeze())
}

fn gunzip(body: &[u8], limit: usize) -> Result<Bytes, Unread> {
    let mut plain = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = MultiGzDecoder::new(body).take(most).read_to_end(&mut plain);
    read.map_err(|_| Unread::InvalidGzip)?;
    if plain.len() > limit {
        return Err(Unread::TooLarge);
    }
    Ok(plain.into())
}
