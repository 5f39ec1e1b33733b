//! The tests run real servers on real sockets against `honeyhive-local`.
//!
//! The conformance table: HTTP scenarios, each written once as a function over [`adapter::Adapter`], run
//! for every framework that has an adapter. Start at [`table`] for the list and at [`adapter`] for what a
//! framework has to bring along.
//!
//! The fault harness: what can go wrong between the SDK and HoneyHive, and what becomes of telemetry then.
//! Start at [`faults`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "this crate is tests only: what goes wrong here should stop the test"
)]

pub mod actix;
pub mod adapter;
pub mod app;
pub mod client;
pub mod faults;
pub mod fuzz;
pub mod harness;
pub mod log;
pub mod program;
pub mod rows;
pub mod table;
pub mod tower;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
