//! Record batches: the compressed blocks of GetAll, GetAllKeys, GetAllFilter and PutBatch
//! (`legacy.md` 5). A block is the content of one array; the compression is [`crate::lzo`].
//!
//! Inside, records stand back to back, key and value as arrays; or keys alone.

use std::fmt;

use bytes::Bytes;

use super::key::{self, KeyText};
use crate::codec::{DecodeError, Put, Reader, Reason};
use crate::key::Key;
use crate::lzo;
pub use crate::neo::batch::Pushed;

/// Plain bytes that a batch may hold.
pub const LIMIT: usize = 65_536;
/// Largest value that fits in a batch, in bytes.
pub const MAX_VALUE: usize = LIMIT - KEY_ARRAY - LENGTH;
/// Plain bytes that are accepted: a sender may have another limit than ours, but not any.
pub const MAX_PLAIN: usize = 10 * 1024 * 1024;

/// Bytes of the length of an array.
const LENGTH: usize = 8;
/// Bytes of a key.
const KEY_ARRAY: usize = LENGTH + KeyText::LEN;

/// A batch that is being filled, with records or with keys alone: only one of the two in a batch.
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct Batch {
    plain: Vec<u8>,
}

impl Batch {
    /// Appends a record if it fits.
    pub fn push(&mut self, key: Key, value: &[u8]) -> Pushed {
        if value.len() > MAX_VALUE {
            return Pushed::TooBig;
        }
        if self.plain.len() + KEY_ARRAY + LENGTH + value.len() > LIMIT {
            return Pushed::Full;
        }
        self.plain.put_array(&key::digits(key));
        self.plain.put_array(value);
        Pushed::Added
    }

    /// Appends a key alone if it fits; it is never too big.
    pub fn push_key(&mut self, key: Key) -> Pushed {
        if self.plain.len() + KEY_ARRAY > LIMIT {
            return Pushed::Full;
        }
        self.plain.put_array(&key::digits(key));
        Pushed::Added
    }

    /// Does it hold nothing?
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty()
    }

    /// Compresses the batch to a block and leaves it empty. An empty one is legal too.
    pub fn finish(&mut self) -> Vec<u8> {
        let block = lzo::compress(&self.plain);
        self.plain.clear();
        block
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Batch({} bytes)", self.plain.len())
    }
}

/// A block with one record that may be larger than a batch may become. Whoever sends it must know that it
/// is not too large for the other side.
pub fn alone(key: Key, value: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(KEY_ARRAY + LENGTH + value.len());
    plain.put_array(&key::digits(key));
    plain.put_array(value);
    lzo::compress(&plain)
}

/// The records of a block, in the order in which they were sent; none is legal. The values share one
/// allocation of at most [`MAX_PLAIN`] bytes: who keeps a few of many for long should copy them.
pub fn decode_records(block: &[u8]) -> Result<Vec<(Key, Bytes)>, DecodeError> {
    let plain = decompress(block)?;
    let mut reader = Reader::new(&plain);
    let mut records = Vec::new();
    while reader.left() > 0 {
        let key = key_array(&mut reader)?;
        let length = reader.array("value")?.len();
        let end = reader.offset();
        records.push((key, plain.slice(end - length..end)));
    }
    Ok(records)
}

/// The keys of a block that holds keys alone, in the order in which they were sent.
pub fn decode_keys(block: &[u8]) -> Result<Vec<Key>, DecodeError> {
    let plain = decompress(block)?;
    let mut reader = Reader::new(&plain);
    let mut keys = Vec::new();
    while reader.left() > 0 {
        keys.push(key_array(&mut reader)?);
    }
    Ok(keys)
}

fn decompress(block: &[u8]) -> Result<Bytes, DecodeError> {
    match lzo::decompress(block, MAX_PLAIN) {
        Ok(plain) => Ok(plain.into()),
        Err(error) => Err(DecodeError {
            field: "batch",
            offset: 0,
            reason: error.into(),
        }),
    }
}

fn key_array(reader: &mut Reader<'_>) -> Result<Key, DecodeError> {
    let offset = reader.offset();
    let array = reader.array("key")?;
    key::parse(array).ok_or(DecodeError {
        field: "key",
        offset,
        reason: Reason::NotDigits,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::hex;

    /// Three records as a dhtnode sent them (`legacy.md` 5).
    const RECORDED: &str = "7800000000000000
        06 10 00 00 00 00 00 00 00 30 2d 02 00 08 00 a0
        00 05 72 65 63 6f 72 64 20 30 35 9d 00 31 2d 9d
        00 31 32 9c 00 00 02 30 30 30 32 08 00 00 00 00
        00 00 00 72 65 63 6f 72 64 20 32 11 00 00";

    #[test]
    fn a_recorded_batch_is_understood() {
        let expected: Vec<_> = (0..3)
            .map(|key| (Key(key), Bytes::from(format!("record {key}"))))
            .collect();
        assert_eq!(decode_records(&hex(RECORDED)), Ok(expected));
    }

    #[test]
    fn an_empty_batch_is_length_zero_and_the_end_mark() {
        let empty = hex("0000000000000000 110000");
        assert_eq!(Batch::default().finish(), empty);
        assert_eq!(decode_records(&empty), Ok(vec![]));
        assert_eq!(decode_keys(&empty), Ok(vec![]));
    }

    #[test]
    fn the_limit_is_hard() {
        let mut batch = Batch::default();
        assert_eq!(batch.push(Key(1), &[0; MAX_VALUE + 1]), Pushed::TooBig);
        assert_eq!(batch.push(Key(1), &[0; MAX_VALUE]), Pushed::Added);
        assert_eq!(batch.push(Key(2), b""), Pushed::Full);
        assert_eq!(batch.push_key(Key(2)), Pushed::Full);
        assert_eq!(batch.finish()[..8], 65_536_u64.to_le_bytes());
        assert_eq!(MAX_VALUE, 65_504);
    }

    #[test]
    fn a_batch_is_filled_to_the_last_byte() {
        let overhead = KEY_ARRAY + LENGTH;
        let room = LIMIT - (overhead + 1000) - overhead;
        for (length, pushed) in [(room, Pushed::Added), (room + 1, Pushed::Full)] {
            let mut batch = Batch::default();
            assert_eq!(batch.push(Key(1), &[0; 1000]), Pushed::Added);
            assert_eq!(batch.push(Key(2), &vec![0; length]), pushed, "{length}");
        }
        let mut batch = Batch::default();
        let keys = (0..).take_while(|key| batch.push_key(Key(*key)) == Pushed::Added);
        assert_eq!(keys.count(), LIMIT / KEY_ARRAY);
    }

    #[test]
    fn up_to_ten_mebibytes_are_accepted() {
        for (announced, accepted) in [(10_485_760_u64, true), (10_485_761, false)] {
            // So short a stream cannot become that much; but that is looked at afterwards.
            let block = [&announced.to_le_bytes()[..], &[17, 0, 0]].concat();
            let error = decode_keys(&block).unwrap_err();
            let refused = matches!(
                error.reason,
                Reason::Compression(lzo::LzoError::AboveLimit { .. })
            );
            assert_eq!(refused, !accepted, "{error}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_with_its_place() {
        let mut plain = Vec::new();
        plain.put_array(b"0000000000000001");
        plain.put_array(b"v");
        let second = plain.len();
        plain.put_array(b"000000000000000x");
        plain.put_array(b"v");
        let error = decode_records(&lzo::compress(&plain)).unwrap_err();
        assert_eq!((error.field, error.offset), ("key", second));
        plain.truncate(second);
        plain.put_array(b"0000000000000002");
        let error = decode_records(&lzo::compress(&plain)).unwrap_err();
        assert_eq!((error.field, error.offset), ("value", plain.len()));
    }

    proptest! {
        #[test]
        fn records_round_trip(records: Vec<(u64, Vec<u8>)>) {
            let mut batch = Batch::default();
            let records: Vec<_> = records
                .into_iter()
                .map(|(key, value)| (Key(key), Bytes::from(value)))
                .collect();
            for (key, value) in &records {
                prop_assert_eq!(batch.push(*key, value), Pushed::Added);
            }
            prop_assert_eq!(decode_records(&batch.finish()), Ok(records));
        }

        #[test]
        fn any_block_gives_an_answer(block: Vec<u8>) {
            let _ = (decode_records(&block), decode_keys(&block));
        }
    }
}
