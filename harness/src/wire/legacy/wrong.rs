//! Bytes as somebody sends them who does not keep the protocol. What keeps it is written by
//! [`Order`](dht_protocol::legacy::Order).

use dht_protocol::codec::Put;
use dht_protocol::legacy::{Command, KeyText};
use dht_protocol::{ChannelName, Key, lzo};

/// The first field of an order: any number.
pub fn code(code: i32) -> Vec<u8> {
    code.to_le_bytes().to_vec()
}

/// The beginning of an order whose first array claims `length` bytes and has these.
pub fn first_array(command: Command, length: u64, bytes: &[u8]) -> Vec<u8> {
    let mut order = code(command.code());
    order.put_u64(length);
    order.extend_from_slice(bytes);
    order
}

/// The beginning of an order with a channel and, behind it, an array that claims `length` bytes and has none.
pub fn second_array(command: Command, channel: &ChannelName, length: u64) -> Vec<u8> {
    let mut order = code(command.code());
    order.put_array(channel.as_bytes());
    order.put_u64(length);
    order
}

/// The beginning of a Put whose value claims `length` bytes and has none yet.
pub fn put_of_length(channel: &ChannelName, key: Key, length: u64) -> Vec<u8> {
    let mut order = code(Command::Put.code());
    order.put_array(channel.as_bytes());
    order.put_array(KeyText::from(key).as_bytes());
    order.put_u64(length);
    order
}

/// A key that is none.
pub fn key(text: &str) -> KeyText {
    KeyText::copy_from(text.as_bytes())
}

/// The data of a batch: these strings, each behind its length.
pub fn strings(strings: &[&[u8]]) -> Vec<u8> {
    let mut data = Vec::new();
    for string in strings {
        data.put_array(string);
    }
    data
}

/// A batch of these data.
pub fn batch(data: &[u8]) -> Vec<u8> {
    lzo::compress(data)
}

/// A batch of these data, whose stream has nothing but literals, as of another compressor.
pub fn batch_of_literals(data: &[u8]) -> Vec<u8> {
    let mut batch = (data.len() as u64).to_le_bytes().to_vec();
    match data.len() {
        0 => {}
        length @ 1..=238 => batch.push((17 + length) as u8),
        length => {
            let rest = length - 18;
            batch.extend(vec![0; 1 + (rest - 1) / 255]);
            batch.push((1 + (rest - 1) % 255) as u8);
        }
    }
    batch.extend_from_slice(data);
    batch.extend_from_slice(&[0x11, 0, 0]);
    batch
}

/// A batch that says another size than its data have.
pub fn batch_of_size(batch: &[u8], size: u64) -> Vec<u8> {
    let stream = batch.get(8..).unwrap_or_default();
    [&size.to_le_bytes()[..], stream].concat()
}

/// A Redistribute to a range that need not be one, and to one node with a range that need not be one.
pub fn redistribute(range: (u64, u64), node: Option<(&str, u16, u64, u64)>) -> Vec<u8> {
    let mut order = code(Command::Redistribute.code());
    order.put_u64(range.0);
    order.put_u64(range.1);
    if let Some((address, port, min, max)) = node {
        order.put_array(address.as_bytes());
        order.extend_from_slice(&port.to_le_bytes());
        order.put_u64(min);
        order.put_u64(max);
    }
    order.put_array(b"");
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_literals_is_a_batch() {
        for length in [0, 1, 3, 237, 238, 239, 272, 273, 274, 528, 529, 5000] {
            let data: Vec<u8> = (0..length).map(|at: usize| at as u8).collect();
            let batch = batch_of_literals(&data);
            assert_eq!(lzo::decompress(&batch, 10_000), Ok(data), "{length}");
        }
    }

    #[test]
    fn a_size_is_all_that_differs() {
        let batch = batch(b"data");
        assert_eq!(batch_of_size(&batch, 4), batch);
        assert!(lzo::decompress(&batch_of_size(&batch, 5), 100).is_err());
    }
}
