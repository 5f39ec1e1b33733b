//! Requests to the disk thread, and its responses.

use std::io;

use crate::delivery::lane::Number;
use crate::delivery::sealed::{Body, Target};
use crate::spool::{Found, Lost, Place, Refused, Ticket};

/// A request to the disk thread.
#[derive(Debug)]
#[cfg_attr(not(feature = "spool"), allow(dead_code, reason = "there is no disk"))]
pub(in crate::delivery) enum Request {
    /// Look for files of ended processes; their records get this mark.
    Look(u64),
    Write {
        number: Number,
        target: Target,
        body: Body,
        items: u64,
        mark: u64,
    },
    /// Read this many records back, or about this many bytes.
    Read { records: usize, bytes: usize },
    /// A record has its outcome.
    Settle(Number, Ticket),
    /// Let go of the folder, once all of the above is done.
    End,
}

/// A response of the disk thread, in the order of the requests.
#[derive(Debug)]
#[cfg_attr(not(feature = "spool"), allow(dead_code, reason = "there is no disk"))]
pub(in crate::delivery) enum Response {
    /// The result of a look into the folder, with the mark of the found items.
    Looked(u64, io::Result<Found>),
    Written(Number, Result<Place, Refused>),
    Read(Vec<Recalled>),
    Settled(Number),
    /// Files that could not be read were renamed.
    SetAside(u64),
    Ended,
}

/// A record that was read back.
#[derive(Debug)]
#[cfg_attr(not(feature = "spool"), allow(dead_code, reason = "there is no disk"))]
pub(in crate::delivery) enum Recalled {
    Call(Ticket, Body),
    /// A damaged record, which is gone.
    Unreadable(Ticket),
    /// A file could not be read any further.
    Lost(Lost),
    /// A file that cannot be opened now; it may be later.
    Failed(io::Error),
}
