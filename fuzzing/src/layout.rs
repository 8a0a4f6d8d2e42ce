//! Where the fields of a message stand: a second description of every layout, after `neo-requests.md`, to
//! damage messages by and to compare the decoders with.

use arbitrary::{Result, Unstructured};

/// A field, and what is special about it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Field {
    /// The type of the message; the direction has those from the second to the third.
    Type(u8, u8, u8),
    /// Bytes that may have any value.
    Fixed(usize),
    /// 0 or 1.
    Bool,
    /// Bytes behind their length.
    Array,
    /// Two bounds, of which the first is not above the second.
    Range,
}

use Field::{Array, Bool, Fixed, Range, Type};

const KEY: Field = Fixed(8);

/// The layouts of all messages: by the name of [`Message`](crate::messages::Message), one for each type that
/// has other fields than the rest. New ones stand at the end, as with the messages.
pub(crate) const LAYOUTS: &[(&str, &[Field])] = &[
    ("timestamp", &[Fixed(8)]),
    ("nonce", &[Fixed(4)]),
    ("verdict", &[Bool]),
    ("status", &[Type(0xfd, 0xfd, 0xff)]),
    ("get-hash-range", &[]),
    ("get-hash-range-range", &[Range]),
    (
        "get-hash-range-update",
        &[Type(1, 1, 2), Fixed(4), Fixed(2), Range],
    ),
    ("get-hash-range-update", &[Type(2, 1, 2), Range]),
    ("put", &[Array, KEY, Array]),
    ("put-reply", &[Type(1, 1, 3)]),
    ("record", &[Array, KEY]),
    ("get-reply", &[Type(2, 1, 4)]),
    ("get-value", &[Array]),
    ("exists-reply", &[Type(3, 1, 4)]),
    ("remove-reply", &[Type(4, 1, 4)]),
    ("remove-channel", &[Array]),
    ("remove-channel-reply", &[Type(1, 1, 3)]),
    ("get-channels", &[]),
    ("get-channels-node", &[Type(1, 1, 3)]),
    ("get-channels-node", &[Type(2, 1, 3), Array]),
    ("get-channels-node", &[Type(3, 1, 3)]),
    ("get-all", &[Bool, Array, Bool, KEY, Bool, Array]),
    ("get-all-node", &[Type(4, 4, 8)]),
    ("get-all-node", &[Type(5, 4, 8)]),
    ("get-all-node", &[Type(6, 4, 8)]),
    ("get-all-node", &[Type(7, 4, 8), Array]),
    ("get-all-node", &[Type(8, 4, 8)]),
    ("control", &[Type(1, 1, 4)]),
    ("mirror", &[Bool, Array, Bool, Fixed(4)]),
    ("mirror-node", &[Type(4, 4, 11)]),
    ("mirror-node", &[Type(7, 4, 11), KEY, Array]),
    ("mirror-node", &[Type(8, 4, 11), KEY]),
    ("mirror-node", &[Type(9, 4, 11), Array]),
    ("mirror-node", &[Type(11, 4, 11)]),
    ("update", &[Type(1, 1, 2), Array, KEY]),
    ("update", &[Type(2, 1, 2), Array, KEY, Fixed(8), Array]),
    ("update-client", &[Type(2, 2, 4), Fixed(8), Array]),
    ("update-client", &[Type(3, 2, 4)]),
    ("update-client", &[Type(4, 2, 4)]),
    ("update-node", &[Type(5, 5, 10), Array]),
    ("update-node", &[Type(6, 5, 10)]),
    ("update-node", &[Type(10, 5, 10)]),
    ("proof", &[Array, Fixed(64)]),
];

/// A message with the places of its fields.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) payload: Vec<u8>,
    /// Each field with the offset of its first byte.
    pub(crate) fields: Vec<(usize, Field)>,
}

impl Written {
    /// A message with this layout and any values.
    pub(crate) fn any(layout: &[Field], input: &mut Unstructured<'_>) -> Result<Self> {
        let mut written = Self {
            payload: Vec::new(),
            fields: Vec::new(),
        };
        for field in layout {
            written.fields.push((written.payload.len(), *field));
            written.append(*field, input)?;
        }
        Ok(written)
    }

    fn append(&mut self, field: Field, input: &mut Unstructured<'_>) -> Result<()> {
        let out = &mut self.payload;
        match field {
            Type(code, ..) => out.push(code),
            Fixed(length) => {
                let start = out.len();
                out.resize(start + length, 0);
                input.fill_buffer(&mut out[start..])?;
            }
            Bool => out.push(u8::from(input.arbitrary::<bool>()?)),
            Array => {
                let length = input.int_in_range(0..=40)?.min(input.len());
                let bytes = input.bytes(length)?;
                out.extend_from_slice(&(length as u64).to_le_bytes());
                out.extend_from_slice(bytes);
            }
            Range => {
                let (one, other): (u64, u64) = input.arbitrary()?;
                out.extend_from_slice(&one.min(other).to_le_bytes());
                out.extend_from_slice(&one.max(other).to_le_bytes());
            }
        }
        Ok(())
    }

    /// The first byte of the piece that is read at once and has the byte at `offset`; a range is read as two
    /// numbers.
    pub(crate) fn read_from(&self, offset: usize) -> usize {
        let field = self.fields.iter().rev().find(|(start, _)| *start <= offset);
        match field {
            Some((start, Range)) if offset >= start + 8 => start + 8,
            Some((start, _)) => *start,
            None => 0,
        }
    }
}
