//! All HTTP clients have these parts in common: the limit of an answer, and the reasons for having none.

/// The caller reads this part of an answer.
#[derive(Debug, Clone, Copy)]
pub(in crate::wire) enum Wanted {
    /// The caller wants the first bytes, as many as came: the status tells the rest.
    Beginning,
    /// The caller wants the whole answer, up to this many bytes. A longer one has one byte more.
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

    /// Returns whether an answer counts whose body breaks off.
    #[cfg(feature = "reqwest")]
    pub(super) const fn takes_fragments(self) -> bool {
        matches!(self, Self::Beginning)
    }
}

/// The failure tells why there is no answer.
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
