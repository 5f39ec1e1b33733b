//! OTLP over HTTP, in both encodings.

use axum::extract::State;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use serde_json::json;

use super::Server;
use super::sent::Raw;
use crate::model::Arrival;
use crate::reply::{Answer, PROTOBUF, Reply};
use crate::rest::Invalid;
use crate::work::by_size;
use crate::{json as text, otlp};

/// The encoding of a body.
#[derive(Debug, Clone, Copy)]
enum Encoding {
    Json,
    Protobuf,
}

/// `POST /v1/traces` and `POST /opentelemetry/v1/traces`.
pub(super) async fn traces(
    State(shared): State<Server>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Answer {
    let encoding = encoding(&headers)?;
    let arrivals = by_size(body.len(), move || arrivals(encoding, &body)).await??;
    shared
        .write(move |writing| {
            arrivals
                .into_iter()
                .try_for_each(|arrival| writing.arrive(arrival))
        })
        .await?;
    Ok(match encoding {
        Encoding::Json => Reply::json(&json!({})),
        Encoding::Protobuf => {
            let body = ExportTraceServiceResponse::default().encode_to_vec();
            Reply::new(StatusCode::OK, PROTOBUF, body)
        }
    })
}

fn arrivals(encoding: Encoding, body: &Bytes) -> Result<Vec<Arrival>, Invalid> {
    let spans = match encoding {
        Encoding::Json => otlp::spans_from_json(&text::parse(body).map_err(Invalid)?)?,
        Encoding::Protobuf => otlp::spans_from_protobuf(body)?,
    };
    Ok(spans.into_iter().map(otlp::arrival).collect())
}

/// What the content type says, without its parameters.
fn encoding(headers: &HeaderMap) -> Result<Encoding, Reply> {
    let sent = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = sent.unwrap_or_default().split(';').next();
    match kind.unwrap_or_default().trim() {
        "application/x-protobuf" => Ok(Encoding::Protobuf),
        "application/json" => Ok(Encoding::Json),
        _ => Err(Reply::refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the content type must be application/x-protobuf or application/json",
        )),
    }
}
