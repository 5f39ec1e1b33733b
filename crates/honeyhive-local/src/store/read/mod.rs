//! Each read is of one moment.

mod events;
mod facets;
mod list;
mod orphans;
mod records;
mod rows;
mod runs;
mod search;
mod sessions;
mod tree;
mod words;

use rusqlite::Connection;

pub(crate) use facets::Facets;
pub(crate) use list::{Listed, MOST_FOUND, SessionFilter};
pub(crate) use orphans::Orphan;
pub(crate) use rows::SessionRow;
pub(crate) use search::Found;
pub(crate) use tree::{Tree, TreeRow};

/// A `Reading` is a connection inside a transaction.
#[derive(Debug)]
pub(crate) struct Reading<'c> {
    connection: &'c Connection,
}

impl<'c> Reading<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self { connection }
    }
}
