//! The tests are those of every chat server.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "helpers of tests may panic as the tests may"
)]

#[path = "../../../chat-support/server-tests/mod.rs"]
mod server_tests;
mod serving;
