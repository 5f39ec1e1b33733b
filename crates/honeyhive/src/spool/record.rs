//! A spool file has a head, then records, each with a header of its own.
//!
//! All numbers are little-endian. The first byte of a record says whether it is still to be delivered; it is
//! overwritten in place, so no checksum covers it.

use crc32fast::Hasher;

use super::note::{Id, Kind, Note};

/// Each file begins with these bytes; the last one is the version.
const MAGIC: [u8; 8] = *b"HHSPOOL\x01";

pub(super) const STILL_TO_DELIVER: u8 = b'P';
pub(super) const DONE: u8 = b'D';

/// The head begins a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// The destination is a hash of the deployment and the key: it tells whether two are the same, and nothing about
    /// them.
    pub(super) destination: u32,
    /// The file was begun at this time, in nanoseconds: later files of a process have greater ones.
    pub(super) begun: u64,
}

impl Head {
    pub(super) const BYTES: usize = 24;

    pub(super) fn encode(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&self.destination.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.begun.to_le_bytes());
        let sum = checksum(&bytes[..20]);
        bytes[20..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Returns true for the head of a later version, of which nothing else is known.
    pub(super) fn is_newer(bytes: &[u8; Self::BYTES]) -> bool {
        const VERSION: usize = MAGIC.len() - 1;
        bytes[..VERSION] == MAGIC[..VERSION] && bytes[VERSION] > MAGIC[VERSION]
    }

    /// Reads a head; `None` for bytes that are no head of this version.
    pub(super) fn decode(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let is_ours = bytes.starts_with(&MAGIC) && u32_at(bytes, 20) == checksum(&bytes[..20]);
        is_ours.then(|| Self {
            destination: u32_at(bytes, 8),
            begun: u64_at(bytes, 12),
        })
    }
}

/// The header is a note, and the size of the body that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) note: Note,
    pub(super) is_done: bool,
    pub(super) body_bytes: u32,
    pub(super) body_sum: u32,
}

impl Header {
    pub(super) const BYTES: usize = 42;

    pub(super) fn of(note: Note, body: &[u8]) -> Option<Self> {
        Some(Self {
            note,
            is_done: false,
            body_bytes: u32::try_from(body.len()).ok()?,
            body_sum: checksum(body),
        })
    }

    pub(super) fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[0] = if self.is_done { DONE } else { STILL_TO_DELIVER };
        bytes[1] = self.note.kind.code();
        bytes[2..6].copy_from_slice(&self.note.items.to_le_bytes());
        bytes[6..14].copy_from_slice(&self.note.mark.to_le_bytes());
        bytes[14..30].copy_from_slice(&self.note.id);
        bytes[30..34].copy_from_slice(&self.body_bytes.to_le_bytes());
        bytes[34..38].copy_from_slice(&self.body_sum.to_le_bytes());
        let sum = checksum(&bytes[1..38]);
        bytes[38..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads a header; `None` for bytes that are damaged.
    pub(super) fn decode(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        if u32_at(bytes, 38) != checksum(&bytes[1..38]) {
            return None;
        }
        let mut id = Id::default();
        id.copy_from_slice(&bytes[14..30]);
        Some(Self {
            note: Note {
                kind: Kind::of(bytes[1])?,
                id,
                items: u32_at(bytes, 2),
                mark: u64_at(bytes, 6),
            },
            // Any other byte means "not done": better delivered twice than never.
            is_done: bytes[0] == DONE,
            body_bytes: u32_at(bytes, 30),
            body_sum: u32_at(bytes, 34),
        })
    }

    /// Returns the bytes of the record, its body included.
    pub(super) const fn total(&self) -> u64 {
        Self::BYTES as u64 + self.body_bytes as u64
    }
}

pub(super) fn checksum(bytes: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(bytes);
    hasher.finalize()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(number)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: Note = Note {
        kind: Kind::Update,
        id: [7; 16],
        items: 3,
        mark: 9,
    };

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let header = Header::of(NOTE, b"body").unwrap();
        assert_eq!(Header::decode(&header.encode()), Some(header));
        let head = Head {
            destination: 1,
            begun: 2,
        };
        assert_eq!(Head::decode(&head.encode()), Some(head));
    }

    #[test]
    fn a_flipped_bit_is_noticed_wherever_it_is_but_in_the_state() {
        let header = Header::of(NOTE, b"body").unwrap().encode();
        for bit in 8..Header::BYTES * 8 {
            let mut flipped = header;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&flipped), None, "bit {bit}");
        }
        for bit in 0..8 {
            let mut flipped = header;
            flipped[0] ^= 1 << bit;
            let read = Header::decode(&flipped);
            // The letters 'P' and 'D' are two bits apart.
            assert!(read.is_some_and(|header| !header.is_done), "bit {bit}");
        }
        let head = Head {
            destination: 1,
            begun: 2,
        };
        for bit in 0..Head::BYTES * 8 {
            let mut flipped = head.encode();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Head::decode(&flipped), None, "bit {bit}");
        }
    }
}
