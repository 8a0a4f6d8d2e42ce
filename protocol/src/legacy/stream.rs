//! The node's half of answers that come in pieces: the list of channels, the records of a channel, and the
//! writes to one (`legacy.md` 7.7, 7.11 to 7.14).
//!
//! Each remembers only where it is, so that it survives whatever happens to the storage meanwhile, and
//! each adds a bounded piece at a time, so that a client that does not read costs a bounded amount of memory.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use memchr::memmem;

use super::batch::{Batch, Pushed};
use super::command::Status;
use super::key;
use crate::channel::ChannelName;
use crate::codec::Put;
use crate::host::{ChannelId, Host};
use crate::key::Key;
use crate::neo::request::Progress;
use crate::neo::request::mirror::Change;

/// How many records or channels are looked at before others get their turn.
const TURN: usize = 1024;

/// The list of channels, in the node's order.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Channels {
    started: bool,
    after: Option<ChannelName>,
    over: bool,
}

impl Channels {
    /// Appends the next names, or the end of the list.
    pub fn poll<H: Host + ?Sized>(&mut self, host: &mut H, out: &mut Vec<u8>) -> Progress {
        if self.over {
            return Progress::Ended;
        }
        start(&mut self.started, out);
        for _ in 0..TURN {
            self.after = host.channel_after(self.after.as_ref());
            match &self.after {
                // Clients of neo can create a channel without a name; here it would be the end of the list.
                Some(channel) if channel.as_bytes().is_empty() => {}
                Some(channel) => out.put_array(channel.as_bytes()),
                None => {
                    out.put_array(b"");
                    self.over = true;
                    break;
                }
            }
            if out.len() >= PIECE {
                break;
            }
        }
        Progress::Sent
    }
}

/// From how many bytes on a piece of a list of channels is long enough.
const PIECE: usize = 64 * 1024;

/// What is sent of each record.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Selection {
    /// Key and value (GetAll).
    Records,
    /// The key (GetAllKeys).
    Keys,
    /// Key and value, if the value contains this (GetAllFilter). Every value contains nothing at all.
    Containing(Bytes),
}

/// The records of a channel, in the node's order.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Records {
    /// `None` if there was no such channel.
    channel: Option<ChannelId>,
    selection: Selection,
    after: Option<Key>,
    batch: Batch,
    /// Was any batch sent?
    sent: bool,
    started: bool,
    over: bool,
}

impl Records {
    /// The records of this channel from now on.
    pub fn new(channel: Option<ChannelId>, selection: Selection) -> Self {
        Self {
            channel,
            selection,
            after: None,
            batch: Batch::default(),
            sent: false,
            started: false,
            over: false,
        }
    }

    /// Looks at the next records, and appends a batch if it is full, or the rest and the end.
    pub fn poll<H: Host + ?Sized>(&mut self, host: &mut H, out: &mut Vec<u8>) -> Progress {
        if self.over {
            return Progress::Ended;
        }
        start(&mut self.started, out);
        for _ in 0..TURN {
            let next = self
                .channel
                .and_then(|channel| host.record_after(channel, self.after));
            let Some((key, value)) = next else {
                // The last batch is sent even if it is empty, when it is the only one.
                if !self.batch.is_empty() || !self.sent {
                    out.put_array(&self.batch.finish());
                }
                out.put_array(b"");
                self.over = true;
                return Progress::Sent;
            };
            if self.push(key, &value) == Pushed::Full {
                self.sent = true;
                out.put_array(&self.batch.finish());
                return Progress::Sent;
            }
            // What is too big for any batch is left out: that is how the protocol is.
            self.after = Some(key);
        }
        Progress::Yielded
    }

    fn push(&mut self, key: Key, value: &[u8]) -> Pushed {
        match &self.selection {
            Selection::Records => self.batch.push(key, value),
            Selection::Keys => self.batch.push_key(key),
            Selection::Containing(filter) => match memmem::find(value, filter) {
                Some(_) => self.batch.push(key, value),
                None => Pushed::Added,
            },
        }
    }
}

/// The writes to a channel from now on. A key waits only once, and is sent with the value that it has when
/// it is sent; one that is removed meanwhile is not sent. So what waits is never more than what is stored.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Listen {
    channel: ChannelId,
    started: bool,
    /// Keys in the order in which they were written first.
    queue: VecDeque<Key>,
    waiting: BTreeSet<Key>,
    removed: bool,
    over: bool,
}

impl Listen {
    /// Follows this channel.
    pub fn new(channel: ChannelId) -> Self {
        Self {
            channel,
            started: false,
            queue: VecDeque::new(),
            waiting: BTreeSet::new(),
            removed: false,
            over: false,
        }
    }

    /// The channel.
    pub fn channel(&self) -> ChannelId {
        self.channel
    }

    /// A record of the channel was written or removed.
    pub fn changed(&mut self, change: Change) {
        match change {
            Change::Changed(key) => {
                if self.waiting.insert(key) {
                    self.queue.push_back(key);
                }
            }
            Change::Deleted(key) => {
                if self.waiting.remove(&key) {
                    self.queue.retain(|waiting| *waiting != key);
                }
            }
        }
    }

    /// The channel was removed. Nothing is left of its records, so there is only the end to be told.
    pub fn channel_removed(&mut self) {
        self.removed = true;
        self.queue.clear();
        self.waiting.clear();
    }

    /// Appends the next record, or the end.
    pub fn poll<H: Host + ?Sized>(&mut self, host: &mut H, out: &mut Vec<u8>) -> Progress {
        if self.over {
            return Progress::Ended;
        }
        let at_first = !self.started;
        start(&mut self.started, out);
        while let Some(key) = self.queue.pop_front() {
            self.waiting.remove(&key);
            if let Ok(Some(value)) = host.get(self.channel, key) {
                out.put_array(&key::digits(key));
                out.put_array(&value);
                return Progress::Sent;
            }
        }
        if self.removed {
            out.put_array(b"");
            out.put_array(b"");
            self.over = true;
            return Progress::Sent;
        }
        match at_first {
            true => Progress::Sent,
            false => Progress::Idle,
        }
    }
}

/// Says Ok, once.
fn start(started: &mut bool, out: &mut Vec<u8>) {
    if !*started {
        *started = true;
        out.put_u32(Status::Ok.code().cast_unsigned());
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::legacy::batch::MAX_VALUE;
    use crate::legacy::{ClientRequest, Command, Event, NodeConnection, Order};
    use crate::testing::legacy::{answers, said};
    use crate::testing::{self, Memory};

    fn get_all() -> Order {
        let channel = "c".into();
        Order::GetAll { channel }
    }

    fn keys(events: &[Event]) -> Vec<u64> {
        let mut keys = Vec::new();
        for event in events {
            match event {
                Event::Records(records) => keys.extend(records.iter().map(|(key, _)| key.0)),
                Event::Keys(some) => keys.extend(some.iter().map(|key| key.0)),
                _ => {}
            }
        }
        keys
    }

    #[test]
    fn a_channel_without_a_name_does_not_end_the_list() {
        let mut memory = Memory::default();
        for channel in ["", "a"] {
            memory.create(channel);
        }
        let expected = vec![Event::Started, Event::Channel("a".into()), Event::Ended];
        assert_eq!(answers(&mut memory, &Order::GetChannels), Ok(expected));
    }

    #[test]
    fn every_channel_is_listed() {
        let mut memory = Memory::default();
        for channel in ["a", "b", "c.with a name that is illegal here"] {
            memory.create(channel);
        }
        let mut expected = vec![Event::Started];
        expected.extend(
            memory
                .names()
                .iter()
                .map(|name| Event::Channel(name.as_str().into())),
        );
        expected.push(Event::Ended);
        assert_eq!(answers(&mut memory, &Order::GetChannels), Ok(expected));
    }

    #[test]
    fn a_piece_of_the_list_is_neither_long_nor_short() {
        let mut memory = Memory::default();
        for number in 0..300 {
            memory.create(&format!("{number:01000}"));
        }
        let (mut channels, mut out) = (Channels::default(), Vec::new());
        assert_eq!(channels.poll(&mut memory, &mut out), Progress::Sent);
        assert!((65_536..65_536 + 1008).contains(&out.len()));
    }

    #[test]
    fn records_come_in_batches_and_nothing_in_an_empty_one() {
        let empty = vec![Event::Started, Event::Records(vec![]), Event::Ended];
        assert_eq!(answers(&mut Memory::default(), &get_all()), Ok(empty));

        let mut memory = Memory::default();
        let large = vec![7; MAX_VALUE];
        for key in 1..=3 {
            memory.store("c", key, &large);
        }
        memory.store("c", 4, [&large[..], b"!"].concat());
        memory.store("c", 5, "needle in hay");
        let events = answers(&mut memory, &get_all()).unwrap();
        assert_eq!(keys(&events), [1, 2, 3, 5], "4 fits in no batch");
        assert_eq!(events.len(), 2 + 4);
        let channel = ChannelName::from("c");
        let order = Order::GetAllKeys {
            channel: channel.clone(),
        };
        let events = answers(&mut memory, &order).unwrap();
        assert_eq!(keys(&events), [1, 2, 3, 4, 5]);
        for (filter, found) in [
            (&b"le in"[..], &[5][..]),
            (&[7, 7], &[1, 2, 3]),
            (b"nowhere", &[]),
            (b"", &[1, 2, 3, 5]),
        ] {
            let order = Order::GetAllFilter {
                channel: channel.clone(),
                filter: Bytes::copy_from_slice(filter),
            };
            let events = answers(&mut memory, &order).unwrap();
            assert_eq!(keys(&events), found);
        }
    }

    #[test]
    fn a_long_answer_survives_what_happens_meanwhile_and_waits_for_its_reader() {
        let mut memory = Memory::default();
        for (key, value) in (0..).zip(testing::noise(2_000_000).chunks(1000)) {
            memory.store("c", key, value);
        }
        let mut order = Vec::new();
        get_all().encode(&mut order);
        let mut connection = NodeConnection::default();
        connection.feed(&order);
        connection.process(&mut memory).unwrap();
        let mut answer = std::mem::take(connection.output());
        assert!((4..1_000_000).contains(&answer.len()), "not all at once");
        memory.remove_channel(&"c".into()).unwrap();
        answer.extend(said(&mut connection, &mut memory).unwrap());
        assert!(!connection.is_busy());
        let (mut request, mut input) = (
            ClientRequest::new(Command::GetAll),
            BytesMut::from(&answer[..]),
        );
        let mut events = Vec::new();
        while let Some(event) = request.receive(&mut input).unwrap() {
            assert_ne!(event, Event::Records(vec![]), "only if nothing else comes");
            events.push(event);
        }
        assert_eq!(events.last(), Some(&Event::Ended), "all the same");
        let keys = keys(&events);
        assert!((1..2000).contains(&keys.len()));
        assert!(keys.iter().copied().eq(0..keys.len() as u64));
    }

    #[test]
    fn a_key_waits_once_and_comes_with_its_last_value_or_not_at_all() {
        let mut memory = Memory::with("c", [(9, "before")]);
        memory.create("other");
        let channel = memory.find_channel(&"c".into()).unwrap();
        let mut listen = Listen::new(channel);
        let mut out = Vec::new();
        assert_eq!(listen.poll(&mut memory, &mut out), Progress::Sent);
        assert_eq!(out, [200, 0, 0, 0]);
        for (key, value) in [(1, "one"), (2, "two"), (3, "three"), (1, "uno")] {
            memory.store("c", key, value);
        }
        memory.erase("c", 2);
        for event in memory.events.drain(..) {
            if let testing::Event::Record(_, change) = event {
                listen.changed(change);
            }
        }
        memory.store("c", 3, "drei");
        let mut expected = Vec::new();
        for (key, value) in [(1, "uno"), (3, "drei")] {
            expected.put_array(Key(key).to_string().as_bytes());
            expected.put_array(value.as_bytes());
        }
        out.clear();
        while listen.poll(&mut memory, &mut out) == Progress::Sent {}
        assert_eq!(out, expected);
    }
}
