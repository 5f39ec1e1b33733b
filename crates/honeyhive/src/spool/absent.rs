//! [`Store`] where no spool is built in: there can be none.

use std::io;

use super::answers::{Found, Next, Place, Refused, Ticket};
use super::note::{Id, Note};
use crate::settings::Spool;

/// Never made.
#[derive(Debug)]
pub(crate) enum Store {}

#[expect(clippy::needless_pass_by_ref_mut, reason = "as where there is one")]
impl Store {
    pub(crate) fn open(settings: &Spool, _: u32) -> io::Result<Self> {
        match *settings {}
    }

    pub(crate) fn is_empty(&self) -> bool {
        match *self {}
    }

    pub(crate) fn has_traces(&self) -> bool {
        match *self {}
    }

    pub(crate) fn has_start(&self, _: &Id) -> bool {
        match *self {}
    }

    pub(crate) fn has_any(&self, _: &Id) -> bool {
        match *self {}
    }

    pub(crate) fn take_set_aside(&mut self) -> u64 {
        match *self {}
    }

    pub(crate) fn append(&mut self, _: Note, _: &[u8]) -> Result<Place, Refused> {
        match *self {}
    }

    pub(crate) fn take_over(&mut self, _: u64) -> io::Result<Found> {
        match *self {}
    }

    pub(crate) fn next(&mut self) -> Option<Next> {
        match *self {}
    }

    pub(crate) fn settle(&mut self, _: &Ticket) {
        match *self {}
    }
}
