//! Reading a request's body: whole, within the limit, decompressed.

use std::io::Read;

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::reply::Reply;

/// Why there is no body.
#[derive(Debug)]
pub(crate) enum Unread {
    TooLarge,
    InvalidGzip,
    UnknownEncoding,
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
            Self::Aborted => (StatusCode::BAD_REQUEST, "the body ended early"),
        };
        Reply::refusal(status, message)
    }
}

/// The whole body, decompressed, if neither form of it is longer than `limit`.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Incoming,
    limit: usize,
) -> Result<Bytes, Unread> {
    let body = collect(body, limit).await?;
    match headers
        .get(CONTENT_ENCODING)
        .map(|encoding| encoding.as_bytes())
    {
        None | Some(b"" | b"identity") => Ok(body),
        Some(encoding) if encoding.eq_ignore_ascii_case(b"gzip") => gunzip(&body, limit),
        Some(_) => Err(Unread::UnknownEncoding),
    }
}

/// Reads to the end even past the limit, within reason: a client that is still sending when the
/// connection closes would see a reset instead of the 413.
async fn collect(mut body: Incoming, limit: usize) -> Result<Bytes, Unread> {
    let mut collected = BytesMut::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Unread::Aborted)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        length = length.saturating_add(data.len());
        if length <= limit {
            collected.extend_from_slice(&data);
        } else if length / 4 > limit {
            break;
        }
    }
    if length > limit {
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
