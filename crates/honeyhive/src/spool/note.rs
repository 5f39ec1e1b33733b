//! [`Note`] is what is known of a record besides its body.

/// The id of a record's session or event is kept in bytes.
pub(crate) type Id = [u8; 16];

/// A record has one of these kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A session begins.
    Start,
    /// A session or an event is updated.
    Update,
    /// The spans may be of any sessions.
    Traces,
}

impl Kind {
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Start => 1,
            Self::Update => 2,
            Self::Traces => 3,
        }
    }

    pub(super) const fn of(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Start),
            2 => Some(Self::Update),
            3 => Some(Self::Traces),
            _ => None,
        }
    }
}

/// The note has the facts about a record besides its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) kind: Kind,
    pub(crate) id: Id,
    /// So many items end with the record.
    pub(crate) items: u32,
    /// The mark is a number of the writing process's own.
    pub(crate) mark: u64,
}
