//! The server is tested through its public API, over real sockets.

#![expect(
    clippy::expect_used,
    clippy::needless_pass_by_value,
    clippy::unwrap_used,
    reason = "helpers of tests may panic as the tests may, and take what `json!` and `vec!` make"
)]

mod access;
mod attacks;
mod client;
mod datasets;
mod durable;
mod events;
mod faults;
mod found;
mod lifecycle;
mod limits;
mod meaning;
mod otlp;
mod pages;
#[cfg(feature = "cli")]
mod program;
mod records;
mod runs;
mod sessions;
mod updates;
