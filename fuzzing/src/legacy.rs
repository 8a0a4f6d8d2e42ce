//! The legacy protocol: orders, answers, record batches, and a node's connection.

use bytes::BytesMut;
use dht_protocol::legacy::batch::{self, Batch, Pushed};
use dht_protocol::legacy::{
    ClientRequest, Command, Event, Incoming, NodeConnection, Order, Violation,
};
use dht_protocol::lzo;

use crate::host::Room;
use crate::memory;
use crate::pieces::pieces;

/// Values that are larger are announced.
const MAX_VALUE: u64 = 64;

/// Each order is read from the first byte on that completes it, and not earlier; written again it is the same.
pub fn legacy_orders(data: &[u8]) {
    memory::bounded(data, 64, || {
        let mut rest = data;
        while let Ok(Some((order, length))) = Order::decode(rest, MAX_VALUE) {
            let (bytes, behind) = rest.split_at(length);
            if let Incoming::Order(order) = order {
                let mut written = Vec::new();
                order.encode(&mut written);
                assert_eq!(written, bytes);
            }
            assert_eq!(Order::decode(&bytes[..length - 1], MAX_VALUE), Ok(None));
            rest = behind;
        }
    });
}

/// What a node says to a client is the same in any pieces. The first byte chooses the command, the second the
/// pieces.
pub fn legacy_answers(data: &[u8]) {
    let Some(([command, cut], stream)) = data.split_first_chunk::<2>() else {
        return;
    };
    let command = Command::ALL[usize::from(*command) % Command::ALL.len()];
    memory::bounded(data, 16 * 1024, || {
        let at_once = heard(command, std::iter::once(stream));
        assert_eq!(heard(command, pieces(*cut, stream)), at_once);
    });
}

/// All that a client hears, and what is left.
fn heard<'a>(
    command: Command,
    stream: impl Iterator<Item = &'a [u8]>,
) -> (Vec<Event>, Result<BytesMut, Violation>) {
    let mut request = ClientRequest::new(command);
    let (mut input, mut events) = (BytesMut::new(), Vec::new());
    for piece in stream {
        input.extend_from_slice(piece);
        loop {
            let was_over = request.is_over();
            match request.receive(&mut input) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(violation) => return (events, Err(violation)),
            }
            assert!(!was_over, "nothing comes behind the end");
        }
    }
    (events, Ok(input))
}

/// The records of a block, packed again, are the same records. The first byte says whether the rest is a block,
/// or plain bytes of one.
pub fn legacy_batches(data: &[u8]) {
    let Some((form, rest)) = data.split_first() else {
        return;
    };
    let block = match form % 2 {
        0 => rest.to_vec(),
        _ => lzo::compress(rest),
    };
    memory::bounded(data, 8192, || {
        if let Ok(records) = batch::decode_records(&block) {
            let mut batch = Batch::default();
            // A peer may pack more than we would.
            let count = records
                .iter()
                .take_while(|(key, value)| batch.push(*key, value) == Pushed::Added)
                .count();
            let again = batch::decode_records(&batch.finish());
            assert_eq!(again.as_deref(), Ok(&records[..count]));
        }
        if let Ok(keys) = batch::decode_keys(&block) {
            let mut batch = Batch::default();
            let count = keys
                .iter()
                .take_while(|key| batch.push_key(**key) == Pushed::Added)
                .count();
            let again = batch::decode_keys(&batch.finish());
            assert_eq!(again.as_deref(), Ok(&keys[..count]));
        }
    });
}

/// A node takes any bytes of a client, in any pieces, and comes to rest after each. The first byte makes the
/// pieces.
pub fn legacy_node(data: &[u8]) {
    /// An order is answered in at most so many turns: there is little to be told.
    const TURNS: usize = 64;
    let Some((cut, stream)) = data.split_first() else {
        return;
    };
    memory::bounded(data, 16 * 1024, || {
        let mut room = Room::new();
        let mut node = NodeConnection::new(MAX_VALUE);
        for piece in pieces(*cut, stream) {
            node.feed(piece);
            let mut turns = 0;
            loop {
                match node.process(room.host()) {
                    Ok(true) => turns += 1,
                    Ok(false) => break,
                    Err(_) => return,
                }
                assert!(turns < TURNS, "it does not come to rest");
            }
            node.output().clear();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_heard_to_its_end() {
        let answer = [200, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, b'v', b'n'];
        let (events, left) = heard(Command::Get, pieces(3, &answer));
        assert_eq!((events.len(), left), (1, Ok(BytesMut::from(&b"n"[..]))));
    }
}
