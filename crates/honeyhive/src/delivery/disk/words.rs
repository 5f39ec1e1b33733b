//! The disk thread takes requests, and gives responses.

use std::io;

use crate::delivery::lane::Number;
use crate::delivery::sealed::{Body, Target};
use crate::spool::{Found, Lost, Place, Refused, Ticket};

/// A request tells the disk thread what to do.
#[derive(Debug)]
#[cfg_attr(not(feature = "spool"), allow(dead_code, reason = "there is no disk"))]
pub(in crate::delivery) enum Request {
    /// The disk looks for files of ended processes; their records get this mark.
    Look(u64),
    Write {
        number: Number,
        target: Target,
        body: Body,
        items: u64,
        mark: u64,
    },
    /// The disk reads this many records back, or about this many bytes.
    Read { records: usize, bytes: usize },
    /// A record has its outcome.
    Settle(Number, Ticket),
    /// The disk lets go of the folder, once all requests before are done.
    End,
}

/// The responses come in the order of the requests.
#[derive(Debug)]
#[cfg_attr(not(feature = "spool"), allow(dead_code, reason = "there is no disk"))]
pub(in crate::delivery) enum Response {
    /// The disk has looked into the folder; the found items have this mark.
    Looked(u64, io::Result<Found>),
    Written(Number, Result<Place, Refused>),
    Read(Vec<Recalled>),
    Settled(Number),
    /// Files that could not be read were renamed.
    SetAside(u64),
    Ended,
}

/// A record is read back, or is not.
#[derive(Debug)]
#[cfg_attr(not(feature = "spool"), allow(dead_code, reason = "there is no disk"))]
pub(in crate::delivery) enum Recalled {
    Call(Ticket, Body),
    /// A damaged record is gone.
    Unreadable(Ticket),
    /// A file could not be read any further.
    Lost(Lost),
    /// A file cannot be opened now; it may be later.
    Failed(io::Error),
}
