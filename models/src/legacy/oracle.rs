//! What orders do, said once more and as simply as possible: to a map, at one moment.

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_protocol::legacy::batch::decode_records;
use dht_protocol::legacy::{Answer, Event, Order, Status};
use dht_protocol::{HashRange, Key};

use super::state::Expected;

/// The records that there should be, and how they came to be.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Oracle {
    range: HashRange,
    room: u64,
    /// `None` if there is no channel.
    pub records: Option<BTreeMap<Key, Bytes>>,
    /// What clients have done to the channel.
    pub log: Vec<Deed>,
}

/// Something that was done to the channel.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Deed {
    /// A record was written.
    Put(Key, Bytes),
    /// There is no such record any more.
    Remove(Key),
    /// The channel was removed.
    RemoveChannel,
}

impl Oracle {
    /// With these records. Without any there is no channel.
    pub fn new(range: HashRange, room: u64, records: &[(Key, Bytes)]) -> Self {
        let has_channel = !records.is_empty();
        Self {
            range,
            room,
            records: has_channel.then(|| records.iter().cloned().collect()),
            log: records
                .iter()
                .map(|(key, value)| Deed::Put(*key, value.clone()))
                .collect(),
        }
    }

    /// Does what an order asks. Says what it should be answered.
    pub fn order(&mut self, order: &Order) -> Expected {
        let answer = match order {
            Order::Put { key, value, .. } => key.parse().map(|key| {
                let status = match self.refuses(key, value) {
                    Some(status) => status,
                    None => self.put(key, value),
                };
                Answer::Status(status)
            }),
            Order::PutBatch { batch, .. } => {
                let records = decode_records(batch).unwrap_or_default();
                self.records.get_or_insert_default();
                let mut status = Status::Ok;
                for (key, value) in records {
                    match self.refuses(key, &value) {
                        None => _ = self.put(key, &value),
                        Some(refusal) => {
                            status = refusal;
                            break;
                        }
                    }
                }
                Some(Answer::Status(status))
            }
            Order::Get { key, .. } => key.parse().map(|key| {
                let value = self.records.as_ref().and_then(|records| records.get(&key));
                Answer::Value(value.cloned().unwrap_or_default())
            }),
            Order::Remove { key, .. } => key.parse().map(|key| {
                let removed = self
                    .records
                    .as_mut()
                    .and_then(|records| records.remove(&key));
                if removed.is_some() {
                    self.log.push(Deed::Remove(key));
                }
                Answer::Status(Status::Ok)
            }),
            Order::RemoveChannel { .. } => {
                if self.records.take().is_some() {
                    self.log.push(Deed::RemoveChannel);
                }
                Some(Answer::Status(Status::Ok))
            }
            Order::Listen { .. } => {
                self.records.get_or_insert_default();
                return Expected::Writes(self.log.len());
            }
            Order::GetAll { .. } => return Expected::Records(self.log.len()),
            _ => None,
        };
        Expected::Events(answer.map(Event::Answered).into_iter().collect())
    }

    /// The records as they were when the log was so long.
    pub fn at(&self, length: usize) -> BTreeMap<Key, Bytes> {
        let mut records = BTreeMap::new();
        for deed in &self.log[..length.min(self.log.len())] {
            match deed {
                Deed::Put(key, value) => _ = records.insert(*key, value.clone()),
                Deed::Remove(key) => _ = records.remove(key),
                Deed::RemoveChannel => records.clear(),
            }
        }
        records
    }

    fn put(&mut self, key: Key, value: &Bytes) -> Status {
        let records = self.records.get_or_insert_default();
        records.insert(key, value.clone());
        self.log.push(Deed::Put(key, value.clone()));
        Status::Ok
    }

    fn refuses(&self, key: Key, value: &Bytes) -> Option<Status> {
        let records = self.records.iter().flatten();
        let stored: u64 = records.map(|(_, value)| value.len() as u64).sum();
        if value.is_empty() {
            Some(Status::EmptyValue)
        } else if !self.range.covers(key) {
            Some(Status::WrongNode)
        } else if stored + value.len() as u64 > self.room {
            Some(Status::OutOfMemory)
        } else {
            None
        }
    }
}
