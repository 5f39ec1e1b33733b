//! The value of the header that carries a session's id.

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};

use crate::id::SessionId;
use crate::outbox::StartRecord;

/// A page, for the texts of so many ids.
const BLOCK: usize = 4096;

thread_local! {
    static TEXTS: RefCell<BytesMut> = RefCell::default();
}

/// The id as text, cut from a block that many requests share: that costs half of what an allocation for each would.
/// A block is given back, or used again, when the last of its texts is gone.
pub(super) fn header_value(start: &StartRecord) -> Bytes {
    TEXTS.with_borrow_mut(|texts| {
        if texts.capacity() < SessionId::LENGTH {
            texts.reserve(BLOCK);
        }
        start.with_text(|text| texts.extend_from_slice(text.as_bytes()));
        texts.split().freeze()
    })
}
