#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "client")]
mod client;
#[cfg(any(feature = "client", feature = "server"))]
mod event;
#[cfg(feature = "server")]
mod server;

#[cfg(feature = "client")]
pub use client::{call_tool, inject};
#[cfg(feature = "server")]
pub use server::Traced;
