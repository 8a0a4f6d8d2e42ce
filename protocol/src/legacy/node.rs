//! A node's connection: one order after the other, each answered before the next is looked at
//! (`legacy.md` 1, 6).

use bytes::{Buf, BytesMut};

use super::host::LegacyHost;
use super::order::{Incoming, Order};
use super::request::NodeRequest;
use super::{MAX_VALUE, Violation};
use crate::host::ChannelId;
use crate::neo::node::Follow;
use crate::neo::request::Progress;
use crate::neo::request::mirror::Change;

/// From how many bytes on an answer is handed out although its end has not come. Less is kept: the original's client
/// cannot bear that more of an answer comes while it works on the beginning.
const FLUSH: usize = 256 * 1024;
/// How many pieces of an answer are made before others get their turn: when records are compressed well, very many
/// make no more than [`FLUSH`] bytes.
const PIECES: usize = 64;
/// From how many bytes in the output on nothing is added.
const OUTPUT_FULL: usize = 128 * 1024;

/// One client's connection to a node.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct NodeConnection {
    input: BytesMut,
    /// How much of a value that is too large has not come yet; it is thrown away.
    surplus: u64,
    request: Option<NodeRequest>,
    output: Vec<u8>,
    /// What is not handed out yet of an answer that goes on.
    kept: Vec<u8>,
    follows: Vec<Follow>,
    max_value: u64,
}

impl Default for NodeConnection {
    fn default() -> Self {
        Self::new(MAX_VALUE)
    }
}

impl NodeConnection {
    /// A connection on which nothing has been said, to a node that stores values up to `max_value` bytes.
    pub fn new(max_value: u64) -> Self {
        Self {
            input: BytesMut::new(),
            surplus: 0,
            request: None,
            output: Vec::new(),
            kept: Vec::new(),
            follows: Vec::new(),
            max_value,
        }
    }

    /// Adds bytes as they came from the client.
    pub fn feed(&mut self, bytes: &[u8]) {
        let dropped =
            usize::try_from(self.surplus).map_or(bytes.len(), |left| left.min(bytes.len()));
        self.surplus -= dropped as u64;
        self.input.extend_from_slice(&bytes[dropped..]);
    }

    /// Handles the orders that are complete, and goes on with the answer. Says whether there is more to do
    /// although nothing was fed. After an error the connection is to be closed; what stands in the output is
    /// still meant for the client.
    pub fn process<H: LegacyHost + ?Sized>(&mut self, host: &mut H) -> Result<bool, Violation> {
        loop {
            if let Some(more) = self.advance(host) {
                return Ok(more);
            }
            match self.next_order()? {
                Some(order) => self.open(order, host)?,
                None => return Ok(false),
            }
        }
    }

    /// Takes the next order if there is none under way, and it is complete, and there is room for its
    /// answer. For drivers that want to see the orders: [`process`](Self::process) is
    /// [`advance`](Self::advance), this and [`open`](Self::open) in turn.
    pub fn next_order(&mut self) -> Result<Option<Incoming>, Violation> {
        if self.request.is_some() || !self.wants_input() {
            return Ok(None);
        }
        let Some((order, length)) = Order::decode(&self.input, self.max_value)? else {
            return Ok(None);
        };
        self.input.advance(length);
        if let Incoming::TooBig { length, .. } = &order {
            self.surplus = *length;
            let input = std::mem::take(&mut self.input);
            self.feed(&input);
        }
        Ok(Some(order))
    }

    /// Begins to do what an order asks.
    pub fn open<H: LegacyHost + ?Sized>(
        &mut self,
        order: Incoming,
        host: &mut H,
    ) -> Result<(), Violation> {
        let mut request = NodeRequest::open(order, host)?;
        if let Some(listen) = request.as_listen_mut() {
            self.follows.push(Follow::Begin(listen.channel()));
        }
        self.request = Some(request);
        Ok(())
    }

    /// Goes on with the answer. `None` if no order is under way any more; otherwise whether there is more to
    /// do although nothing is fed.
    pub fn advance<H: LegacyHost + ?Sized>(&mut self, host: &mut H) -> Option<bool> {
        // A Listen is ended by whatever the client says next.
        if !self.input.is_empty() && self.listened().is_some() {
            self.end();
        }
        for _ in 0..PIECES {
            let request = self.request.as_mut()?;
            if self.output.len() >= OUTPUT_FULL || self.surplus > 0 {
                return Some(false);
            }
            match request.poll(host, &mut self.kept) {
                Progress::Sent if self.kept.len() < FLUSH => {}
                Progress::Sent => self.flush(),
                Progress::Yielded => return Some(true),
                Progress::Idle => {
                    self.flush();
                    return Some(false);
                }
                Progress::Ended => {
                    self.end();
                    return None;
                }
            }
        }
        Some(true)
    }

    /// A record of a channel that the connection follows was written or removed.
    pub fn changed(&mut self, channel: ChannelId, change: Change) {
        if let Some(listen) = self.listen_to(channel) {
            listen.changed(change);
        }
    }

    /// A channel that the connection follows was removed.
    pub fn channel_removed(&mut self, channel: ChannelId) {
        if let Some(listen) = self.listen_to(channel) {
            listen.channel_removed();
        }
    }

    /// The client sends nothing more: that ends a Listen, and a Put whose value is cut off.
    pub fn input_ended(&mut self) {
        if self.listened().is_some() {
            self.end();
        } else if self.surplus > 0 {
            self.request = None;
        }
    }

    /// What the connection has begun or ceased to follow since this was last asked.
    pub fn take_follows(&mut self) -> Vec<Follow> {
        std::mem::take(&mut self.follows)
    }

    /// Is an order under way?
    pub fn is_busy(&self) -> bool {
        self.request.is_some()
    }

    /// Bytes for the client that the driver has not taken yet. The driver removes what it has written
    /// and calls [`process`](Self::process) again.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Is there room enough in the output for the answers to what is read, and no order under way that may
    /// take long? A Listen is ended by input, so that is read.
    pub fn wants_input(&self) -> bool {
        let waits = self.request.is_some() && self.listened().is_none() && self.surplus == 0;
        self.output.len() < OUTPUT_FULL && !waits
    }

    fn flush(&mut self) {
        self.output.append(&mut self.kept);
    }

    fn end(&mut self) {
        self.flush();
        if let Some(channel) = self.listened() {
            self.follows.push(Follow::End(channel));
        }
        self.request = None;
    }

    /// The channel that a Listen is under way on.
    fn listened(&self) -> Option<ChannelId> {
        match &self.request {
            Some(NodeRequest::Listen(listen)) => Some(listen.channel()),
            _ => None,
        }
    }

    fn listen_to(&mut self, channel: ChannelId) -> Option<&mut super::stream::Listen> {
        let listen = self.request.as_mut()?.as_listen_mut()?;
        (listen.channel() == channel).then_some(listen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::ChannelName;
    use crate::codec::Put as _;
    use crate::host::Host as _;
    use crate::key::{HashRange, Key};
    use crate::legacy::{Answer, KeyText, Status};
    use crate::testing::{Event, Memory, legacy::said, noise};

    const OK: [u8; 4] = [200, 0, 0, 0];
    const GET_RANGE: [u8; 4] = [20, 0, 0, 0];
    const GET_VERSION: [u8; 4] = [24, 0, 0, 0];

    fn bytes(order: &Order) -> Vec<u8> {
        let mut bytes = Vec::new();
        order.encode(&mut bytes);
        bytes
    }

    fn remove(key: u64) -> Vec<u8> {
        bytes(&Order::Remove {
            channel: "c".into(),
            key: KeyText::from(Key(key)),
        })
    }

    fn listen() -> Vec<u8> {
        let channel = "c".into();
        bytes(&Order::Listen { channel })
    }

    fn version() -> Vec<u8> {
        let mut answer = Vec::new();
        Answer::version().encode(&mut answer);
        answer
    }

    /// Tells a connection what was written, as its driver does.
    fn tell(connection: &mut NodeConnection, memory: &mut Memory) {
        for event in memory.events.drain(..) {
            match event {
                Event::Record(channel, change) => connection.changed(channel, change),
                Event::Gone(channel) => connection.channel_removed(channel),
            }
        }
    }

    #[test]
    fn orders_are_answered_in_turn_however_they_arrive() {
        let mut memory = Memory::with("c", [(1, "one"), (2, "two")]);
        let orders = [remove(1), remove(1), GET_VERSION.to_vec()].concat();
        let answers = [OK.repeat(2), version()].concat();
        let mut connection = NodeConnection::default();
        connection.feed(&orders);
        let all = said(&mut connection, &mut memory.clone());
        assert_eq!(all, Ok(answers.clone()));
        let mut connection = NodeConnection::default();
        let mut one_by_one = Vec::new();
        for byte in &orders {
            connection.feed(&[*byte]);
            one_by_one.extend(said(&mut connection, &mut memory).unwrap());
        }
        assert_eq!(one_by_one, answers);
        assert_eq!(memory.value("c", 1), None);
        assert!(memory.value("c", 2).is_some());
    }

    #[test]
    fn what_was_answered_before_a_violation_is_still_sent() {
        let mut connection = NodeConnection::default();
        connection.feed(&[&GET_VERSION[..], &99_i32.to_le_bytes(), &GET_VERSION].concat());
        let result = connection.process(&mut Memory::default());
        assert_eq!(result, Err(Violation::UnknownCommand { code: 99 }));
        assert_eq!(*connection.output(), version());
    }

    #[test]
    fn a_client_that_does_not_read_is_not_read_from() {
        let mut connection = NodeConnection::default();
        connection.feed(&GET_RANGE.repeat(100_000));
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

    #[test]
    fn an_order_is_taken_when_there_is_room_for_its_answer_and_none_is_under_way() {
        let mut connection = NodeConnection::default();
        connection.feed(&GET_VERSION);
        connection.output().resize(OUTPUT_FULL, 0);
        assert!(!connection.wants_input());
        assert_eq!(connection.next_order(), Ok(None));
        connection.output().pop();
        assert!(connection.wants_input());
        assert!(matches!(connection.next_order(), Ok(Some(_))));

        let mut connection = NodeConnection::default();
        connection.feed(&listen());
        said(&mut connection, &mut Memory::default()).unwrap();
        connection.feed(&GET_VERSION);
        assert_eq!(
            connection.next_order(),
            Ok(None),
            "the Listen has not ended"
        );
    }

    #[test]
    fn what_is_read_at_once_is_answered_at_once() {
        let mut connection = NodeConnection::default();
        connection.feed(&GET_RANGE.repeat(4096));
        connection.process(&mut Memory::default()).unwrap();
        assert_eq!(connection.output().len(), 4096 * 20);
    }

    #[test]
    fn a_long_answer_is_handed_out_in_large_parts_and_a_short_one_as_a_whole() {
        let channel = ChannelName::from("c");
        let mut memory = Memory::default();
        for (key, value) in (0..).zip(noise(2_000_000).chunks(1000)) {
            memory.store("c", key, value);
        }
        let mut connection = NodeConnection::default();
        connection.feed(&bytes(&Order::GetAll {
            channel: channel.clone(),
        }));
        connection.process(&mut memory).unwrap();
        assert!((FLUSH..FLUSH + 70_000).contains(&connection.output().len()));

        // The first hundred are found at once, after which others get their turn.
        memory.remove_channel(&channel).unwrap();
        for key in 0..3000 {
            memory.store("c", key, if key < 100 { vec![7; 1000] } else { vec![8] });
        }
        let mut connection = NodeConnection::default();
        connection.feed(&bytes(&Order::GetAllFilter {
            channel,
            filter: vec![7].into(),
        }));
        while connection.process(&mut memory).unwrap() {
            assert!(connection.output().is_empty());
        }
        assert_eq!(connection.output()[..4], OK);
        assert!(connection.output().ends_with(&[0; 8]) && !connection.is_busy());
    }

    #[test]
    fn others_get_their_turn_while_a_long_answer_is_compressed_to_a_short_one() {
        let mut memory = Memory::default();
        for key in 0..3 * PIECES as u64 {
            memory.store("c", key, [7; 60_000]);
        }
        let mut connection = NodeConnection::default();
        let channel = "c".into();
        connection.feed(&bytes(&Order::GetAll { channel }));
        for _ in 0..3 {
            assert_eq!(connection.process(&mut memory), Ok(true));
            assert!(connection.output().is_empty());
        }
        assert_eq!(connection.process(&mut memory), Ok(false));
        assert!(!connection.is_busy() && connection.output().len() < FLUSH);
    }

    #[test]
    fn a_value_that_is_too_large_is_thrown_away_while_it_comes() {
        let mut order = vec![1, 0, 0, 0];
        order.put_array(b"c");
        order.put_array(b"0000000000000001");
        order.put_u64(1 << 40);
        let mut connection = NodeConnection::default();
        let mut memory = Memory::default();
        connection.feed(&order);
        connection.process(&mut memory).unwrap();
        assert!(connection.output().is_empty(), "the value comes first");
        let mut left: u64 = 1 << 40;
        // Not all of it: what comes is not kept, however much it is.
        for _ in 0..1000 {
            connection.feed(&[1; 10_000]);
            left -= 10_000;
            assert!(connection.input.capacity() < 100_000);
            assert!(connection.wants_input());
        }
        assert_eq!(connection.surplus, left);
        assert!(connection.is_busy());
        connection.input_ended();
        assert_eq!(connection.process(&mut memory), Ok(false));
        assert!(!connection.is_busy() && connection.output().is_empty());

        let mut connection = NodeConnection::new(3);
        let put = Order::Put {
            channel: "c".into(),
            key: KeyText::from(Key(1)),
            value: "1234".into(),
        };
        let orders = [bytes(&put), GET_VERSION.to_vec()].concat();
        let mut answers = Vec::new();
        Answer::Status(Status::ValueTooBig).encode(&mut answers);
        answers.extend(version());
        for cut in 0..orders.len() {
            connection.feed(&orders[..cut]);
            let mut all = said(&mut connection, &mut memory).unwrap();
            connection.feed(&orders[cut..]);
            all.extend(said(&mut connection, &mut memory).unwrap());
            assert_eq!(all, answers, "cut at {cut}");
        }
        assert_eq!(memory.value("c", 1), None);
    }

    #[test]
    fn a_listen_ends_with_whatever_is_said_next_and_that_is_answered() {
        let mut memory = Memory::with("c", []);
        let channel = memory.find_channel(&"c".into()).unwrap();
        let mut connection = NodeConnection::default();
        connection.feed(&listen());
        assert_eq!(said(&mut connection, &mut memory).unwrap(), OK);
        assert_eq!(connection.take_follows(), [Follow::Begin(channel)]);
        assert!(connection.is_busy() && connection.wants_input());

        memory.store("c", 1, "one");
        tell(&mut connection, &mut memory);
        let mut record = Vec::new();
        record.put_array(b"0000000000000001");
        record.put_array(b"one");
        assert_eq!(said(&mut connection, &mut memory).unwrap(), record);

        memory.store("c", 2, "two");
        tell(&mut connection, &mut memory);
        connection.feed(&GET_VERSION[..1]);
        assert_eq!(said(&mut connection, &mut memory).unwrap(), b"");
        assert_eq!(connection.take_follows(), [Follow::End(channel)]);
        connection.feed(&GET_VERSION[1..]);
        assert_eq!(said(&mut connection, &mut memory).unwrap(), version());
    }

    #[test]
    fn a_listen_ends_with_its_channel_or_with_the_clients_last_byte() {
        let mut memory = Memory::with("c", []);
        let mut connection = NodeConnection::default();
        connection.feed(&listen());
        said(&mut connection, &mut memory).unwrap();
        memory.remove_channel(&"c".into()).unwrap();
        tell(&mut connection, &mut memory);
        assert_eq!(said(&mut connection, &mut memory).unwrap(), [0; 16]);
        assert!(!connection.is_busy());

        connection.feed(&listen());
        assert_eq!(said(&mut connection, &mut memory).unwrap(), OK);
        connection.input_ended();
        assert!(!connection.is_busy());
        assert_eq!(connection.take_follows().len(), 4);
        assert_eq!(said(&mut connection, &mut memory).unwrap(), b"");
    }

    #[test]
    fn the_end_of_the_input_ends_nothing_else() {
        let mut memory = Memory::default();
        let redistribute = Order::Redistribute(crate::legacy::Redistribute {
            min: 0,
            max: u64::MAX,
            nodes: vec![],
        });
        let mut connection = NodeConnection::default();
        connection.feed(&[bytes(&redistribute), GET_RANGE.to_vec()].concat());
        assert_eq!(said(&mut connection, &mut memory).unwrap(), b"");
        connection.input_ended();
        assert!(connection.is_busy() && !connection.wants_input());
        memory.redistributed = true;
        let mut expected = OK.to_vec();
        Answer::Range(HashRange::FULL).encode(&mut expected);
        assert_eq!(said(&mut connection, &mut memory).unwrap(), expected);
    }
}
