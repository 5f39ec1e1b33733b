//! [`Queue`] holds the gathered items and the accounts, both under one lock.

use opentelemetry_sdk::trace::SpanData;

#[cfg(feature = "client")]
use super::command::Asked;
use super::command::Command;
use super::load::{Load, Medium};
use super::record::Record;
use crate::report::Drops;

/// The delivery thread is woken for this many items in the inbox.
pub(crate) const BATCH: usize = 512;

/// The inbox holds the items that have gathered since the delivery thread last looked.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) records: Vec<Record>,
    pub(crate) spans: Vec<SpanData>,
    pub(crate) commands: Vec<Command>,
    /// The calls are those of the typed client.
    #[cfg(feature = "client")]
    pub(crate) calls: Vec<Asked>,
}

impl Inbox {
    pub(crate) fn is_empty(&self) -> bool {
        #[cfg(feature = "client")]
        if !self.calls.is_empty() {
            return false;
        }
        self.records.is_empty() && self.spans.is_empty() && self.commands.is_empty()
    }

    /// Gives back the room of an unusual burst.
    pub(crate) fn shrink(&mut self) {
        const USUAL: usize = 16 * BATCH;
        self.records.shrink_to(USUAL);
        self.spans.shrink_to(USUAL);
    }
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) inbox: Inbox,
    /// The delivery thread has been woken to make room.
    pub(super) is_asked_for_room: bool,
    /// Nothing more is accepted.
    pub(super) closed: bool,
    /// The delivery thread is gone, and reads no commands any more.
    pub(super) abandoned: bool,
    pub(super) accepted: u64,
    pub(super) delivered: u64,
    /// The pending load is in memory.
    pub(super) pending: Load,
    /// The spooled items are on disk.
    pub(super) spooled: u64,
    /// Files of the spool that could not be read are set aside.
    pub(super) set_aside: u64,
    pub(super) dropped: Drops,
    pub(super) retried: u64,
}

impl Queue {
    pub(super) fn release(&mut self, load: Load, from: Medium) {
        match from {
            Medium::Memory => {
                self.pending.items -= load.items;
                self.pending.bytes -= load.bytes;
            }
            Medium::Disk => self.spooled -= load.items,
        }
    }
}
