//! A node's connection: one order after the other, each answered before the next is looked at
//! (`legacy.md` 1, 6).

use bytes::{Buf, BytesMut};

use super::Violation;
use super::answer::{Answer, Status};
use super::order::Order;
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
        while self.wants_input() {
            let Some((order, length)) = Order::decode(&self.input)? else {
                break;
            };
            self.input.advance(length);
            answer(&order, host).encode(&mut self.output);
        }
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

/// Does what an order asks.
fn answer<H: Host>(order: &Order, host: &mut H) -> Answer {
    if order.channel().is_some_and(|channel| !is_valid(channel)) {
        return Answer::Status(Status::BadChannelName);
    }
    let done = match order {
        Order::GetVersion => return Answer::Version,
        Order::GetResponsibleRange => return Answer::Range(host.range()),
        Order::Remove { key, .. } if !host.range().covers(*key) => {
            return Answer::Status(Status::WrongNode);
        }
        // The answer is the same whether there was such a record or not, and no channel is created.
        Order::Remove { channel, key } => match host.find_channel(channel) {
            Some(id) => host.remove(id, *key).map(drop),
            None => Ok(()),
        },
        Order::RemoveChannel { channel } => host.remove_channel(channel),
    };
    Answer::Status(done.map_or(Status::Error, |()| Status::Ok))
}

/// Only these names are legal here, other than in neo (`legacy.md` 4.1).
fn is_valid(channel: &ChannelName) -> bool {
    let name = channel.as_bytes();
    !name.is_empty()
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
}
