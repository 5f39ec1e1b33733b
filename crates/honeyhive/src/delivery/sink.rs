//! [`Sink`] takes calls: to HoneyHive, or, in test mode, nowhere or into memory.

use std::sync::Arc;

use opentelemetry_http::Bytes;
use opentelemetry_sdk::trace::SpanData;

#[cfg(feature = "testing")]
use super::capture::Capture;
use super::sealed::{Body, Parts, Sealed, Target};
#[cfg(feature = "client")]
use super::test_runs::TestRuns;
use crate::model::limits::{STEPS, cut_objects};
use crate::model::object::Object;
use crate::wire::otlp::Encoder;
use crate::wire::{Answer, Client, Failure, Payload};
#[cfg(feature = "client")]
use crate::wire::{ApiCall, ApiFailure};

/// The sink is the receiver of calls.
#[derive(Debug, Clone)]
pub(crate) enum Sink {
    HoneyHive(Arc<Client>, Arc<Encoder>),
    /// Nothing leaves the process in test mode.
    Nowhere,
    /// Test mode keeps everything for assertions.
    #[cfg(feature = "testing")]
    Memory(Capture),
}

impl Sink {
    /// Returns true where nothing leaves the process.
    pub(crate) const fn is_local(&self) -> bool {
        !matches!(self, Self::HoneyHive(..))
    }

    /// Encodes spans; `None` where that fails.
    pub(super) fn encode(&self, spans: Vec<SpanData>) -> Option<Body> {
        match self {
            Self::HoneyHive(_, encoder) => encoder.encode(spans).map(encoded),
            _ => Some(Body::Plain(spans)),
        }
    }

    /// Makes a call, which holds this number of items.
    pub(super) async fn make(
        self,
        target: Target,
        items: u64,
        body: Body,
    ) -> Result<Answer, Failure> {
        match &self {
            Self::HoneyHive(client, _) => match (target, body) {
                (Target::Start(_), Body::Json(body)) => client.start_session(items, body).await,
                (Target::Update(id), Body::Json(body)) => {
                    client.update_event(items, id, body).await
                }
                (_, Body::Encoded(payload)) => client.export_traces(items, payload).await,
                (Target::Traces, Body::Json(_)) | (_, Body::Plain(_)) => Ok(Answer::default()),
            },
            Self::Nowhere => Ok(Answer::default()),
            #[cfg(feature = "testing")]
            Self::Memory(capture) => {
                capture.keep(target, body);
                Ok(Answer::default())
            }
        }
    }

    /// Makes a call of the typed client.
    #[cfg(feature = "client")]
    pub(super) async fn ask(&self, call: &ApiCall) -> Result<Answer, ApiFailure> {
        match self {
            Self::HoneyHive(client, _) => client.ask(call).await,
            Self::Nowhere => TestRuns::default().answer(call),
            #[cfg(feature = "testing")]
            Self::Memory(capture) => capture.runs().answer(call),
        }
    }

    /// Returns how many spans HoneyHive refused within a success, and why.
    pub(super) fn rejected(&self, answer: &Answer) -> Option<(u64, String)> {
        match self {
            Self::HoneyHive(..) => Encoder::rejected(answer),
            _ => None,
        }
    }

    /// Returns a call that was too large in two, or with its longest texts cut; `None` where nothing is long.
    pub(super) fn smaller(&self, call: &Sealed) -> Option<Parts> {
        match &call.body {
            Body::Json(body) => {
                let (body, limit) = cut(body)?;
                Some(Parts::Cut(Body::Json(body), limit))
            }
            Body::Encoded(payload) => {
                let Self::HoneyHive(_, encoder) = self else {
                    return None;
                };
                if let Some(halves) = encoder.halves(payload) {
                    let halves = halves.map(|(half, count)| (encoded(half), count));
                    return Some(Parts::Halves(halves));
                }
                let (shorter, limit) = encoder.shortened(payload)?;
                Some(Parts::Cut(encoded(shorter), limit))
            }
            Body::Plain(_) => None,
        }
    }
}

fn encoded(payload: Payload) -> Body {
    Body::Encoded(Box::new(payload))
}

fn cut(body: &[u8]) -> Option<(Bytes, usize)> {
    let mut object: Object = serde_json::from_slice(body).ok()?;
    let limit = STEPS
        .into_iter()
        .find(|limit| cut_objects([&mut object], *limit))?;
    Some((serde_json::to_vec(&object).ok()?.into(), limit))
}
