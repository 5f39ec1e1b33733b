//! `honeyhive-actix` has the conformance table, and tests of what only actix-web has.

mod bodies;
mod conformance;
mod servers;
mod support;
mod wraps;
