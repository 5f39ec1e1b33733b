//! The core is tested through its public API, against `honeyhive-local`. Tests that change what is the whole process's
//! (its log, its global subscriber, its threads) have a program of their own beside this one.

mod bounds;
mod client;
mod configuration;
mod context;
mod delivery;
mod doctor;
mod foreign;
mod http_client;
mod ids;
mod lambda;
mod lines;
mod messages;
mod metrics;
mod model_calls;
mod order;
mod panics;
mod promises;
mod python_bugs;
mod redaction;
mod routes;
mod sampling;
mod sessions;
mod spans;
mod spool;
mod support;
mod test_mode;
mod tracing;
mod trust;
mod types;
