//! HoneyHive's HTTP API: the bodies it takes, and one client for all of it.

mod bodies;
mod client;
pub(crate) mod otlp;

pub(crate) use bodies::{StartSession, UpdateEvent};
pub(crate) use client::{Answer, Client, Failure, Payload};
