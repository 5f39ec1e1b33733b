//! A server's start can fail.

use std::net::SocketAddr;
use std::{fmt, io};

use crate::store::StoreError;

/// The error says why [`LocalServerBuilder::start`](crate::LocalServerBuilder::start) did not start a server.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is reachable from other machines, and that was not allowed.
    #[error(
        "{address} can be reached from other machines, and whoever reaches it can read what is \
         kept here: use a loopback address such as 127.0.0.1, or allow it with \
         `.allow_remote(true)` (`--allow-remote`) and set a key"
    )]
    NotLoopback {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The address is reachable from other machines, and no key was set.
    #[error(
        "{address} can be reached from other machines, and no key keeps them out: set one with \
         `.api_key(…)` (the environment variable `HH_LOCAL_API_KEY`)"
    )]
    RemoteWithoutKey {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The address could not be listened on.
    #[error("cannot listen on {address}: {source}; port 0 takes any free port")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// The operating system's error.
        source: io::Error,
    },
    /// The file that the server should keep everything in cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The background thread or its runtime could not be started.
    #[error("cannot start the background thread: {0}")]
    Background(#[source] io::Error),
}

/// `main` shows the `Debug` of an error that it returns, so `Debug` is the text that people read.
impl fmt::Debug for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
