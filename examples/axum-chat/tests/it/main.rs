//! The chat server on a real socket, with a HoneyHive of its own.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "helpers of tests may panic as the tests may"
)]

mod bad_input;
mod endpoint;
mod openai;
mod program;
mod server;
mod streams;
mod turns;
