//! `honeyhive-actix`: the conformance table, and what only actix-web has.

mod bodies;
mod conformance;
mod servers;
mod support;
mod wraps;
