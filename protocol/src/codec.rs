//! Reading and writing the fields of a message: little-endian integers, booleans of one byte, byte
//! arrays behind a `u64` length (`neo-transport.md` section 5).
//!
//! [`Reader`] takes any bytes and answers with a value or a [`DecodeError`] that names the field, the
//! offset and the reason. It borrows from its input and never allocates, so a claimed length costs
//! nothing. Writing appends to a `Vec<u8>` through [`Put`].

use thiserror::Error;

/// Why bytes are not the message they should be: which field, where, and what is wrong with it.
#[derive(Clone, Debug, Error, Eq, Hash, PartialEq)]
#[error("{field} at offset {offset}: {reason}")]
pub struct DecodeError {
    /// The field that could not be read, by its name in the specification.
    pub field: &'static str,
    /// Offset of the field from the start of the payload, in bytes; never beyond its end. Inside a batch
    /// it counts from the start of the decompressed bytes.
    pub offset: usize,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong with a field.
#[derive(Clone, Debug, Error, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// A field of fixed size does not fit in what is left of the message.
    #[error("{needed} bytes needed, {left} left")]
    Truncated {
        /// Bytes that the field takes.
        needed: usize,
        /// Bytes that were left.
        left: usize,
    },
    /// An array claims more bytes than are left in the message.
    #[error("claims {claimed} bytes, {left} left")]
    Overlong {
        /// The length that was claimed, in bytes.
        claimed: u64,
        /// Bytes that were left.
        left: usize,
    },
    /// Bytes follow where the message should have ended.
    #[error("{extra} bytes behind the end of the message")]
    Surplus {
        /// How many.
        extra: usize,
    },
    /// A value that the field cannot have.
    #[error("value {value:#04x} is not allowed here")]
    Value {
        /// The byte that was found.
        value: u8,
    },
    /// Something else than 16 hexadecimal digits.
    #[error("16 hexadecimal digits needed")]
    NotDigits,
    /// A hash range whose lower end is above its upper end and which is not the empty range.
    #[error("the range {min:016x}..{max:016x} is upside down")]
    Range {
        /// Lower end.
        min: u64,
        /// Upper end.
        max: u64,
    },
    /// A compressed block that does not decompress to what it announces.
    #[error("{0}")]
    Compression(#[from] crate::lzo::LzoError),
}

/// Reads the fields of one message, front to back.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from the start.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// Offset of the next field from the start of the message.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes not read yet.
    pub fn left(&self) -> usize {
        self.bytes.len() - self.offset
    }

    /// An unsigned byte.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.fixed::<1>(field).map(|[byte]| byte)
    }

    /// A boolean; anything but 0 and 1 is an error (`neo-transport.md` Q5).
    pub fn bool(&mut self, field: &'static str) -> Result<bool, DecodeError> {
        let offset = self.offset;
        match self.u8(field)? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(DecodeError {
                field,
                offset,
                reason: Reason::Value { value },
            }),
        }
    }

    /// A big-endian `u16`; only port numbers in NewNode are written that way.
    pub fn u16_be(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.fixed(field).map(u16::from_be_bytes)
    }

    /// A `u32`.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.fixed(field).map(u32::from_le_bytes)
    }

    /// A `u64`.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.fixed(field).map(u64::from_le_bytes)
    }

    /// A byte array behind its `u64` length.
    pub fn array(&mut self, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let offset = self.offset;
        let claimed = self.u64(field)?;
        let left = self.left();
        match usize::try_from(claimed) {
            Ok(length) if length <= left => Ok(self.take(length)),
            _ => Err(DecodeError {
                field,
                offset,
                reason: Reason::Overlong { claimed, left },
            }),
        }
    }

    /// An array of fixed size without a length.
    pub fn fixed<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        match self.bytes[self.offset..].first_chunk::<N>() {
            Some(chunk) => {
                self.offset += N;
                Ok(*chunk)
            }
            None => Err(DecodeError {
                field,
                offset: self.offset,
                reason: Reason::Truncated {
                    needed: N,
                    left: self.left(),
                },
            }),
        }
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        self.take(self.left())
    }

    /// The message must end here.
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.left() {
            0 => Ok(()),
            extra => Err(DecodeError {
                field: "end of message",
                offset: self.offset,
                reason: Reason::Surplus { extra },
            }),
        }
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (start, end) = (self.offset, self.offset + length);
        self.offset = end;
        &self.bytes[start..end]
    }
}

/// Writing fields, the counterpart of [`Reader`].
pub trait Put {
    /// An unsigned byte.
    fn put_u8(&mut self, value: u8);
    /// A boolean as one byte, 0 or 1.
    fn put_bool(&mut self, value: bool) {
        self.put_u8(u8::from(value));
    }
    /// A `u32`.
    fn put_u32(&mut self, value: u32);
    /// A `u64`.
    fn put_u64(&mut self, value: u64);
    /// A byte array behind its `u64` length.
    fn put_array(&mut self, value: &[u8]);
}

impl Put for Vec<u8> {
    fn put_u8(&mut self, value: u8) {
        self.push(value);
    }

    fn put_u32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_le_bytes());
    }

    fn put_u64(&mut self, value: u64) {
        self.extend_from_slice(&value.to_le_bytes());
    }

    fn put_array(&mut self, value: &[u8]) {
        self.put_u64(value.len() as u64);
        self.extend_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_length_is_checked_before_it_is_believed() {
        let mut bytes = Vec::new();
        bytes.put_u64(1 << 63);
        bytes.extend_from_slice(b"abc");
        let error = Reader::new(&bytes).array("value").unwrap_err();
        assert_eq!(
            error.reason,
            Reason::Overlong {
                claimed: 1 << 63,
                left: 3
            }
        );
        assert_eq!(
            error.to_string(),
            "value at offset 0: claims 9223372036854775808 bytes, 3 left"
        );
    }

    #[test]
    fn only_zero_and_one_are_booleans() {
        for value in 2..=255 {
            let error = Reader::new(&[value]).bool("keys_only").unwrap_err();
            assert_eq!(error.reason, Reason::Value { value });
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let mut bytes = Vec::new();
        bytes.put_u8(7);
        bytes.put_bool(true);
        bytes.put_u32(0x0102_0304);
        bytes.put_u64(0x0102_0304_0506_0708);
        bytes.put_array(b"demo");
        assert_eq!(bytes[2..6], [4, 3, 2, 1], "little-endian");
        bytes.extend([0x2b, 0x5c]);
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.u8("a"), Ok(7));
        assert_eq!(reader.bool("b"), Ok(true));
        assert_eq!(reader.u32("c"), Ok(0x0102_0304));
        assert_eq!(reader.u64("d"), Ok(0x0102_0304_0506_0708));
        assert_eq!(reader.array("e"), Ok(&b"demo"[..]));
        assert_eq!((reader.offset(), reader.left()), (26, 2));
        assert_eq!(reader.u16_be("f"), Ok(0x2b5c));
        assert_eq!(reader.finish(), Ok(()));
        let end = reader.u8("g").unwrap_err();
        assert_eq!((end.offset, end.field), (28, "g"));
        assert_eq!(end.reason, Reason::Truncated { needed: 1, left: 0 });
    }

    #[test]
    fn surplus_is_told_with_its_offset() {
        let mut reader = Reader::new(&[1, 2, 3]);
        reader.u8("type").unwrap();
        let error = reader.finish().unwrap_err();
        assert_eq!(
            (error.offset, error.reason),
            (1, Reason::Surplus { extra: 2 })
        );
    }
}
