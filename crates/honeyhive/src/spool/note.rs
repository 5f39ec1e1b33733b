//! [`Note`]: what is known of a record besides its body.

/// The id of a record's session or event, in bytes.
pub(crate) type Id = [u8; 16];

/// The kind of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A session begins.
    Start,
    /// An update of a session or an event.
    Update,
    /// Spans, of whichever sessions.
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

/// The facts about a record besides its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) kind: Kind,
    pub(crate) id: Id,
    /// The number of items that end with the record.
    pub(crate) items: u32,
    /// A number of the writing process's own.
    pub(crate) mark: u64,
}
