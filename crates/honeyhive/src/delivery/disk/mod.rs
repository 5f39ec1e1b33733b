//! The disk takes requests and gives responses. Its files are on a thread of their own: no deadline waits for them.

#[cfg(feature = "spool")]
mod files;
mod words;

#[cfg(not(feature = "spool"))]
use std::io;
#[cfg(not(feature = "spool"))]
use std::sync::mpsc;

#[cfg(feature = "spool")]
pub(super) use self::files::start;
pub(super) use self::words::{Recalled, Request, Response};
#[cfg(not(feature = "spool"))]
use crate::spool::{Shelf, Spool};

/// Starts nothing: without the spool there are no settings of one.
#[cfg(not(feature = "spool"))]
#[expect(clippy::needless_pass_by_value, reason = "as where there is one")]
pub(in crate::delivery) fn start(
    settings: Spool,
    _: u32,
    _: Shelf,
    _: impl Fn(Response) -> bool + Send + 'static,
) -> io::Result<mpsc::Sender<Request>> {
    match settings {}
}
