//! Every chat server has to pass these tests, on real sockets, with a HoneyHive of its own.
//!
//! An example includes this folder by its path and brings along `crate::serving`, which says how the server
//! under test is started.

mod bad_input;
#[path = "../../../crates/honeyhive-local/tests/browser/chromium.rs"]
#[allow(
    dead_code,
    clippy::print_stdout,
    reason = "the tests of other pages use more of it"
)]
mod chromium;
mod endpoint;
mod openai;
mod program;
mod server;
mod streams;
mod thumbs;
mod turns;
