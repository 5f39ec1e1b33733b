//! [`header_value`].

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};

use crate::id::SessionId;

/// A page, for the texts of so many ids.
const BLOCK: usize = 4096;

thread_local! {
    static BLOCK_HERE: RefCell<BytesMut> = RefCell::default();
}

/// The value of the header that carries a session's id.
///
/// It is cut from a block that many values share, which costs half of what an allocation of its own would; a block
/// is given back, or used again, when the last of its values is gone.
#[must_use]
pub fn header_value(id: SessionId) -> Bytes {
    let mut buffer = [0; SessionId::LENGTH];
    let text = id.encode(&mut buffer).as_bytes();
    BLOCK_HERE.with_borrow_mut(|block| {
        if block.capacity() < text.len() {
            block.reserve(BLOCK);
        }
        block.extend_from_slice(text);
        block.split().freeze()
    })
}
