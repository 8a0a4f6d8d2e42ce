//! The node's half of any command: an order comes in, an answer goes out (`legacy.md` 6, 7).

use super::answer::Answer;
use super::batch;
use super::command::Status;
use super::host::{LegacyHost, RedistributionId};
use super::key::KeyText;
use super::order::{Incoming, Order};
use super::stream::{Channels, Listen, Records, Selection};
use super::{Violation, is_channel_name};
use crate::channel::ChannelName;
use crate::host::{ChannelId, Host, HostError, Size};
use crate::key::Key;
use crate::neo::request::Progress;

/// See the module.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum NodeRequest {
    /// All is known that is to be said.
    Answer(Answer),
    /// GetChannels.
    Channels(Channels),
    /// GetAll, GetAllKeys, GetAllFilter.
    Records(Box<Records>),
    /// Listen.
    Listen(Listen),
    /// Redistribute, until everything has been moved.
    Redistribution(RedistributionId),
    /// Everything has been said.
    Over,
}

impl NodeRequest {
    /// Takes an order. The name of the channel is looked at first, the key then, the range, and what is
    /// special to the command last.
    pub fn open<H: LegacyHost + ?Sized>(
        incoming: Incoming,
        host: &mut H,
    ) -> Result<Self, Violation> {
        let channel = match &incoming {
            Incoming::Order(order) => order.channel(),
            Incoming::TooBig { channel, .. } => Some(channel),
        };
        if channel.is_some_and(|channel| !is_channel_name(channel)) {
            return Ok(Self::Answer(Answer::Status(Status::BadChannelName)));
        }
        match incoming {
            Incoming::Order(order) => open(order, host),
            Incoming::TooBig { key, .. } => {
                let status = responsible(&key, host)?.map(|_| Status::ValueTooBig);
                Ok(Self::Answer(Answer::Status(merge(status))))
            }
        }
    }

    /// Appends a bounded piece of the answer to `out`.
    pub fn poll<H: LegacyHost + ?Sized>(&mut self, host: &mut H, out: &mut Vec<u8>) -> Progress {
        match self {
            Self::Answer(answer) => {
                answer.encode(out);
                *self = Self::Over;
                Progress::Sent
            }
            Self::Channels(channels) => channels.poll(host, out),
            Self::Records(records) => records.poll(host, out),
            Self::Listen(listen) => listen.poll(host, out),
            Self::Redistribution(id) => match host.is_redistributed(*id) {
                false => Progress::Idle,
                true => {
                    *self = Self::Answer(Answer::Status(Status::Ok));
                    self.poll(host, out)
                }
            },
            Self::Over => Progress::Ended,
        }
    }

    /// The Listen that it is, if it is one.
    pub fn as_listen_mut(&mut self) -> Option<&mut Listen> {
        match self {
            Self::Listen(listen) => Some(listen),
            _ => None,
        }
    }
}

fn open<H: LegacyHost + ?Sized>(order: Order, host: &mut H) -> Result<NodeRequest, Violation> {
    let answer = match order {
        Order::Put {
            channel,
            key,
            value,
        } => {
            let status = match responsible(&key, host)? {
                Err(status) => Err(status),
                Ok(_) if value.is_empty() => Err(Status::EmptyValue),
                Ok(_) if !host.has_room_for(value.len() as u64) => Err(Status::OutOfMemory),
                Ok(key) => status(
                    host.open_channel(&channel)
                        .and_then(|channel| host.put(channel, key, &value)),
                ),
            };
            Answer::Status(merge(status))
        }
        Order::Get { channel, key } => match read(&channel, &key, host)? {
            Ok(value) => Answer::Value(value.unwrap_or_default()),
            Err(_) => Answer::Status(Status::Error),
        },
        Order::Exists { channel, key } => match read(&channel, &key, host)? {
            Ok(value) => Answer::Exists(value.is_some()),
            Err(_) => Answer::Status(Status::Error),
        },
        Order::Remove { channel, key } => {
            let removed = responsible(&key, host)?.and_then(|key| {
                // The answer is the same whether there was such a record or not, and no channel is created.
                match host.find_channel(&channel) {
                    Some(id) => status(host.remove(id, key).map(drop)),
                    None => Ok(Status::Ok),
                }
            });
            Answer::Status(merge(removed))
        }
        Order::RemoveChannel { channel } => {
            Answer::Status(merge(status(host.remove_channel(&channel))))
        }
        Order::GetVersion => Answer::version(),
        Order::GetResponsibleRange => Answer::Range(host.range()),
        Order::GetSize => Answer::Size(host.about(), host.total_size()),
        Order::GetChannelSize { channel } => {
            let size = host
                .find_channel(&channel)
                .map_or_else(Size::default, |channel| host.size(channel));
            Answer::Size(host.about(), size)
        }
        Order::GetNumConnections => Answer::Connections(host.about(), host.connections()),
        Order::PutBatch { channel, batch } => {
            let records =
                batch::decode_records(&batch).map_err(|error| Violation::Batch { error })?;
            let stored = match host.open_channel(&channel) {
                Ok(channel) => take_over(channel, &records, host),
                Err(_) => Err(Status::Error),
            };
            Answer::Status(merge(stored.map(|()| Status::Ok)))
        }
        Order::Redistribute(order) => match host.redistribute(&order) {
            Ok(id) => return Ok(NodeRequest::Redistribution(id)),
            Err(_) => Answer::Status(Status::Error),
        },
        Order::Listen { channel } => match host.open_channel(&channel) {
            Ok(channel) => return Ok(NodeRequest::Listen(Listen::new(channel))),
            Err(_) => Answer::Status(Status::Error),
        },
        Order::GetChannels => return Ok(NodeRequest::Channels(Channels::default())),
        Order::GetAll { channel } => return Ok(records(&channel, Selection::Records, host)),
        Order::GetAllKeys { channel } => return Ok(records(&channel, Selection::Keys, host)),
        Order::GetAllFilter { channel, filter } => {
            return Ok(records(&channel, Selection::Containing(filter), host));
        }
    };
    Ok(NodeRequest::Answer(answer))
}

fn records<H: Host + ?Sized>(channel: &ChannelName, selection: Selection, host: &H) -> NodeRequest {
    let channel = host.find_channel(channel);
    NodeRequest::Records(Box::new(Records::new(channel, selection)))
}

/// Stores the records of a batch in turn, up to the first that is refused. What was stored stays.
fn take_over<H: LegacyHost + ?Sized>(
    channel: ChannelId,
    records: &[(Key, bytes::Bytes)],
    host: &mut H,
) -> Result<(), Status> {
    for (key, value) in records {
        if value.is_empty() {
            return Err(Status::EmptyValue);
        }
        if !host.takes_over(*key) {
            return Err(Status::WrongNode);
        }
        if !host.has_room_to_take_over(value.len() as u64) {
            return Err(Status::OutOfMemory);
        }
        host.take_over(channel, *key, value)
            .map_err(|_| Status::Error)?;
    }
    Ok(())
}

/// The value of a record. Other than writes, reads do not ask whether the node is responsible: what it has
/// it tells, also while it hands records over.
fn read<H: Host + ?Sized>(
    channel: &ChannelName,
    key: &KeyText,
    host: &H,
) -> Result<Result<Option<bytes::Bytes>, HostError>, Violation> {
    let key = parse(key)?;
    Ok(match host.find_channel(channel) {
        Some(channel) => host.get(channel, key),
        None => Ok(None),
    })
}

/// The key, if clients may write it here.
fn responsible<H: Host + ?Sized>(
    key: &KeyText,
    host: &H,
) -> Result<Result<Key, Status>, Violation> {
    let key = parse(key)?;
    Ok(match host.is_writable(key) {
        true => Ok(key),
        false => Err(Status::WrongNode),
    })
}

fn parse(key: &KeyText) -> Result<Key, Violation> {
    /// How much of something that is no key is told.
    const TOLD: usize = 64;
    key.parse().ok_or_else(|| {
        let bytes = key.as_bytes();
        let key = KeyText::copy_from(&bytes[..bytes.len().min(TOLD)]);
        Violation::Key { key }
    })
}

fn status(done: Result<(), HostError>) -> Result<Status, Status> {
    match done {
        Ok(()) => Ok(Status::Ok),
        Err(_) => Err(Status::Error),
    }
}

fn merge(status: Result<Status, Status>) -> Status {
    status.unwrap_or_else(|refused| refused)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::key::HashRange;
    use crate::legacy::batch::Batch;
    use crate::legacy::{Event, Redistribute, Target};
    use crate::testing::Memory;
    use crate::testing::legacy::answers;

    fn put(channel: &str, key: u64, value: &'static str) -> Order {
        Order::Put {
            channel: channel.into(),
            key: Key(key).into(),
            value: value.into(),
        }
    }

    fn batch(records: &[(u64, &[u8])]) -> Order {
        let mut batch = Batch::default();
        for (key, value) in records {
            batch.push(Key(*key), value);
        }
        Order::PutBatch {
            channel: "c".into(),
            batch: batch.finish().into(),
        }
    }

    fn status(memory: &mut Memory, order: &Order) -> Status {
        match &answers(memory, order).unwrap()[..] {
            [Event::Answered(Answer::Status(status))] => *status,
            other => panic!("{other:?} for {order:?}"),
        }
    }

    /// The lower half of the range: even keys.
    fn low() -> HashRange {
        HashRange::new(0, u64::MAX / 2).unwrap()
    }

    #[test]
    fn records_are_written_read_and_removed() {
        let mut memory = Memory::default();
        assert_eq!(status(&mut memory, &put("c", 1, "one")), Status::Ok);
        let (channel, key) = (ChannelName::from("c"), KeyText::from(Key(1)));
        let about = |missing: bool| {
            let key = match missing {
                true => KeyText::from(Key(2)),
                false => key.clone(),
            };
            let channel = channel.clone();
            let get = Order::Get {
                channel: channel.clone(),
                key: key.clone(),
            };
            (get, Order::Exists { channel, key })
        };
        for (missing, value) in [(false, "one"), (true, "")] {
            let (get, exists) = about(missing);
            let value = Event::Answered(Answer::Value(Bytes::from(value)));
            assert_eq!(answers(&mut memory, &get), Ok(vec![value]));
            let exists = answers(&mut memory, &exists);
            assert_eq!(exists, Ok(vec![Event::Answered(Answer::Exists(!missing))]));
        }
        let remove = Order::Remove { channel, key };
        for _ in 0..2 {
            assert_eq!(status(&mut memory, &remove), Status::Ok);
        }
        assert_eq!(memory.value("c", 1), None);
        assert_eq!(memory.names(), ["c"]);
        let channel = "other".into();
        let elsewhere = Order::RemoveChannel { channel };
        assert_eq!(status(&mut memory, &elsewhere), Status::Ok);
    }

    #[test]
    fn the_name_is_looked_at_first_then_the_key_the_range_and_the_value() {
        let mut memory = Memory::with("c", [(3, "three")]);
        memory.range = low();
        memory.room = 9;
        for (order, expected) in [
            (put("a.b", 3, ""), Status::BadChannelName),
            (put("", 3, ""), Status::BadChannelName),
            (put("ch\u{e4}nnel", 2, "v"), Status::BadChannelName),
            (put("c", 3, ""), Status::WrongNode),
            (put("new", 2, ""), Status::EmptyValue),
            (put("new", 2, "12345"), Status::OutOfMemory),
            (put("new", 2, "1234"), Status::Ok),
        ] {
            assert_eq!(status(&mut memory, &order), expected, "{order:?}");
        }
        let no_key = Order::Get {
            channel: "c".into(),
            key: KeyText::copy_from(b"no key"),
        };
        let violation = answers(&mut memory, &no_key).unwrap_err();
        assert_eq!(violation.section(), "legacy 4.2");
        // Who has it tells it, responsible or not.
        let get = Order::Get {
            channel: "c".into(),
            key: Key(3).into(),
        };
        let value = Event::Answered(Answer::Value("three".into()));
        assert_eq!(answers(&mut memory, &get), Ok(vec![value]));
        assert_eq!(memory.names(), ["c", "new"]);
    }

    #[test]
    fn a_batch_is_stored_up_to_the_first_record_that_is_refused() {
        let mut memory = Memory::with("c", [(2, "old")]);
        memory.range = low();
        let whole = batch(&[(2, b"new"), (4, b"four")]);
        assert_eq!(status(&mut memory, &whole), Status::Ok);
        assert_eq!(memory.value("c", 2).as_deref(), Some(&b"new"[..]));
        assert!(memory.events.is_empty(), "nothing was written");
        for (bad, expected) in [
            ((3, &b"odd"[..]), Status::WrongNode),
            ((3, b""), Status::EmptyValue),
        ] {
            let order = batch(&[(6, b"six"), bad, (8, b"eight")]);
            assert_eq!(status(&mut memory, &order), expected);
            assert!(memory.value("c", 6).is_some() && memory.value("c", 8).is_none());
        }
        memory.room = 12;
        let order = batch(&[(8, b"12"), (10, b"1")]);
        assert_eq!(status(&mut memory, &order), Status::OutOfMemory);
        assert!(memory.value("c", 8).is_some());
        let garbage = Order::PutBatch {
            channel: "c".into(),
            batch: "no batch".into(),
        };
        let violation = answers(&mut memory, &garbage).unwrap_err();
        assert_eq!(violation.section(), "legacy 5");
    }

    #[test]
    fn what_a_node_says_of_itself() {
        let mut memory = Memory::with("c", [(1, "one"), (2, "two!")]);
        memory.store("d", 1, "1");
        let about = memory.about();
        let size = |records, bytes| Answer::Size(about.clone(), Size { records, bytes });
        let channel = |name: &str| Order::GetChannelSize {
            channel: name.into(),
        };
        for (order, answer) in [
            (Order::GetVersion, Answer::version()),
            (Order::GetResponsibleRange, Answer::Range(HashRange::FULL)),
            (Order::GetSize, size(3, 8)),
            (channel("c"), size(2, 7)),
            (channel("nowhere"), size(0, 0)),
            (
                Order::GetNumConnections,
                Answer::Connections(about.clone(), 1),
            ),
        ] {
            let said = answers(&mut memory, &order);
            assert_eq!(said, Ok(vec![Event::Answered(answer)]));
        }
        assert_eq!(memory.names(), ["c", "d"]);
    }

    #[test]
    fn a_node_that_cannot_says_so() {
        let redistribute = Order::Redistribute(Redistribute {
            min: 2,
            max: 1,
            nodes: vec![Target {
                address: "127.0.0.1".into(),
                port: 1,
                range: low(),
            }],
        });
        let healthy = status(&mut Memory::default(), &redistribute);
        assert_eq!(healthy, Status::Error, "an illegal range");
        let channel = ChannelName::from("c");
        for order in [
            put("c", 1, "one"),
            batch(&[(1, b"one")]),
            Order::Listen {
                channel: channel.clone(),
            },
            Order::RemoveChannel { channel },
        ] {
            let said = status(&mut Memory::broken(), &order);
            assert_eq!(said, Status::Error, "{order:?}");
        }
    }
}
