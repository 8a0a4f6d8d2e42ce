//! [`Memory`] as a node of the legacy protocol, and what it answers.

use bytes::{Bytes, BytesMut};
use dht_protocol::legacy::{
    About, ClientRequest, Event, LegacyHost, NodeConnection, Order, Redistribute, RedistributionId,
    Violation,
};
use dht_protocol::{ChannelId, Host, HostError, Key, Size};

use super::memory::Memory;

/// More turns than any answer needs.
const MAX_TURNS: usize = 10_000;

/// What the client is told of an order, on a connection of its own.
pub(crate) fn answers(memory: &mut Memory, order: &Order) -> Result<Vec<Event>, Violation> {
    answers_on(&mut NodeConnection::default(), memory, order)
}

/// The same on this connection, which has nothing else to say.
pub(crate) fn answers_on(
    connection: &mut NodeConnection,
    memory: &mut Memory,
    order: &Order,
) -> Result<Vec<Event>, Violation> {
    let mut bytes = Vec::new();
    order.encode(&mut bytes);
    connection.feed(&bytes);
    let said = said(connection, memory)?;
    let (mut request, mut input) = (
        ClientRequest::new(order.command()),
        BytesMut::from(&said[..]),
    );
    let mut events = Vec::new();
    while let Some(event) = request.receive(&mut input)? {
        events.push(event);
    }
    assert!(input.is_empty(), "more than an answer to {order:?}");
    Ok(events)
}

/// All that the node says now, to a client that reads it.
pub(crate) fn said(
    connection: &mut NodeConnection,
    memory: &mut Memory,
) -> Result<Vec<u8>, Violation> {
    let mut said = Vec::new();
    for _ in 0..MAX_TURNS {
        let more = connection.process(memory);
        let output = std::mem::take(connection.output());
        said.extend_from_slice(&output);
        if !more? && output.is_empty() {
            return Ok(said);
        }
    }
    panic!("the node does not come to an end");
}

impl LegacyHost for Memory {
    fn about(&self) -> About {
        About {
            address: Bytes::from("127.0.0.1"),
            port: 10_000,
        }
    }

    fn connections(&self) -> u64 {
        1
    }

    fn size(&self, channel: ChannelId) -> Size {
        let mut size = Size::default();
        let mut after = None;
        while let Some((key, value)) = self.record_after(channel, after) {
            size.records += 1;
            size.bytes += value.len() as u64;
            after = Some(key);
        }
        size
    }

    fn total_size(&self) -> Size {
        let mut total = Size::default();
        for name in self.names() {
            let channel = self.find_channel(&name.as_str().into());
            let size = channel.map_or_else(Size::default, |channel| self.size(channel));
            total.records += size.records;
            total.bytes += size.bytes;
        }
        total
    }

    fn has_room_for(&self, bytes: u64) -> bool {
        // Counting for every record takes long where there are thousands.
        self.room == u64::MAX || self.total_size().bytes + bytes <= self.room
    }

    fn take_over(&mut self, channel: ChannelId, key: Key, value: &Bytes) -> Result<(), HostError> {
        let told = self.events.len();
        self.put(channel, key, value)?;
        self.events.truncate(told);
        Ok(())
    }

    fn hand_over(&mut self, channel: ChannelId, key: Key) -> Result<(), HostError> {
        let told = self.events.len();
        self.remove(channel, key)?;
        self.events.truncate(told);
        Ok(())
    }

    fn redistribute(&mut self, order: &Redistribute) -> Result<RedistributionId, HostError> {
        let refused = || HostError("an illegal range".to_owned());
        self.range = dht_protocol::HashRange::new(order.min, order.max).ok_or_else(refused)?;
        Ok(RedistributionId(0))
    }

    fn is_redistributed(&self, _: RedistributionId) -> bool {
        self.redistributed
    }
}
