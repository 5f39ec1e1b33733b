//! Common parts of all HTTP clients: the limit of an answer, and the reasons for having none.

/// The part of an answer that the caller reads.
#[derive(Debug, Clone, Copy)]
pub(in crate::wire) enum Wanted {
    /// The first bytes, as many as came: the status says all.
    Beginning,
    /// The whole answer, up to so many bytes. A longer one has one byte more.
    #[cfg(feature = "client")]
    Whole(usize),
}

impl Wanted {
    /// Returns the most bytes that are read.
    pub(super) const fn most(self) -> usize {
        const BEGINNING: usize = 64 * 1024;
        match self {
            Self::Beginning => BEGINNING,
            #[cfg(feature = "client")]
            Self::Whole(most) => most + 1,
        }
    }

    /// Whether an answer counts whose body breaks off.
    #[cfg(feature = "reqwest")]
    pub(super) const fn takes_fragments(self) -> bool {
        matches!(self, Self::Beginning)
    }
}

/// The reason for which there is no answer.
#[derive(Debug)]
pub(in crate::wire) struct Unanswered {
    pub(in crate::wire) detail: String,
    /// HoneyHive may have seen the call.
    #[cfg_attr(
        not(feature = "client"),
        expect(dead_code, reason = "asked by the typed client")
    )]
    pub(in crate::wire) may_have_arrived: bool,
}
