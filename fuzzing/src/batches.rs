//! Compressed blocks and the records in them.

use dht_protocol::lzo;
use dht_protocol::neo::batch::{self, GetAllBatch, Pushed, RefreshBatch};
use dht_protocol::{DecodeError, Key};

use crate::lzo_reference;
use crate::memory;

/// The largest block's plain bytes.
const LIMIT: usize = batch::REFRESH_LIMIT;

/// Two decoders agree on any stream. The first three bytes are the length that the block announces.
pub fn decompress(data: &[u8]) {
    let Some(([low, middle, high], stream)) = data.split_first_chunk::<3>() else {
        return;
    };
    let announced = u32::from_le_bytes([*low, *middle, *high, 0]);
    let block = [&u64::from(announced).to_le_bytes()[..], stream].concat();
    let ours = memory::bounded(data, 300, || lzo::decompress(&block, LIMIT));
    agree(ours, stream, announced as usize);
}

/// What our decoder has made of a stream is what the other one makes of it. What is longer than announced is
/// wrong for both.
fn agree<E: std::fmt::Display>(ours: Result<Vec<u8>, E>, stream: &[u8], announced: usize) {
    let reference = lzo_reference::decode(stream, LIMIT.min(announced));
    match (&ours, &reference) {
        (Ok(plain), reference) => assert_eq!(Some(plain), reference.as_ref()),
        (Err(error), Some(plain)) => {
            assert_ne!(plain.len(), announced, "refused: {error}");
        }
        (Err(_), None) => {}
    }
}

/// What our encoder writes both decoders read, and it is not much longer than its input.
pub fn compress(data: &[u8]) {
    let block = memory::bounded(data, 4, || lzo::compress(data));
    assert!(block.len() <= data.len() + data.len() / 200 + 16);
    assert_eq!(lzo::decompress(&block, data.len()).as_deref(), Ok(data));
    let reference = lzo_reference::decode(&block[8..], data.len());
    assert_eq!(reference.as_deref(), Some(data));
}

/// The records of a block, packed again, are the same records. The first byte says whether the rest is a block,
/// or plain bytes of one.
pub fn batches(data: &[u8]) {
    let Some((form, rest)) = data.split_first() else {
        return;
    };
    let block = match form % 2 {
        0 => rest.to_vec(),
        _ => lzo::compress(&rest[..rest.len().min(LIMIT)]),
    };
    memory::bounded(data, 8192, || {
        if let Some(records) = checked(batch::decode_records(&block)) {
            let mut batch = GetAllBatch::default();
            for (key, value) in &records {
                assert_eq!(batch.push(*key, value), Pushed::Added);
            }
            assert_eq!(batch::decode_records(&batch.finish()), Ok(records));
        }
        if let Some(keys) = checked(batch::decode_keys(&block)) {
            let mut batch = GetAllBatch::default();
            for key in &keys {
                assert_eq!(batch.push_key(*key), Pushed::Added);
            }
            assert_eq!(batch::decode_keys(&batch.finish()), Ok(keys));
        }
        if let Some(records) = checked(batch::decode_refresh(&block)) {
            pack_refresh(&records);
        }
    });
}

/// A refresh batch is due once it has reached its limit; what a peer packed beyond that we could not have.
fn pack_refresh(records: &[(Key, bytes::Bytes)]) {
    let mut batch = RefreshBatch::default();
    for (index, (key, value)) in records.iter().enumerate() {
        match batch.push(*key, value) {
            Pushed::Added => {}
            Pushed::Full => assert!(batch.is_due()),
            Pushed::TooBig => assert!(value.len() > batch::MAX_REFRESH_VALUE),
        }
        if batch.is_due() || value.len() > batch::MAX_REFRESH_VALUE {
            let again = batch::decode_refresh(&batch.finish()).expect("what we pack we read");
            let packed = index + usize::from(value.len() <= batch::MAX_REFRESH_VALUE);
            assert_eq!(again, records[..packed]);
            return;
        }
    }
    assert_eq!(
        batch::decode_refresh(&batch.finish()).as_deref(),
        Ok(records)
    );
}

/// The value; an error's offset lies in the plain bytes.
fn checked<T>(decoded: Result<T, DecodeError>) -> Option<T> {
    decoded
        .inspect_err(|error| assert!(error.offset <= LIMIT, "{error}"))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wrong::is_noticed;

    #[test]
    fn decoders_that_disagree_are_noticed() {
        let plain = b"the same and the same and the same".to_vec();
        let stream = &lzo::compress(&plain)[8..];
        let says = |ours| !is_noticed(|| agree::<&str>(ours, stream, plain.len()));
        assert!(says(Ok(plain.clone())));
        assert!(!says(Ok(plain[1..].to_vec())));
        assert!(!says(Err("refused")));
        let broken = !is_noticed(|| agree::<&str>(Ok(plain.clone()), &stream[1..], plain.len()));
        assert!(!broken);
    }
}
