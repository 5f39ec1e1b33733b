#![doc = include_str!("../README.md")]

mod background;
mod body;
mod bucket;
mod builder;
mod changes;
mod config;
mod connection;
mod error;
mod exchange;
mod fault;
mod model;
mod otlp;
mod read;
mod reply;
mod rest;
mod route;
mod server;
mod shared;
mod store;

pub use builder::LocalServerBuilder;
pub use config::UnknownUpdates;
pub use error::StartError;
pub use fault::{Endpoint, Fault};
pub use model::{
    LocalEvent, LocalSession, LocalSpanEvent, LocalSpanLink, LocalStats, LocalStatus,
    RecordedRequest,
};
pub use server::LocalServer;

/// A JSON object, as every bucket of a session or an event is one.
type Object = serde_json::Map<String, serde_json::Value>;
