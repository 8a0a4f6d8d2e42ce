//! The plain node as its legacy clients see it.

use bytes::Bytes;
use dht_model::{Action, Answer, ChannelName, Key, NodeId, Operation};
use proptest::prelude::*;

use super::{Empty, Naive, Node};

impl Naive {
    /// What a node answers over its legacy port.
    pub(super) fn run_legacy(&mut self, id: NodeId, operation: &Operation) -> Answer {
        let mut nodes = self.0.iter_mut();
        match nodes.find(|node| node.id == id) {
            Some(node) => node.run_legacy(operation),
            None => Answer::Unknown,
        }
    }

    /// What it may hold if the connection was lost on the way: everything, nothing, or a part of a batch.
    pub(crate) fn legacy_broken_off(&self, id: NodeId, operation: &Operation) -> Vec<Self> {
        let mut all = vec![self.clone()];
        let mut then = |operation: &Operation| {
            let mut after = self.clone();
            after.run_legacy(id, operation);
            all.push(after);
        };
        then(operation);
        if let Operation::PutBatch { channel, records } = operation {
            for count in 0..records.len() {
                then(&Operation::PutBatch {
                    channel: channel.clone(),
                    records: records[..count].to_vec(),
                });
            }
        }
        all
    }
}

impl Node {
    fn run_legacy(&mut self, operation: &Operation) -> Answer {
        let bad = |name: &ChannelName| name.as_bytes().contains(&b'.');
        if operation.channel().is_some_and(bad) {
            return Answer::BadChannelName;
        }
        match operation {
            Operation::Record {
                channel,
                key,
                action,
            } => self.act_legacy(channel, *key, action),
            Operation::PutBatch { channel, records } => {
                for (key, value) in records {
                    if value.is_empty() {
                        return Answer::EmptyValue;
                    }
                    if !self.range.covers(*key) {
                        return Answer::WrongNode;
                    }
                    self.channel(channel).insert(*key, value.clone());
                }
                Answer::Stored
            }
            Operation::GetSize { channel } => {
                let channels = self.channels.iter();
                let counted =
                    channels.filter(|(name, _)| channel.as_ref().is_none_or(|one| one == *name));
                let records = counted.map(|(_, records)| records.len() as u64).sum();
                Answer::Size { records, bytes: 7 }
            }
            Operation::Listen { channel } => {
                self.channel(channel);
                Answer::Listening
            }
            Operation::GetAll {
                channel,
                keys_only,
                filter,
            } => {
                let wanted = |value: &Bytes| {
                    let mut windows = value.windows(filter.len().max(1));
                    filter.is_empty() || windows.any(|window| window == filter)
                };
                let records = self.channels.get(channel).into_iter().flatten();
                let records = records.filter(|(_, value)| wanted(value));
                let records = records.map(|(key, value)| (*key, value.clone()));
                match keys_only {
                    true => Answer::Keys(records.map(|(key, _)| key).collect()),
                    false => Answer::Records(records.collect()),
                }
            }
            Operation::GetChannels => Answer::Channels(self.channels.keys().cloned().collect()),
            Operation::RemoveChannel { channel, .. } => {
                self.channels.remove(channel);
                Answer::ChannelRemoved
            }
            Operation::GetHashRange => Answer::HashRanges(vec![self.range]),
            Operation::Refresh { .. } => Answer::Unknown,
        }
    }

    fn act_legacy(&mut self, name: &ChannelName, key: Key, action: &Action) -> Answer {
        let inside = self.range.covers(key);
        let held = self
            .channels
            .get(name)
            .and_then(|records| records.get(&key))
            .cloned();
        match action {
            Action::Put(_) | Action::Remove if !inside => Answer::WrongNode,
            Action::Put(value) if value.is_empty() => Answer::EmptyValue,
            Action::Put(value) => {
                self.channel(name).insert(key, value.clone());
                Answer::Stored
            }
            Action::Get => match held {
                Some(value) if !value.is_empty() => Answer::Value(value),
                _ => Answer::NothingThere,
            },
            Action::Exists => {
                let hidden = self.empty == Empty::Hidden;
                Answer::Exists(held.is_some_and(|value| !(hidden && value.is_empty())))
            }
            Action::Remove => {
                if held.is_some() {
                    self.remove(name, key);
                }
                Answer::Gone
            }
            Action::Update(_) | Action::UpdateRecord { .. } => Answer::Unknown,
        }
    }
}

/// Operations that legacy clients ask for, on so many keys of the same channels as neo's, with these values.
pub(crate) fn operations(
    keys: u64,
    values: &'static [&'static str],
) -> impl Strategy<Value = Operation> {
    let value = || prop::sample::select(values).prop_map(Bytes::from);
    let action = prop_oneof![
        4 => value().prop_map(Action::Put),
        2 => Just(Action::Get),
        1 => Just(Action::Exists),
        2 => Just(Action::Remove),
    ];
    let channel = || prop::sample::select(vec!["a", "b", "b", "a", "a.b"]);
    let filter = prop::sample::select(vec!["", "", "v", "vw"]).prop_map(Bytes::from);
    let records = prop::collection::vec((0..keys, value()), 0..4);
    prop_oneof![
        10 => (channel(), 0..keys, action)
            .prop_map(|(channel, key, action)| Operation::record(channel, key, action)),
        3 => (channel(), records)
            .prop_map(|(channel, records)| Operation::put_batch(channel, records)),
        2 => (channel(), any::<bool>(), filter).prop_map(|(channel, keys_only, filter)| {
            Operation::GetAll { channel: channel.into(), keys_only, filter }
        }),
        2 => channel().prop_map(Operation::channel_size),
        1 => Just(Operation::GetSize { channel: None }),
        1 => channel().prop_map(|channel| Operation::Listen { channel: channel.into() }),
        2 => Just(Operation::GetChannels),
        1 => channel().prop_map(Operation::remove_channel),
        1 => Just(Operation::GetHashRange),
    ]
}
