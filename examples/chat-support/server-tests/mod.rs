//! The tests that every chat server has to pass, on real sockets, with a HoneyHive of its own.
//!
//! An example includes this folder by its path and brings along `crate::serving`, which says how the server
//! under test is started.

mod bad_input;
mod endpoint;
mod openai;
mod program;
mod server;
mod streams;
mod turns;
