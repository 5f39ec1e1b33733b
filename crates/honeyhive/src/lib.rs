//! HoneyHive for Rust.
