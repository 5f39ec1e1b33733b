//! Where deliveries go: to HoneyHive, or, in test mode, nowhere or into memory.

use std::sync::Arc;

use opentelemetry_http::Bytes;
use opentelemetry_sdk::trace::SpanData;

use super::changes::Call;
use crate::model::id::SessionId;
use crate::model::limits::{STEPS, cut_objects};
use crate::model::object::Object;
#[cfg(feature = "testing")]
use crate::testing::Capture;
use crate::wire::otlp::Encoder;
use crate::wire::{Answer, Client, Failure, Payload};

#[derive(Debug, Clone)]
pub(crate) enum Sink {
    HoneyHive(Arc<Client>, Arc<Encoder>),
    /// Test mode: nothing leaves the process.
    Nowhere,
    /// Test mode, with everything kept for assertions.
    #[cfg(feature = "testing")]
    Memory(Capture),
}

/// A call to HoneyHive with its body as it goes out, so that it can wait on disk.
#[derive(Debug, Clone)]
pub(crate) enum Ready {
    Start(SessionId, Bytes),
    Update(SessionId, Bytes),
    Traces(Payload),
}

/// A batch of spans, ready to be delivered.
#[derive(Debug, Clone)]
pub(crate) enum Parcel {
    Encoded(Payload),
    #[cfg_attr(
        not(feature = "testing"),
        expect(dead_code, reason = "read by captures only")
    )]
    Plain(Vec<SpanData>),
}

impl Sink {
    /// `None` when the spans cannot be encoded.
    pub(crate) async fn pack(&self, spans: Vec<SpanData>) -> Option<Parcel> {
        match self {
            Self::HoneyHive(_, encoder) => encoder.encode(spans).await.map(Parcel::Encoded),
            _ => Some(Parcel::Plain(spans)),
        }
    }

    pub(crate) async fn call(&self, call: Call) -> Result<Answer, Failure> {
        match (self, call) {
            (Self::HoneyHive(client, _), Call::Start(body)) => client.start_session(&body).await,
            (Self::HoneyHive(client, _), Call::Update(id, body)) => {
                client.update_event(id, &body).await
            }
            #[cfg(feature = "testing")]
            (Self::Memory(capture), call) => Ok(capture.call(call)),
            (Self::Nowhere, _) => Ok(Answer::default()),
        }
    }

    pub(crate) async fn deliver(&self, parcel: Parcel) -> Result<Answer, Failure> {
        match (self, parcel) {
            (Self::HoneyHive(client, _), Parcel::Encoded(payload)) => {
                client.export_traces(payload).await
            }
            #[cfg(feature = "testing")]
            (Self::Memory(capture), Parcel::Plain(spans)) => Ok(capture.spans(spans)),
            _ => Ok(Answer::default()),
        }
    }

    /// As [`call`](Self::call) and [`deliver`](Self::deliver).
    pub(crate) async fn make(&self, call: Ready) -> Result<Answer, Failure> {
        let Self::HoneyHive(client, _) = self else {
            return Ok(Answer::default());
        };
        match call {
            Ready::Start(_, body) => client.start_session_with(&body).await,
            Ready::Update(id, body) => client.update_event_with(id, &body).await,
            Ready::Traces(payload) => client.export_traces(payload).await,
        }
    }

    pub(crate) fn rejected(&self, answer: &Answer) -> Option<(u64, String)> {
        match self {
            Self::HoneyHive(..) => Encoder::rejected(answer),
            _ => None,
        }
    }

    pub(crate) fn halves(&self, parcel: &Parcel) -> Option<[(Parcel, u64); 2]> {
        match (self, parcel) {
            (Self::HoneyHive(_, encoder), Parcel::Encoded(payload)) => {
                let halves = encoder.halves(payload)?;
                Some(halves.map(|(payload, count)| (Parcel::Encoded(payload), count)))
            }
            _ => None,
        }
    }

    /// As [`halves`](Self::halves), of a call that was ready.
    pub(crate) fn halves_of(&self, call: &Ready) -> Option<[(Ready, u64); 2]> {
        let (Self::HoneyHive(_, encoder), Ready::Traces(payload)) = (self, call) else {
            return None;
        };
        let halves = encoder.halves(payload)?;
        Some(halves.map(|(payload, count)| (Ready::Traces(payload), count)))
    }

    /// As [`shortened`](Self::shortened), of a call that was ready.
    pub(crate) fn shortened_of(&self, call: &Ready) -> Option<(Ready, usize)> {
        let Self::HoneyHive(_, encoder) = self else {
            return None;
        };
        Some(match call {
            Ready::Start(id, body) => {
                let (body, limit) = shortened_json(body)?;
                (Ready::Start(*id, body), limit)
            }
            Ready::Update(id, body) => {
                let (body, limit) = shortened_json(body)?;
                (Ready::Update(*id, body), limit)
            }
            Ready::Traces(payload) => {
                let (payload, limit) = encoder.shortened(payload)?;
                (Ready::Traces(payload), limit)
            }
        })
    }

    /// The same with its longest texts cut, and to how many bytes. `None` where nothing is long.
    pub(crate) fn shortened(&self, parcel: &Parcel) -> Option<(Parcel, usize)> {
        match (self, parcel) {
            (Self::HoneyHive(_, encoder), Parcel::Encoded(payload)) => {
                let (payload, limit) = encoder.shortened(payload)?;
                Some((Parcel::Encoded(payload), limit))
            }
            _ => None,
        }
    }
}

fn shortened_json(body: &[u8]) -> Option<(Bytes, usize)> {
    let mut object: Object = serde_json::from_slice(body).ok()?;
    let limit = STEPS
        .into_iter()
        .find(|limit| cut_objects([&mut object], *limit))?;
    Some((serde_json::to_vec(&object).ok()?.into(), limit))
}
