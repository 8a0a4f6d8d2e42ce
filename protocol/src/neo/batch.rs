//! Record batches: the compressed blocks in which GetAll and a Mirror's refresh send records
//! (`neo-requests.md` 6.1 and 7.1, `neo-transport.md` section 13).
//!
//! The node fills a [`GetAllBatch`] or a [`RefreshBatch`] and finishes it to a block; the client takes a
//! block apart with [`decode_records`], [`decode_keys`] or [`decode_refresh`]. A block is the content of
//! one array field: the messages around it live with their requests, the compression in [`crate::lzo`].
//!
//! Inside a block records stand back to back. GetAll writes every field as an array, the key too;
//! a refresh writes the key as a bare `u64`. Offsets in errors count from the start of the *plain* bytes,
//! except for errors of the compression, which are about the block as a whole.

use std::collections::BTreeSet;
use std::fmt;

use bytes::Bytes;

use crate::codec::{DecodeError, Put, Reader, Reason};
use crate::key::Key;
use crate::lzo;

/// Plain bytes that a GetAll batch may hold, and at which a refresh batch is due.
pub const LIMIT: usize = 65_536;
/// Plain bytes that a refresh batch may hold: one byte less than is due, and one record more.
pub const REFRESH_LIMIT: usize = LIMIT - 1 + LIMIT;
/// Largest value that GetAll returns, in bytes; keys alone are returned whatever the value is.
pub const MAX_VALUE: usize = LIMIT - KEY_ARRAY - LENGTH;
/// Largest value that a refresh sends, in bytes.
pub const MAX_REFRESH_VALUE: usize = LIMIT - KEY - LENGTH;

/// Bytes of a key.
const KEY: usize = 8;
/// Bytes of the length of an array.
const LENGTH: usize = 8;
/// Bytes of a key that is written as an array.
const KEY_ARRAY: usize = LENGTH + KEY;

/// What became of a record that was pushed to a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pushed {
    /// It is in the batch.
    Added,
    /// It is not in the batch, which has to be finished first.
    Full,
    /// It is larger than any batch and can never be sent.
    TooBig,
}

/// A batch of GetAll that is being filled, with records or with keys alone: only one of the two in a
/// batch. Its limit is hard: it never exceeds [`LIMIT`] plain bytes.
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct GetAllBatch {
    plain: Vec<u8>,
}

impl GetAllBatch {
    /// Appends a record if it fits.
    pub fn push(&mut self, key: Key, value: &[u8]) -> Pushed {
        if value.len() > MAX_VALUE {
            return Pushed::TooBig;
        }
        if self.plain.len() + KEY_ARRAY + LENGTH + value.len() > LIMIT {
            return Pushed::Full;
        }
        self.plain.put_array(&key.0.to_le_bytes());
        self.plain.put_array(value);
        Pushed::Added
    }

    /// Appends a key alone if it fits; it is never too big.
    pub fn push_key(&mut self, key: Key) -> Pushed {
        if self.plain.len() + KEY_ARRAY > LIMIT {
            return Pushed::Full;
        }
        self.plain.put_array(&key.0.to_le_bytes());
        Pushed::Added
    }

    /// Does it hold nothing?
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty()
    }

    /// Compresses the batch to a block and leaves it empty. An empty one is legal too: the last batch of
    /// an iteration is sent even when there is nothing in it.
    pub fn finish(&mut self) -> Vec<u8> {
        finish(&mut self.plain)
    }
}

impl fmt::Debug for GetAllBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GetAllBatch({} bytes)", self.plain.len())
    }
}

/// A batch of a Mirror's refresh that is being filled. Its limit is soft: it takes records until it has
/// reached [`LIMIT`] plain bytes, and so it may exceed them by less than one record.
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct RefreshBatch {
    plain: Vec<u8>,
    /// Whose records are in `plain`: up to 4096, and looked up for every change of the channel.
    keys: BTreeSet<Key>,
}

impl RefreshBatch {
    /// Appends a record, unless the batch [is due](Self::is_due) or the value is above
    /// [`MAX_REFRESH_VALUE`].
    pub fn push(&mut self, key: Key, value: &[u8]) -> Pushed {
        if value.len() > MAX_REFRESH_VALUE {
            return Pushed::TooBig;
        }
        if self.is_due() {
            return Pushed::Full;
        }
        self.plain.put_u64(key.0);
        self.plain.put_array(value);
        self.keys.insert(key);
        Pushed::Added
    }

    /// Is it so large that it has to be sent now?
    pub fn is_due(&self) -> bool {
        self.plain.len() >= LIMIT
    }

    /// Does it hold a record with this key?
    pub fn contains(&self, key: Key) -> bool {
        self.keys.contains(&key)
    }

    /// Does it hold no record?
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty()
    }

    /// Compresses the batch to a block and leaves it empty.
    pub fn finish(&mut self) -> Vec<u8> {
        self.keys.clear();
        finish(&mut self.plain)
    }
}

impl fmt::Debug for RefreshBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, keys) = (self.plain.len(), &self.keys);
        write!(f, "RefreshBatch({bytes} bytes: {keys:?})")
    }
}

/// The records of a GetAll batch, in the order in which they were sent; none is legal.
///
/// The values are slices of one allocation of at most [`LIMIT`] bytes: who keeps a few of many for long
/// should copy them.
pub fn decode_records(block: &[u8]) -> Result<Vec<(Key, Bytes)>, DecodeError> {
    let plain = decompress(block, LIMIT)?;
    records(plain, key_array)
}

/// The keys of a GetAll batch that holds keys alone, in the order in which they were sent.
pub fn decode_keys(block: &[u8]) -> Result<Vec<Key>, DecodeError> {
    let plain = decompress(block, LIMIT)?;
    let mut reader = Reader::new(&plain);
    let mut keys = Vec::new();
    while reader.left() > 0 {
        keys.push(key_array(&mut reader)?);
    }
    Ok(keys)
}

/// The records of a batch of a Mirror's refresh, in the order in which they were sent. The values share
/// an allocation of at most [`REFRESH_LIMIT`] bytes, as those of [`decode_records`] do.
pub fn decode_refresh(block: &[u8]) -> Result<Vec<(Key, Bytes)>, DecodeError> {
    let plain = decompress(block, REFRESH_LIMIT)?;
    records(plain, |reader| reader.u64("key").map(Key))
}

/// Compresses what a builder holds and clears it.
fn finish(plain: &mut Vec<u8>) -> Vec<u8> {
    let block = lzo::compress(plain);
    plain.clear();
    block
}

/// The plain bytes of a block.
fn decompress(block: &[u8], limit: usize) -> Result<Bytes, DecodeError> {
    match lzo::decompress(block, limit) {
        Ok(plain) => Ok(plain.into()),
        Err(error) => Err(DecodeError {
            field: "batch",
            offset: 0,
            reason: error.into(),
        }),
    }
}

/// Records back to back, each a key as `key` reads it and an array.
fn records(
    plain: Bytes,
    key: impl Fn(&mut Reader<'_>) -> Result<Key, DecodeError>,
) -> Result<Vec<(Key, Bytes)>, DecodeError> {
    let mut reader = Reader::new(&plain);
    let mut records = Vec::new();
    while reader.left() > 0 {
        let key = key(&mut reader)?;
        let length = reader.array("value")?.len();
        let end = reader.offset();
        records.push((key, plain.slice(end - length..end)));
    }
    Ok(records)
}

/// A key that is written as an array, of which exactly 8 bytes are legal (P48). The legacy protocol uses
/// the same container with keys of 16 hexadecimal digits.
fn key_array(reader: &mut Reader<'_>) -> Result<Key, DecodeError> {
    let offset = reader.offset();
    let array = reader.array("key")?;
    match array.try_into() {
        Ok(bytes) => Ok(Key(u64::from_le_bytes(bytes))),
        Err(_) => Err(DecodeError {
            field: "key",
            offset,
            reason: match array.len().checked_sub(KEY) {
                Some(extra) => Reason::Surplus { extra },
                None => Reason::Truncated {
                    needed: KEY,
                    left: array.len(),
                },
            },
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lzo::LzoError;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text
            .chars()
            .filter_map(|digit| digit.to_digit(16).map(|value| value as u8))
            .collect();
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    }

    /// A block whose plain bytes are these.
    fn block(plain: &[u8]) -> Vec<u8> {
        lzo::compress(plain)
    }

    #[test]
    fn an_empty_batch_is_length_zero_and_the_end_mark() {
        let empty = hex("0000000000000000 110000");
        let mut batch = GetAllBatch::default();
        assert!(batch.is_empty());
        assert_eq!(batch.finish(), empty);
        assert_eq!(decode_records(&empty), Ok(vec![]));
        assert_eq!(decode_keys(&empty), Ok(vec![]));
        assert_eq!(decode_refresh(&empty), Ok(vec![]));
    }

    #[test]
    fn single_records_are_as_the_specification_shows_them() {
        // neo-requests.md 7.1, key 2; neo-transport.md section 13, key 1.
        for (key, value, bytes) in [
            (
                2,
                "world",
                "1d00000000000000 2e 0800000000000000 0200000000000000 0500000000000000 776f726c64 110000",
            ),
            (
                1,
                "v",
                "1900000000000000 2a 0800000000000000 0100000000000000 0100000000000000 76 110000",
            ),
        ] {
            let mut batch = GetAllBatch::default();
            assert_eq!(batch.push(Key(key), value.as_bytes()), Pushed::Added);
            assert_eq!(batch.finish(), hex(bytes));
            assert!(batch.is_empty());
            assert_eq!(
                decode_records(&hex(bytes)),
                Ok(vec![(Key(key), Bytes::from(value))])
            );
        }

        let keys = hex("1000000000000000 21 0800000000000000 0200000000000000 110000");
        let mut batch = GetAllBatch::default();
        assert_eq!(batch.push_key(Key(2)), Pushed::Added);
        assert_eq!(batch.finish(), keys);
        assert_eq!(decode_keys(&keys), Ok(vec![Key(2)]));

        // semantics-and-client.md A19, key 10.
        let refresh = hex("1300000000000000 24 0a00000000000000 0300000000000000 666f6f 110000");
        let mut batch = RefreshBatch::default();
        assert_eq!(batch.push(Key(10), b"foo"), Pushed::Added);
        assert_eq!(batch.finish(), refresh);
        assert_eq!(
            decode_refresh(&refresh),
            Ok(vec![(Key(10), Bytes::from("foo"))])
        );
    }

    #[test]
    fn a_recorded_batch_is_understood() {
        // 65,524 plain bytes of the original node in 17,409 compressed ones; each value is its key in
        // decimal digits.
        let recorded = include_str!("../../tests/vectors/dhtnode-neo-put-ordered.jsonl");
        let line = recorded.lines().max_by_key(|line| line.len()).unwrap();
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let message = hex(line["hex"].as_str().unwrap());
        // In front of the block: header, request id, message type, length of the array.
        let block = &message[10 + 8 + 1 + 8..];

        let records = decode_records(block).unwrap();
        assert_eq!(records.len(), 2350);
        let mut batch = GetAllBatch::default();
        for (key, value) in &records {
            assert_eq!(*value, key.0.to_string());
            assert_eq!(batch.push(*key, value), Pushed::Added);
        }
        assert_eq!(batch.push(Key(0), b""), Pushed::Full);
        assert_eq!(decode_records(&batch.finish()), Ok(records));
    }

    #[test]
    fn the_limit_of_get_all_is_hard() {
        let mut batch = GetAllBatch::default();
        assert_eq!(batch.push(Key(1), &[0; MAX_VALUE + 1]), Pushed::TooBig);
        assert_eq!(batch.push(Key(1), &[0; MAX_VALUE]), Pushed::Added);
        assert_eq!(batch.push(Key(2), b""), Pushed::Full);
        assert_eq!(batch.push_key(Key(2)), Pushed::Full);
        let block = batch.finish();
        assert_eq!(block[..8], 65_536_u64.to_le_bytes());
        assert_eq!(decode_records(&block).unwrap()[0].1, vec![0; 65_512]);

        let added = (0..).take_while(|key| batch.push_key(Key(*key)) == Pushed::Added);
        assert_eq!(added.count(), 4096);
        assert_eq!(decode_keys(&batch.finish()).unwrap().len(), 4096);
    }

    #[test]
    fn the_limit_of_a_refresh_is_soft() {
        let mut batch = RefreshBatch::default();
        assert_eq!(
            batch.push(Key(1), &[0; MAX_REFRESH_VALUE + 1]),
            Pushed::TooBig
        );
        assert!(batch.is_empty() && !batch.contains(Key(1)));
        assert_eq!(
            batch.push(Key(1), &[0; MAX_REFRESH_VALUE - 1]),
            Pushed::Added
        );
        assert!(!batch.is_due(), "65,535 bytes");
        assert_eq!(batch.push(Key(2), &[0; MAX_REFRESH_VALUE]), Pushed::Added);
        assert!(batch.is_due());
        assert_eq!(batch.push(Key(3), b""), Pushed::Full);
        assert!(batch.contains(Key(1)) && batch.contains(Key(2)) && !batch.contains(Key(3)));

        let block = batch.finish();
        assert!(batch.is_empty() && !batch.contains(Key(1)));
        assert_eq!(block[..8], (REFRESH_LIMIT as u64).to_le_bytes());
        let sizes: Vec<usize> = decode_refresh(&block)
            .unwrap()
            .iter()
            .map(|(_, value)| value.len())
            .collect();
        assert_eq!(sizes, [65_519, 65_520]);
        assert_eq!(
            decode_records(&block).unwrap_err().reason,
            Reason::Compression(LzoError::AboveLimit {
                announced: 131_071,
                limit: 65_536
            })
        );
    }

    #[test]
    fn a_refresh_is_due_when_its_limit_is_reached() {
        let mut batch = RefreshBatch::default();
        assert_eq!(batch.push(Key(1), &[0; MAX_REFRESH_VALUE]), Pushed::Added);
        assert!(batch.is_due(), "65,536 bytes");
    }

    #[test]
    fn a_claim_of_half_the_address_space_costs_nothing() {
        let mut claim = (1_u64 << 63).to_le_bytes().to_vec();
        claim.extend([0x12, 0, 0x11, 0, 0]);
        for error in [
            decode_records(&claim).unwrap_err(),
            decode_keys(&claim).unwrap_err(),
            decode_refresh(&claim).unwrap_err(),
        ] {
            let announced = 1 << 63;
            assert!(matches!(
                error.reason,
                Reason::Compression(LzoError::AboveLimit { announced: claimed, .. }) if claimed == announced
            ));
        }
    }

    #[test]
    fn keys_of_another_length_are_refused_with_their_place() {
        let mut plain = Vec::new();
        plain.put_array(&[0; 8]);
        plain.put_array(b"");
        let second = plain.len();
        plain.put_array(b"0000000000000001");
        plain.put_array(b"");
        let error = decode_records(&block(&plain)).unwrap_err();
        let expected = DecodeError {
            field: "key",
            offset: second,
            reason: Reason::Surplus { extra: 8 },
        };
        assert_eq!(error, expected);

        plain.clear();
        plain.put_array(b"short");
        let error = decode_keys(&block(&plain)).unwrap_err();
        assert_eq!(error.to_string(), "key at offset 0: 8 bytes needed, 5 left");
    }

    #[test]
    fn half_a_record_is_refused_with_its_place() {
        let mut plain = Vec::new();
        plain.put_u64(7);
        plain.put_u64(1 << 63);
        let error = decode_refresh(&block(&plain)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "value at offset 8: claims 9223372036854775808 bytes, 0 left"
        );
        let error = decode_refresh(&block(&plain[..12])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "value at offset 8: 8 bytes needed, 4 left"
        );
        let error = decode_refresh(&block(&plain[..3])).unwrap_err();
        assert_eq!(error.to_string(), "key at offset 0: 8 bytes needed, 3 left");
    }

    fn records() -> impl Strategy<Value = Vec<(Key, Bytes)>> {
        let value = proptest::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from);
        proptest::collection::vec((any::<u64>().prop_map(Key), value), 0..100)
    }

    proptest! {
        #[test]
        fn records_round_trip(records in records()) {
            let mut batch = GetAllBatch::default();
            let mut refresh = RefreshBatch::default();
            for (key, value) in &records {
                prop_assert_eq!(batch.push(*key, value), Pushed::Added);
                prop_assert_eq!(refresh.push(*key, value), Pushed::Added);
            }
            prop_assert_eq!(decode_refresh(&refresh.finish()), Ok(records.clone()));
            prop_assert_eq!(decode_records(&batch.finish()), Ok(records));
        }

        #[test]
        fn keys_round_trip(keys: Vec<u64>) {
            let keys: Vec<Key> = keys.into_iter().map(Key).collect();
            let mut batch = GetAllBatch::default();
            for key in &keys {
                prop_assert_eq!(batch.push_key(*key), Pushed::Added);
            }
            prop_assert_eq!(decode_keys(&batch.finish()), Ok(keys));
        }

        #[test]
        fn any_plain_bytes_give_an_answer(plain: Vec<u8>, length in 0..40_u64, at: prop::sample::Index) {
            // A plausible length somewhere, so that more than the first field is reached.
            let mut plain = plain;
            let at = at.index(plain.len() + 1);
            plain.splice(at..at, length.to_le_bytes());
            for error in [
                decode_records(&block(&plain)).err(),
                decode_keys(&block(&plain)).err(),
                decode_refresh(&block(&plain)).err(),
            ].into_iter().flatten() {
                prop_assert!(error.offset <= plain.len());
            }
        }

        #[test]
        fn any_block_gives_an_answer(block: Vec<u8>) {
            let _ = (decode_records(&block), decode_keys(&block), decode_refresh(&block));
        }
    }
}
