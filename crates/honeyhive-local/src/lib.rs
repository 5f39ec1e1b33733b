#![doc = include_str!("../README.md")]

mod access;
mod api;
mod background;
mod body;
mod builder;
mod config;
mod connection;
mod error;
mod exchange;
mod experiments;
mod fault;
mod json;
mod meaning;
mod model;
mod otlp;
mod query;
mod read;
mod reply;
mod rest;
mod server;
mod shared;
mod store;
mod work;

pub use builder::LocalServerBuilder;
pub use config::UnknownUpdates;
pub use error::StartError;
pub use fault::{Endpoint, Fault};
pub use model::{
    LocalEvent, LocalRun, LocalSession, LocalSpanEvent, LocalSpanLink, LocalStats, LocalStatus,
    RecordedRequest,
};
pub use query::Query;
pub use server::LocalServer;
pub use store::StoreError;
