//! A node's connection: one order after the other, each answered before the next is looked at
//! (`legacy.md` 1, 6).

use bytes::{Buf, BytesMut};

use super::Violation;
use super::answer::{Answer, Status};
use super::order::{Order, parse_key};
use crate::channel::ChannelName;
use crate::neo::request::Host;

/// From how many bytes in the output on no order is looked at.
const OUTPUT_FULL: usize = 128 * 1024;

/// One client's connection to a node.
#[derive(Clone, Debug, Default)]
pub struct NodeConnection {
    input: BytesMut,
    output: Vec<u8>,
}

impl NodeConnection {
    /// Adds bytes as they came from the client.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// Handles the orders that are complete. After an error the connection is to be closed; what stands
    /// in the output is still meant for the client.
    pub fn process<H: Host>(&mut self, host: &mut H) -> Result<(), Violation> {
        while let Some(order) = self.next_order()? {
            self.answer(&order, host)?;
        }
        Ok(())
    }

    /// Takes the next order if it is complete and there is room for its answer. For drivers that want to
    /// see the orders; [`process`](Self::process) is this and [`answer`](Self::answer) in turn.
    pub fn next_order(&mut self) -> Result<Option<Order>, Violation> {
        if !self.wants_input() {
            return Ok(None);
        }
        let Some((order, length)) = Order::decode(&self.input)? else {
            return Ok(None);
        };
        self.input.advance(length);
        Ok(Some(order))
    }

    /// Does what an order asks, and adds the answer to the output.
    pub fn answer<H: Host>(&mut self, order: &Order, host: &mut H) -> Result<(), Violation> {
        answer(order, host)?.encode(&mut self.output);
        Ok(())
    }

    /// Bytes for the client that the driver has not taken yet. The driver removes what it has written
    /// and calls [`process`](Self::process) again.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Is there room enough in the output for the answers to what is read?
    pub fn wants_input(&self) -> bool {
        self.output.len() < OUTPUT_FULL
    }
}

/// Does what an order asks. The channel is looked at first, the key then, the range last.
fn answer<H: Host>(order: &Order, host: &mut H) -> Result<Answer, Violation> {
    if order.channel().is_some_and(|channel| !is_valid(channel)) {
        return Ok(Answer::Status(Status::BadChannelName));
    }
    let done = match order {
        Order::GetVersion => return Ok(Answer::Version),
        Order::GetResponsibleRange => return Ok(Answer::Range(host.range())),
        Order::Remove { channel, key } => {
            let key = parse_key(key)?;
            if !host.range().covers(key) {
                return Ok(Answer::Status(Status::WrongNode));
            }
            // The answer is the same whether there was such a record or not, and no channel is created.
            match host.find_channel(channel) {
                Some(id) => host.remove(id, key).map(drop),
                None => Ok(()),
            }
        }
        Order::RemoveChannel { channel } => host.remove_channel(channel),
    };
    Ok(Answer::Status(done.map_or(Status::Error, |()| Status::Ok)))
}

/// Only these names are legal here, other than in neo (`legacy.md` 4.1).
fn is_valid(channel: &ChannelName) -> bool {
    let name = channel.as_bytes();
    !name.is_empty()
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Put as _;
    use crate::key::{HashRange, Key};
    use crate::testing::Memory;

    const OK: [u8; 4] = [200, 0, 0, 0];
    const WRONG_NODE: [u8; 4] = [0x94, 1, 0, 0];
    const BAD_CHANNEL: [u8; 4] = [0x99, 1, 0, 0];
    const ERROR: [u8; 4] = [0xf4, 1, 0, 0];

    fn remove(channel: &str, key: &str) -> Vec<u8> {
        let mut bytes = vec![12, 0, 0, 0];
        bytes.put_array(channel.as_bytes());
        bytes.put_array(key.as_bytes());
        bytes
    }

    fn remove_key(channel: &str, key: u64) -> Vec<u8> {
        remove(channel, &Key(key).to_string())
    }

    fn remove_channel(channel: &str) -> Vec<u8> {
        let mut bytes = vec![22, 0, 0, 0];
        bytes.put_array(channel.as_bytes());
        bytes
    }

    /// What a new connection says to this, and how it ends.
    fn say(memory: &mut Memory, bytes: &[u8]) -> (Vec<u8>, Result<(), Violation>) {
        let mut connection = NodeConnection::default();
        connection.feed(bytes);
        let result = connection.process(memory);
        (std::mem::take(connection.output()), result)
    }

    #[test]
    fn orders_are_answered_in_turn_however_they_arrive() {
        let mut memory = Memory::with("c", [(1, "one"), (2, "two")]);
        let orders = [
            remove_key("c", 1),
            remove_key("c", 1),
            remove_key("other", 1),
            vec![24, 0, 0, 0],
        ]
        .concat();
        let mut answers = OK.repeat(3);
        Answer::Version.encode(&mut answers);
        let (said, result) = say(&mut memory.clone(), &orders);
        assert_eq!((&said, result), (&answers, Ok(())));
        let mut connection = NodeConnection::default();
        for byte in &orders {
            connection.feed(&[*byte]);
            connection.process(&mut memory).unwrap();
        }
        assert_eq!(connection.output(), &answers);
        assert_eq!(memory.value("c", 1), None);
        assert!(memory.value("c", 2).is_some());
        assert_eq!(memory.names(), ["c"], "removing creates no channel");
    }

    #[test]
    fn the_channel_is_looked_at_first_the_key_then_the_range_last() {
        let mut memory = Memory::with("c", [(1, "one")]);
        memory.range = HashRange::EMPTY;
        for channel in ["", "c.d", "c d", "ch\u{e4}nnel"] {
            for bytes in [remove(channel, "no key"), remove_channel(channel)] {
                let expected = (BAD_CHANNEL.to_vec(), Ok(()));
                assert_eq!(say(&mut memory, &bytes), expected, "{channel}");
            }
        }
        let key = b"no key".to_vec();
        let expected = (OK.to_vec(), Err(Violation::Key { key }));
        let orders = [remove_channel("x-Y_9"), remove("c", "no key")].concat();
        assert_eq!(say(&mut memory, &orders), expected);
        let expected = (WRONG_NODE.to_vec(), Ok(()));
        assert_eq!(say(&mut memory, &remove_key("c", 1)), expected);
        assert!(memory.value("c", 1).is_some());
    }

    #[test]
    fn a_node_that_cannot_remove_says_so() {
        let expected = (ERROR.to_vec(), Ok(()));
        let said = say(&mut Memory::broken(), &remove_channel("c"));
        assert_eq!(said, expected);
    }

    #[test]
    fn a_client_that_does_not_read_is_not_read_from() {
        let mut connection = NodeConnection::default();
        connection.feed(&[20, 0, 0, 0].repeat(100_000));
        let (mut memory, mut said) = (Memory::default(), 0);
        while said < 100_000 * 20 {
            connection.process(&mut memory).unwrap();
            let output = connection.output().len();
            assert!((1..OUTPUT_FULL + 20).contains(&output));
            assert_eq!(connection.wants_input(), output < OUTPUT_FULL);
            connection.process(&mut memory).unwrap();
            assert_eq!(connection.output().len(), output, "nothing is added");
            said += output;
            connection.output().clear();
        }
        assert!(connection.wants_input());
    }
}
