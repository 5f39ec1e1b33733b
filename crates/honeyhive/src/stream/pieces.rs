//! [`each_piece`] reads the pieces of a buffer, whatever crate the buffer is of.

use std::io::IoSlice;

/// So many pieces of a buffer are read at the most.
const MOST: usize = 16;

/// Reads a buffer of `length` bytes, which most have in their first piece; `fill` shows the pieces of any other.
/// Returns the number of bytes that were not read: a buffer may show its first piece alone, or have more pieces than
/// are read.
#[inline]
pub(crate) fn each_piece<'a>(
    first: &'a [u8],
    length: usize,
    fill: impl FnOnce(&mut [IoSlice<'a>]) -> usize,
    mut read: impl FnMut(&[u8]),
) -> usize {
    if first.len() == length {
        read(first);
        return 0;
    }
    let mut pieces = [IoSlice::new(&[]); MOST];
    let count = fill(&mut pieces);
    let mut unread = length;
    for piece in pieces.iter().take(count) {
        read(piece);
        unread = unread.saturating_sub(piece.len());
    }
    unread
}
