//! Which operations a random run does: a pure function of its seed.
//!
//! Few channels and few keys, so that operations meet: most of them find what an earlier one left.
//! Sizes of values lie at the limits of the protocol now and then.

use bytes::Bytes;
use dht_model::{Action, Decision, Key, Operation};
use dht_protocol::neo::batch;

use crate::rng::Rng;

/// How many channels there are.
const CHANNELS: usize = 3;
/// How many keys there are.
const KEYS: usize = 8;

/// Generates operations, for ever.
#[derive(Clone, Debug)]
pub struct Plan {
    rng: Rng,
    keys: Vec<Key>,
    /// Numbers the values, so that no two of them are equal.
    values: u64,
    may_remove_channels: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Put,
    Get,
    Exists,
    Remove,
    Update,
    GetAll,
    GetChannels,
    RemoveChannel,
}

const WEIGHTS: &[(usize, Kind)] = &[
    (30, Kind::Put),
    (20, Kind::Get),
    (10, Kind::Exists),
    (14, Kind::Remove),
    (14, Kind::Update),
    (8, Kind::GetAll),
    (2, Kind::GetChannels),
    (2, Kind::RemoveChannel),
];

impl Plan {
    /// The operations of `seed`, on `keys` of the node's range; `key` numbers them from 0.
    pub fn new(seed: u64, key: impl Fn(u64) -> Key, may_remove_channels: bool) -> Self {
        let keys = (0..KEYS as u64).map(key).collect();
        Self {
            rng: Rng::new(seed),
            keys,
            values: 0,
            may_remove_channels,
        }
    }

    fn channel(&mut self) -> String {
        format!("c{}", self.rng.below(CHANNELS))
    }

    fn key(&mut self) -> Key {
        // Lower numbers more often, so that some keys meet much and others little.
        let index = self.rng.below(KEYS).min(self.rng.below(KEYS));
        self.keys[index]
    }

    /// A value that says which write it comes from. Now and then it is as large as a value may be, or
    /// does not fit beside another one in a batch.
    fn value(&mut self) -> Bytes {
        self.values += 1;
        let length = match self.rng.below(400) {
            0 => batch::MAX_VALUE,
            1 => batch::MAX_VALUE - 1,
            2 => batch::MAX_VALUE / 2,
            3..20 => self.rng.below(4096),
            _ => 0,
        };
        let mut value = format!("v{}.", self.values).into_bytes();
        while value.len() < length {
            // Not compressible, so that batches grow.
            value.extend_from_slice(&self.rng.number().to_le_bytes());
            value.truncate(length.max(8));
        }
        value.into()
    }

    fn decision(&mut self) -> Decision {
        match self.rng.below(4) {
            0 => Decision::Leave,
            1 => Decision::Delete,
            _ => Decision::Replace(self.value()),
        }
    }

    /// A part of a value, some of the values contain it.
    fn filter(&mut self) -> Bytes {
        match self.rng.below(3) {
            0 => Bytes::new(),
            1 => Bytes::from(format!("{}", self.rng.below(10))),
            _ => Bytes::from(format!("v{}.", self.values)),
        }
    }
}

impl Iterator for Plan {
    type Item = Operation;

    fn next(&mut self) -> Option<Operation> {
        let channel = self.channel();
        Some(match self.rng.pick(WEIGHTS)? {
            Kind::Put => Operation::put(channel, self.key(), self.value()),
            Kind::Get => Operation::get(channel, self.key()),
            Kind::Exists => Operation::exists(channel, self.key()),
            Kind::Remove => Operation::remove(channel, self.key()),
            Kind::Update => Operation::record(channel, self.key(), Action::Update(self.decision())),
            Kind::GetAll => Operation::GetAll {
                channel: channel.into(),
                keys_only: self.rng.chance(1, 3),
                filter: self.filter(),
            },
            Kind::GetChannels => Operation::GetChannels,
            Kind::RemoveChannel => Operation::RemoveChannel {
                channel: channel.into(),
                permitted: self.may_remove_channels,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn plan(seed: u64) -> Vec<Operation> {
        Plan::new(seed, Key, true).take(2000).collect()
    }

    #[test]
    fn a_seed_determines_the_plan() {
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
    }

    #[test]
    fn values_are_unique_and_of_legal_size() {
        let values: Vec<_> = plan(1)
            .into_iter()
            .filter_map(|operation| match operation {
                Operation::Record {
                    action: Action::Put(value),
                    ..
                } => Some(value),
                Operation::Record {
                    action: Action::Update(Decision::Replace(value)),
                    ..
                } => Some(value),
                _ => None,
            })
            .collect();
        assert!(
            values
                .iter()
                .all(|value| (1..=batch::MAX_VALUE).contains(&value.len()))
        );
        assert!(
            values.iter().any(|value| value.len() > 60_000),
            "some are large"
        );
        assert_eq!(values.iter().collect::<BTreeSet<_>>().len(), values.len());
    }
}
