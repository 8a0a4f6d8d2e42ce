//! Random histories: simulated ones, which are linearizable by construction, and spoilt ones.

// Each test and bench uses a part of it.
#![allow(dead_code, missing_docs, unreachable_pub)]

pub mod brute_force;

use std::collections::{BTreeMap, BTreeSet};

use dht_history::{Entry, History, Octets, Operation, Outcome, Record, Returned, Semantics};

/// SplitMix64.
pub struct Rng(pub u64);

impl Rng {
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below the bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.number()) * u128::from(bound)) >> 64) as u64
    }

    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }
}

/// What simulated histories are like.
#[derive(Clone, Debug)]
pub struct Shape {
    pub semantics: Semantics,
    pub operations: usize,
    /// Each has one operation at a time; with none, operations are anywhere in `span`.
    pub clients: u64,
    pub span: u64,
    /// The longest operation.
    pub length: u64,
    pub channels: u64,
    pub keys: u64,
    /// How many values there are; each is stored once, if none.
    pub values: Option<u64>,
    /// How many in a hundred have no answer.
    pub unknown: u64,
    pub weights: Weights,
}

/// How often there is which operation.
#[derive(Clone, Copy, Debug)]
pub struct Weights {
    pub put: u64,
    pub get: u64,
    pub exists: u64,
    pub remove: u64,
    pub update: u64,
    pub remove_channel: u64,
    pub get_channels: u64,
}

/// An operation before it is carried out.
struct Draft {
    entry: Entry,
    kind: Kind,
    carried_out: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Put,
    Get,
    Exists,
    Remove,
    Update,
    RemoveChannel,
    GetChannels,
}

/// A moment of an operation: the second half of an update, and a look at one channel, have their own.
#[derive(Clone, Copy)]
enum Part {
    Main,
    Store,
    Look(u64),
}

/// A history of a node that works.
pub fn simulate(rng: &mut Rng, shape: &Shape) -> History {
    let mut drafts = drafts(rng, shape);
    let mut moments = Vec::new();
    for (index, draft) in drafts.iter().enumerate() {
        let (from, to) = (
            draft.entry.invoked,
            draft.entry.returned.as_ref().map_or(0, |r| r.at),
        );
        let mut moment = |from: i64| from + rng.below((to - from + 1) as u64) as i64;
        if !draft.carried_out {
            continue;
        }
        let main = moment(from);
        match draft.kind {
            Kind::GetChannels => {
                let looks =
                    (0..shape.channels).map(|channel| (moment(from), index, Part::Look(channel)));
                moments.extend(looks);
            }
            Kind::Update if shape.semantics == Semantics::Dht => {
                moments.push((main, index, Part::Main));
                moments.push((moment(main), index, Part::Store));
            }
            _ => moments.push((main, index, Part::Main)),
        }
    }
    moments.sort_by_key(|(at, _, _)| *at);
    let mut node = Node::default();
    for (_, index, part) in moments {
        node.act(rng, &mut drafts[index], part, shape);
    }
    let unknown = shape.unknown;
    drafts
        .into_iter()
        .map(|draft| {
            let mut entry = draft.entry;
            if !draft.carried_out || rng.percent(unknown) {
                entry.returned = None;
            }
            entry
        })
        .collect()
}

fn drafts(rng: &mut Rng, shape: &Shape) -> Vec<Draft> {
    let mut clocks = vec![0; shape.clients as usize];
    let mut drafts = Vec::new();
    for number in 0..shape.operations {
        let length = 1 + rng.below(shape.length);
        let (client, invoked) = match clocks.is_empty() {
            true => (rng.below(4), rng.below(shape.span)),
            false => {
                let client = rng.index(clocks.len());
                let invoked = clocks[client] + rng.below(shape.length);
                clocks[client] = invoked + length + 1;
                (client as u64, invoked)
            }
        };
        let kind = kind(rng, shape.weights);
        let channel = channel(rng.below(shape.channels));
        let record = Record::new(channel.clone(), format!("k{}", rng.below(shape.keys)));
        let value = match shape.values {
            Some(values) => format!("v{}", rng.below(values)),
            None => format!("v{number}"),
        };
        let operation = match kind {
            Kind::Put => Operation::Put(record, value.into()),
            Kind::Get => Operation::Get(record),
            Kind::Exists => Operation::Exists(record),
            Kind::Remove => Operation::Remove(record),
            Kind::Update => Operation::Update {
                record,
                expected: format!("v{}", rng.below(number as u64 + 1)).into(),
                value: value.into(),
            },
            Kind::RemoveChannel => Operation::RemoveChannel(channel),
            Kind::GetChannels => Operation::GetChannels,
        };
        let outcome = match kind {
            Kind::GetChannels => Outcome::Channels(Vec::new()),
            _ => Outcome::Ok,
        };
        let at = (invoked + length) as i64;
        drafts.push(Draft {
            entry: Entry {
                client,
                operation,
                invoked: invoked as i64,
                returned: Some(Returned { at, outcome }),
            },
            kind,
            carried_out: !rng.percent(shape.unknown / 2),
        });
    }
    drafts
}

fn kind(rng: &mut Rng, weights: Weights) -> Kind {
    let all = [
        (weights.put, Kind::Put),
        (weights.get, Kind::Get),
        (weights.exists, Kind::Exists),
        (weights.remove, Kind::Remove),
        (weights.update, Kind::Update),
        (weights.remove_channel, Kind::RemoveChannel),
        (weights.get_channels, Kind::GetChannels),
    ];
    let mut left = rng.below(all.iter().map(|(weight, _)| weight).sum());
    for (weight, kind) in all {
        match left.checked_sub(weight) {
            Some(less) => left = less,
            None => return kind,
        }
    }
    Kind::Get
}

fn channel(number: u64) -> Octets {
    format!("c{number}").into()
}

#[derive(Default)]
struct Node {
    records: BTreeMap<Record, Octets>,
    channels: BTreeSet<Octets>,
}

impl Node {
    fn act(&mut self, rng: &mut Rng, draft: &mut Draft, part: Part, shape: &Shape) {
        let Some(returned) = &mut draft.entry.returned else {
            return;
        };
        if let Part::Look(number) = part {
            if let Outcome::Channels(names) = &mut returned.outcome {
                names.extend(self.channels.get(&channel(number)).cloned());
            }
            return;
        }
        if let Operation::RemoveChannel(name) = &draft.entry.operation {
            self.records.retain(|record, _| record.channel != *name);
            self.channels.remove(name);
            return;
        }
        let Some(record) = draft.entry.operation.record().cloned() else {
            return;
        };
        let found = self.records.get(&record).cloned();
        let mut stored = None;
        returned.outcome = match (&mut draft.entry.operation, &found) {
            (Operation::Put(_, value), _) => {
                stored = Some(value.clone());
                Outcome::Ok
            }
            (Operation::Get(_), Some(value)) => Outcome::Value(value.clone()),
            (Operation::Exists(_), found) => Outcome::Exists(found.is_some()),
            (Operation::Remove(_), Some(_)) => {
                self.records.remove(&record);
                match rng.percent(70) {
                    true => Outcome::Removed,
                    false => Outcome::Ok,
                }
            }
            (Operation::Remove(_), None) if rng.percent(30) => Outcome::Ok,
            (
                Operation::Update {
                    expected, value, ..
                },
                found,
            ) => {
                let first = matches!(part, Part::Main);
                if let Some(found) = found
                    && first
                    && rng.percent(70)
                {
                    *expected = found.clone();
                }
                let fits = found.as_ref() == Some(expected);
                match (shape.semantics, part, found) {
                    // The first half ended it.
                    (Semantics::Dht, Part::Store, _) if returned.outcome != Outcome::Ok => return,
                    (Semantics::Dht, Part::Main, _) if fits => Outcome::Ok,
                    (Semantics::Dht, Part::Main, None) => Outcome::NoRecord,
                    (Semantics::Dht, Part::Store, None) => {
                        stored = Some(value.clone());
                        Outcome::Ok
                    }
                    _ if fits => {
                        stored = Some(value.clone());
                        Outcome::Ok
                    }
                    _ => Outcome::Conflict,
                }
            }
            _ => Outcome::NoRecord,
        };
        if stored.is_some() || rng.percent(70) {
            self.channels.insert(record.channel.clone());
        }
        if let Some(value) = stored {
            self.records.insert(record, value);
        }
    }
}

/// Changes one answer, or when it came.
pub fn spoil(rng: &mut Rng, history: &History) -> History {
    let mut entries = history.entries().to_vec();
    let index = rng.index(entries.len());
    let values: Vec<Octets> = entries
        .iter()
        .filter_map(|entry| match &entry.operation {
            Operation::Put(_, value) | Operation::Update { value, .. } => Some(value.clone()),
            _ => None,
        })
        .collect();
    let entry = &mut entries[index];
    let Some(returned) = &mut entry.returned else {
        return history.clone();
    };
    let value = match values.is_empty() {
        true => "never stored".into(),
        false => values[rng.index(values.len())].clone(),
    };
    let choose = |rng: &mut Rng, outcomes: &[Outcome]| outcomes[rng.index(outcomes.len())].clone();
    returned.outcome = match &entry.operation {
        Operation::Put(..) | Operation::RemoveChannel(_) => {
            let span = returned.at - entry.invoked;
            entry.invoked += rng.below(span as u64 + 1) as i64;
            Outcome::Ok
        }
        Operation::Get(_) => choose(rng, &[Outcome::Value(value), Outcome::NoRecord]),
        Operation::Exists(_) => Outcome::Exists(rng.percent(50)),
        Operation::Remove(_) => choose(rng, &[Outcome::Removed, Outcome::NoRecord, Outcome::Ok]),
        Operation::Update { .. } => {
            choose(rng, &[Outcome::Ok, Outcome::Conflict, Outcome::NoRecord])
        }
        Operation::GetChannels => {
            let names = ["c0", "c1"].into_iter().filter(|_| rng.percent(50));
            Outcome::Channels(names.map(Octets::from).collect())
        }
    };
    entries.into_iter().collect()
}
