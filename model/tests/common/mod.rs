//! A DHT made of plain maps, written without looking at the model: what the model is tested against.

#![allow(
    dead_code,
    reason = "each test file is a crate of its own and uses a part"
)]

pub(crate) mod judge;
pub(crate) mod legacy;
pub(crate) mod mutants;
pub(crate) mod plan;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dht_model::{
    Action, Answer, ChannelName, Decision, HashRange, Key, Model, NodeId, Operation, Route, fnv1a,
};
use proptest::sample::Index;

/// How a node treats empty values.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Empty {
    /// As any other value.
    Plain,
    /// Put is answered by an error and changes nothing.
    Refused,
    /// As the original's fake node: listed and removable, otherwise not there.
    Hidden,
    /// As the original's real node: there, but Get is not answered and Remove does nothing.
    Sticky,
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Node {
    id: NodeId,
    range: HashRange,
    empty: Empty,
    channels: BTreeMap<ChannelName, BTreeMap<Key, Bytes>>,
}

/// The nodes, newest first.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Naive(Vec<Node>);

/// What stops an operation: no answer, or an error.
enum Stop {
    Silence,
    Error,
}

/// How many more messages get through.
struct Fuel(usize);

impl Fuel {
    fn burn(&mut self) -> Result<(), Stop> {
        self.0 = self.0.checked_sub(1).ok_or(Stop::Silence)?;
        Ok(())
    }
}

impl Node {
    fn channel(&mut self, name: &ChannelName) -> &mut BTreeMap<Key, Bytes> {
        self.channels.entry(name.clone()).or_default()
    }

    fn put(&mut self, name: &ChannelName, key: Key, value: &Bytes) -> Result<(), Stop> {
        if value.is_empty() && self.empty == Empty::Refused {
            return Err(Stop::Error);
        }
        self.channel(name).insert(key, value.clone());
        Ok(())
    }

    fn read(&mut self, name: &ChannelName, key: Key) -> Option<Bytes> {
        let hidden = self.empty == Empty::Hidden;
        let value = self.channel(name).get(&key).cloned();
        value.filter(|value| !(hidden && value.is_empty()))
    }

    fn get(&mut self, name: &ChannelName, key: Key) -> Result<Option<Bytes>, Stop> {
        match self.read(name, key) {
            Some(value) if value.is_empty() && self.empty == Empty::Sticky => Err(Stop::Silence),
            value => Ok(value),
        }
    }

    fn remove(&mut self, name: &ChannelName, key: Key) -> bool {
        let sticky = self.empty == Empty::Sticky;
        let channel = self.channel(name);
        if sticky && channel.get(&key).is_some_and(Bytes::is_empty) {
            return false;
        }
        channel.remove(&key).is_some()
    }

    fn compare_and_write(
        &mut self,
        name: &ChannelName,
        key: Key,
        hash: u64,
        value: &Bytes,
    ) -> Result<bool, Stop> {
        match self.channel(name).get(&key) {
            Some(old) if fnv1a(old) != hash => Ok(false),
            _ => self.put(name, key, value).map(|()| true),
        }
    }
}

impl Naive {
    pub(crate) fn new(ranges: &[HashRange], empty: Empty) -> Self {
        let node = |(id, range): (u16, &HashRange)| Node {
            id: NodeId(id),
            range: *range,
            empty,
            channels: BTreeMap::new(),
        };
        Self((0..).zip(ranges).map(node).collect())
    }

    /// A model of the same nodes, while they hold nothing.
    pub(crate) fn model(&self) -> Model {
        let mut model = Model::default();
        for node in self.0.iter().rev() {
            model.announce(node.id, node.range);
        }
        model
    }

    /// Some node, if there are so many.
    pub(crate) fn node(&self, choice: Index) -> NodeId {
        choice.get(&self.0).id
    }

    /// Gives a node another range, and makes it the newest.
    pub(crate) fn announce(&mut self, id: NodeId, range: HashRange) {
        for node in &mut self.0 {
            if node.id == id {
                node.range = range;
            }
        }
        self.0.sort_by_key(|node| node.id != id);
    }

    /// What comes back, and what there is afterwards.
    pub(crate) fn run_on(&mut self, route: Route, operation: &Operation) -> Answer {
        if let Route::Legacy(id) = route {
            return self.run_legacy(id, operation);
        }
        let Route::Node(id) = route else {
            return self.run(operation);
        };
        let mut answer = Answer::NoNode;
        for node in self.0.iter_mut().filter(|node| node.id == id) {
            let mut alone = Self(vec![node.clone()]);
            answer = match alone.run(operation) {
                Answer::NoNode => Answer::WrongNode,
                answer => answer,
            };
            *node = alone.0.remove(0);
        }
        answer
    }

    /// Everything that there may be after the operation broke off somewhere.
    pub(crate) fn broken_off_on(&self, route: Route, operation: &Operation) -> BTreeSet<Self> {
        let Route::Node(id) = route else {
            return self.broken_off(operation);
        };
        let mut all = BTreeSet::new();
        for (place, node) in self.0.iter().enumerate().filter(|(_, node)| node.id == id) {
            for mut alone in Self(vec![node.clone()]).broken_off(operation) {
                let mut after = self.clone();
                after.0[place] = alone.0.remove(0);
                all.insert(after);
            }
        }
        all
    }

    /// What a client gets that is connected to all nodes.
    fn run(&mut self, operation: &Operation) -> Answer {
        self.attempt(operation, usize::MAX)
    }

    fn broken_off(&self, operation: &Operation) -> BTreeSet<Self> {
        if matches!(operation, Operation::Record { .. }) {
            return (0..=3 * self.0.len())
                .map(|messages| {
                    let mut after = self.clone();
                    after.attempt(operation, messages);
                    after
                })
                .collect();
        }
        // Every node is asked at the same time.
        (0..1_u32 << self.0.len())
            .map(|reached| {
                let mut after = self.clone();
                for (place, node) in after.0.iter_mut().enumerate() {
                    if reached & 1 << place != 0 {
                        let mut alone = Self(vec![node.clone()]);
                        alone.run(operation);
                        *node = alone.0.remove(0);
                    }
                }
                after
            })
            .collect()
    }

    fn attempt(&mut self, operation: &Operation, messages: usize) -> Answer {
        match operation {
            Operation::Record {
                channel,
                key,
                action,
            } => {
                let covering = self.0.iter_mut().filter(|node| node.range.covers(*key));
                let mut nodes: Vec<_> = covering.collect();
                if nodes.is_empty() {
                    return Answer::NoNode;
                }
                let mut fuel = Fuel(messages);
                match act(&mut nodes, channel, *key, action, &mut fuel) {
                    Ok(answer) => answer,
                    Err(Stop::Silence) => Answer::Unknown,
                    Err(Stop::Error) => Answer::Error,
                }
            }
            Operation::GetAll {
                channel,
                keys_only,
                filter,
            } => {
                let records = self.records(channel, |value| {
                    let found = |window: &[u8]| window == filter;
                    filter.is_empty() || value.windows(filter.len()).any(found)
                });
                match keys_only {
                    true => Answer::Keys(records.into_iter().map(|(key, _)| key).collect()),
                    false => Answer::Records(records),
                }
            }
            Operation::Refresh { channel } => Answer::Records(self.records(channel, |_| true)),
            Operation::GetChannels => {
                let names = self.0.iter().flat_map(|node| node.channels.keys().cloned());
                let names: BTreeSet<_> = names.collect();
                Answer::Channels(names.into_iter().collect())
            }
            Operation::RemoveChannel { permitted, .. } if !permitted => Answer::NotPermitted,
            Operation::RemoveChannel { channel, .. } => {
                for node in &mut self.0 {
                    node.channels.remove(channel);
                }
                Answer::ChannelRemoved
            }
            Operation::GetHashRange => {
                Answer::HashRanges(self.0.iter().map(|node| node.range).collect())
            }
            // Not of this protocol.
            Operation::PutBatch { .. } | Operation::GetSize { .. } | Operation::Listen { .. } => {
                Answer::Unknown
            }
        }
    }

    fn records(
        &mut self,
        channel: &ChannelName,
        wanted: impl Fn(&Bytes) -> bool,
    ) -> Vec<(Key, Bytes)> {
        let mut records = Vec::new();
        for node in &mut self.0 {
            for (key, value) in node.channel(channel) {
                if wanted(value) {
                    records.push((*key, value.clone()));
                }
            }
        }
        records
    }
}

/// What a client does to one record on the nodes responsible for it, newest first.
fn act(
    nodes: &mut [&mut Node],
    name: &ChannelName,
    key: Key,
    action: &Action,
    fuel: &mut Fuel,
) -> Result<Answer, Stop> {
    match action {
        Action::Put(value) => {
            fuel.burn()?;
            nodes[0].put(name, key, value)?;
            Ok(Answer::Stored)
        }
        Action::Get => {
            for node in nodes {
                fuel.burn()?;
                if let Some(value) = node.get(name, key)? {
                    return Ok(Answer::Value(value));
                }
            }
            Ok(Answer::NoRecord)
        }
        Action::Exists => {
            for node in nodes {
                fuel.burn()?;
                if node.read(name, key).is_some() {
                    return Ok(Answer::Exists(true));
                }
            }
            Ok(Answer::Exists(false))
        }
        Action::Remove => {
            let mut removed = false;
            for node in nodes.iter_mut().rev() {
                fuel.burn()?;
                removed |= node.remove(name, key);
            }
            Ok(Answer::Removed(removed))
        }
        Action::UpdateRecord { hash, value } => {
            fuel.burn()?;
            match nodes[0].compare_and_write(name, key, *hash, value)? {
                true => Ok(Answer::Stored),
                false => Ok(Answer::Conflict),
            }
        }
        Action::Update(decision) => {
            let mut place = 0;
            let read = loop {
                let Some(node) = nodes.get_mut(place) else {
                    return Ok(Answer::NoRecord);
                };
                fuel.burn()?;
                match node.read(name, key) {
                    Some(value) => break value,
                    None => place += 1,
                }
            };
            fuel.burn()?;
            match decision {
                Decision::Leave => {}
                Decision::Delete => {
                    nodes[place].remove(name, key);
                }
                Decision::Replace(value) => {
                    if !nodes[0].compare_and_write(name, key, fnv1a(&read), value)? {
                        return Ok(Answer::Conflict);
                    }
                    if place > 0 {
                        fuel.burn()?;
                        nodes[place].remove(name, key);
                    }
                }
            }
            Ok(Answer::Updated { read })
        }
    }
}

/// The same answer in a fixed order, if it is a list.
pub(crate) fn sorted(mut answer: Answer) -> Answer {
    match &mut answer {
        Answer::Records(records) => records.sort(),
        Answer::Keys(keys) => keys.sort(),
        Answer::Channels(names) => names.sort(),
        Answer::HashRanges(ranges) => ranges.sort(),
        _ => {}
    }
    answer
}

/// The same answer in reverse order, if it is a list.
pub(crate) fn reversed(mut answer: Answer) -> Answer {
    match &mut answer {
        Answer::Records(records) => records.reverse(),
        Answer::Keys(keys) => keys.reverse(),
        Answer::Channels(names) => names.reverse(),
        Answer::HashRanges(ranges) => ranges.reverse(),
        _ => {}
    }
    answer
}
