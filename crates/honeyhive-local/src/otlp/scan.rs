//! A scan counts the messages in a protobuf message before it is read. An empty message takes two bytes and becomes a
//! few hundred, so a body may ask for a hundred times its size.

use crate::rest::Invalid;

/// A message of more parts is refused; a full batch of the official SDKs has a tenth of them.
const MOST_PARTS: usize = 500_000;

/// The reader itself refuses deeper values.
const DEEPEST: usize = 96;

/// A `Message` is a kind of message: the fields of it that hold messages, and of which kind; and whether it is counted
/// as a record.
#[derive(Debug)]
pub(super) struct Message {
    fields: &'static [(u64, &'static Self)],
    is_record: bool,
}

const fn of(fields: &'static [(u64, &'static Message)]) -> Message {
    Message {
        fields,
        is_record: false,
    }
}

const fn record(fields: &'static [(u64, &'static Message)]) -> Message {
    Message {
        fields,
        is_record: true,
    }
}

static VALUE: Message = of(&[(5, &LIST), (6, &LIST)]);
static LIST: Message = of(&[(1, &LISTED)]);
/// `LISTED` is a value in an array, or a pair in a list of pairs: both hold values at most two levels down.
static LISTED: Message = of(&[(2, &VALUE), (5, &LIST), (6, &LIST)]);
static PAIR: Message = of(&[(2, &VALUE)]);
static WITH_ATTRIBUTES: Message = of(&[(1, &PAIR)]);
static SCOPE: Message = of(&[(3, &PAIR)]);
static EVENT: Message = of(&[(3, &PAIR)]);
static LINK: Message = of(&[(4, &PAIR)]);
static SPAN: Message = record(&[(9, &PAIR), (11, &EVENT), (13, &LINK)]);
static SCOPE_SPANS: Message = of(&[(1, &SCOPE), (2, &SPAN)]);
static RESOURCE_SPANS: Message = of(&[(1, &WITH_ATTRIBUTES), (2, &SCOPE_SPANS)]);
pub(super) static TRACES: Message = of(&[(1, &RESOURCE_SPANS)]);

static DATA_POINT: Message = record(&[]);
static POINTS: Message = of(&[(1, &DATA_POINT)]);
static METRIC: Message = of(&[
    (5, &POINTS),
    (7, &POINTS),
    (9, &POINTS),
    (10, &POINTS),
    (11, &POINTS),
]);
static SCOPE_METRICS: Message = of(&[(2, &METRIC)]);
static RESOURCE_METRICS: Message = of(&[(2, &SCOPE_METRICS)]);
pub(super) static METRICS: Message = of(&[(1, &RESOURCE_METRICS)]);

static LOG_RECORD: Message = record(&[]);
static SCOPE_LOGS: Message = of(&[(2, &LOG_RECORD)]);
static RESOURCE_LOGS: Message = of(&[(2, &SCOPE_LOGS)]);
pub(super) static LOGS: Message = of(&[(1, &RESOURCE_LOGS)]);

/// Returns the number of records in a body, or the reason for refusing it.
pub(super) fn records(body: &[u8], message: &'static Message) -> Result<u64, Invalid> {
    let mut scan = Scan::default();
    scan.message(body, message, 0)?;
    Ok(scan.records)
}

#[derive(Default)]
struct Scan {
    parts: usize,
    records: u64,
}

impl Scan {
    fn message(&mut self, mut rest: &[u8], kind: &Message, depth: usize) -> Result<(), Invalid> {
        self.parts += 1;
        self.records += u64::from(kind.is_record);
        if self.parts > MOST_PARTS {
            return Err(Invalid(format!(
                "the body holds more than {MOST_PARTS} messages: send it in parts"
            )));
        }
        while !rest.is_empty() {
            let (field, content, after) = field(rest).ok_or_else(invalid)?;
            rest = after;
            let mut inner = kind.fields.iter();
            let inner = inner.find(|(number, _)| *number == field);
            if let (Some(content), Some((_, inner))) = (content, inner)
                && depth < DEEPEST
            {
                self.message(content, inner, depth + 1)?;
            }
        }
        Ok(())
    }
}

fn invalid() -> Invalid {
    Invalid("invalid protobuf".to_owned())
}

/// A `Field` is the number of the first field, its bytes where it is delimited, and the rest behind it.
type Field<'b> = (u64, Option<&'b [u8]>, &'b [u8]);

fn field(bytes: &[u8]) -> Option<Field<'_>> {
    const VARINT: u64 = 0;
    const EIGHT_BYTES: u64 = 1;
    const DELIMITED: u64 = 2;
    const FOUR_BYTES: u64 = 5;
    let (tag, rest) = varint(bytes)?;
    let number = tag >> 3;
    match tag & 7 {
        VARINT => varint(rest).map(|(_, rest)| (number, None, rest)),
        EIGHT_BYTES => rest.get(8..).map(|rest| (number, None, rest)),
        FOUR_BYTES => rest.get(4..).map(|rest| (number, None, rest)),
        DELIMITED => {
            let (length, rest) = varint(rest)?;
            let length = usize::try_from(length).ok()?;
            let content = rest.get(..length)?;
            Some((number, Some(content), &rest[length..]))
        }
        _ => None,
    }
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * index as u32);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{MOST_PARTS, TRACES, records};

    /// Returns a delimited field.
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2];
        let mut length = content.len();
        while length >= 0x80 {
            bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend_from_slice(content);
        bytes
    }

    #[test]
    fn spans_are_counted_and_too_many_are_refused() {
        let request = |spans: usize| field(1, &field(2, &field(2, &[]).repeat(spans)));
        assert_eq!(records(&request(3), &TRACES).ok(), Some(3));
        assert!(records(&request(MOST_PARTS), &TRACES).is_err());
        assert!(records(&[0x0a, 0x05, 0x01], &TRACES).is_err());
    }
}
