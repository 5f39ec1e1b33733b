//! `honeyhive-tower` has the conformance table, and tests of what only tower, axum, tonic and Lambda have.

mod body;
mod conformance;
mod grpc;
mod lambda;
mod lambda_service;
mod layers;
mod neighbours;
mod service;
mod table;
