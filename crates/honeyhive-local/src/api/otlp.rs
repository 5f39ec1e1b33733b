//! OTLP comes over HTTP, in both encodings.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use serde_json::{Value, json};

use super::metrics::create as create_metric;
use super::sent::{Raw, Sent};
use crate::model::Arrival;
use crate::reply::{Answer, PROTOBUF, Reply};
use crate::rest::Invalid;
use crate::shared::Server;
use crate::work::by_size;
use crate::{json as text, otlp};

#[derive(Debug, Clone, Copy)]
enum Encoding {
    Json,
    Protobuf,
}

/// Answers `POST /v1/traces` and `POST /opentelemetry/v1/traces`.
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
    Ok(taken(encoding))
}

fn arrivals(encoding: Encoding, body: &Bytes) -> Result<Vec<Arrival>, Invalid> {
    let spans = match encoding {
        Encoding::Json => otlp::spans_from_json(&text::parse(body).map_err(Invalid)?)?,
        Encoding::Protobuf => otlp::spans_from_protobuf(body)?,
    };
    Ok(spans.into_iter().map(otlp::arrival).collect())
}

/// Answers `POST /opentelemetry/v1/metrics`: answered and counted, not kept.
pub(super) async fn metrics(
    State(shared): State<Server>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Answer {
    let signal = Signal {
        in_json: otlp::data_points_in_json,
        in_protobuf: otlp::data_points_in_protobuf,
    };
    count(&shared.data_points, &signal, &headers, body).await
}

/// Answers `POST /v1/logs` and `POST /opentelemetry/v1/logs`: answered and counted, not kept.
pub(super) async fn logs(
    State(shared): State<Server>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Answer {
    let signal = Signal {
        in_json: otlp::log_records_in_json,
        in_protobuf: otlp::log_records_in_protobuf,
    };
    count(&shared.log_records, &signal, &headers, body).await
}

/// A `Signal` has the functions that count its records, by encoding.
struct Signal {
    in_json: fn(&Value) -> u64,
    in_protobuf: fn(&[u8]) -> Result<u64, Invalid>,
}

/// Adds the records of a body to a total, off the accepting thread.
async fn count(total: &AtomicU64, signal: &Signal, headers: &HeaderMap, body: Bytes) -> Answer {
    let encoding = encoding(headers)?;
    let Signal {
        in_json,
        in_protobuf,
    } = *signal;
    let counting = move || match encoding {
        Encoding::Json => Ok(in_json(&text::parse(&body).map_err(Invalid)?)),
        Encoding::Protobuf => in_protobuf(&body),
    };
    let counted = by_size(usize::MAX, counting).await??;
    total.fetch_add(counted, Ordering::Relaxed);
    Ok(taken(encoding))
}

/// Answers `POST /v1/metrics`: a new metric of HoneyHive's API, or metrics over OTLP, which share the path.
pub(super) async fn metrics_or_metric(
    shared: State<Server>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Answer {
    if matches!(encoding(&headers), Ok(Encoding::Protobuf)) {
        return metrics(shared, headers, Raw(body)).await;
    }
    let kept = body.clone();
    let parsed = by_size(body.len(), move || text::parse(&body)).await?;
    let parsed = parsed.map_err(|why| Reply::bad_request(&why))?;
    if parsed.get("resourceMetrics").is_some() {
        return metrics(shared, headers, Raw(kept)).await;
    }
    create_metric(shared, Sent(parsed)).await
}

/// Returns OTLP's answer that everything was taken: an empty message, which is the same for all signals.
fn taken(encoding: Encoding) -> Reply {
    match encoding {
        Encoding::Json => Reply::json(&json!({})),
        Encoding::Protobuf => {
            let body = ExportTraceServiceResponse::default().encode_to_vec();
            Reply::new(StatusCode::OK, PROTOBUF, body)
        }
    }
}

/// Returns the encoding that the content type names, whatever its parameters.
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
