//! Single steps.

use dht_protocol::neo::batch;

use crate::case::{Decision, Direction, Fault, Step};
use crate::names::KeyName;
use crate::rng::Rng;
use crate::value::Value;

use super::Shape;
use super::legacy::Legacy;
use super::preferences::preferences;

/// Makes steps one after another.
#[derive(Debug)]
pub(super) struct Steps {
    pub(super) rng: Rng,
    channels: usize,
    keys: Vec<KeyName>,
    /// What is done how often in this case.
    weights: Vec<(usize, Kind)>,
    /// How often a value is large: once in so many.
    large: usize,
    /// How often a value is empty: once in so many; 0: never.
    empty: usize,
    values: u64,
    /// How long the last large value was.
    length: usize,
    /// How many records the case begins with.
    filling: usize,
    /// Where the last operation was.
    last: Option<(usize, KeyName)>,
    /// What is done how often by lanes that speak legacy, if any do.
    pub(super) legacy: Legacy,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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

impl Steps {
    pub(super) fn new(mut rng: Rng, shape: &Shape) -> Self {
        let channels = 1 + rng.below(3);
        let inside = [2, 4, 8, 24][rng.below(4)];
        let mut keys: Vec<_> = (0..inside).map(KeyName::Inside).collect();
        if rng.chance(1, 2) {
            keys.extend([KeyName::First, KeyName::Last]);
        }
        let weights = WEIGHTS
            .iter()
            .filter(|(_, kind)| *kind != Kind::RemoveChannel || shape.removes_channels);
        let weights = preferences(&mut rng, weights.copied(), Kind::Put);
        let large = [20, 100, 1000][rng.below(3)];
        let empty = match [0, 0, 0, 50][rng.below(4)] {
            often if shape.empty_values => often,
            _ => 0,
        };
        // More than a node may have in what it thinks a page is.
        let filling: usize = match rng.below(10) {
            0 => 70,
            1 => 20,
            _ => 0,
        };
        let legacy = match shape.legacy {
            0 => Legacy::default(),
            _ => Legacy::new(&mut rng, shape),
        };
        Self {
            channels,
            keys,
            weights,
            large,
            empty,
            values: 0,
            length: 0,
            filling: filling.min(shape.steps / 4),
            last: None,
            legacy,
            rng,
        }
    }

    /// A whole operation.
    pub(super) fn operation(&mut self) -> Step {
        let kind = self.rng.pick(&self.weights).unwrap_or(Kind::Put);
        let (channel, key) = self.place();
        match kind {
            Kind::Put => Step::Put {
                channel,
                key,
                value: self.value(),
            },
            Kind::Get => Step::Get { channel, key },
            Kind::Exists => Step::Exists { channel, key },
            Kind::Remove => Step::Remove { channel, key },
            Kind::Update => Step::Update {
                channel,
                key,
                decision: self.decision(),
            },
            Kind::GetAll => Step::GetAll {
                channel,
                keys_only: self.rng.chance(1, 3),
                filter: self.filter(),
            },
            Kind::GetChannels => Step::GetChannels {},
            Kind::RemoveChannel => Step::RemoveChannel { channel },
        }
    }

    /// Puts of as many records as the case begins with, all in one channel.
    pub(super) fn filling(&mut self) -> Vec<Step> {
        let channel = self.channel();
        (0..self.filling as u32)
            .map(|number| Step::Put {
                channel: channel.clone(),
                key: KeyName::Inside(number),
                value: self.value(),
            })
            .collect()
    }

    /// A channel and a key, often those of the operation before.
    pub(super) fn place(&mut self) -> (String, KeyName) {
        let (channel, key) = match self.last {
            Some(last) if self.rng.chance(1, 3) => last,
            _ => {
                // Lower numbers more often, so that some keys meet much and others little.
                let count = self.keys.len();
                let index = self.rng.below(count).min(self.rng.below(count));
                (self.rng.below(self.channels), self.keys[index])
            }
        };
        self.last = Some((channel, key));
        (format!("c{channel}"), key)
    }

    /// One of the channels.
    pub(super) fn channel(&mut self) -> String {
        format!("c{}", self.rng.below(self.channels))
    }

    /// All of them.
    pub(super) fn channels(&self) -> impl Iterator<Item = String> + use<> {
        (0..self.channels).map(|number| format!("c{number}"))
    }

    /// A value that says which write it comes from. Now and then it is as large as a value may be, or does
    /// not fit beside another one in a batch.
    pub(super) fn value(&mut self) -> Value {
        self.values += 1;
        let text = format!("v{}", self.values);
        if self.empty > 0 && self.rng.chance(1, self.empty) {
            return Value::new("");
        }
        if !self.rng.chance(1, self.large) {
            return Value::new(text);
        }
        let length = match self.rng.below(10) {
            0 => batch::MAX_VALUE,
            1 => batch::MAX_VALUE - 1,
            2 => batch::MAX_VALUE / 2,
            3 => 254 + self.rng.below(4),
            4 => 4095 + self.rng.below(3),
            // What is equal may be confused.
            5 | 6 if self.length > 0 => self.length,
            _ => self.rng.below(4096),
        };
        self.length = length;
        Value::long(text, u32::try_from(length).unwrap_or(u32::MAX))
    }

    pub(super) fn decision(&mut self) -> Decision {
        match self.rng.below(5) {
            0 => Decision::Leave,
            1 => Decision::Delete,
            _ => Decision::Replace(self.value()),
        }
    }

    /// A part of a value; some of the values contain it.
    pub(super) fn filter(&mut self) -> String {
        match self.rng.below(4) {
            0 => self.rng.below(10).to_string(),
            1 => format!("v{}", self.values),
            _ => String::new(),
        }
    }

    /// Something that goes wrong on a connection.
    pub(super) fn fault(&mut self, connections: usize, halts: bool) -> Fault {
        if halts && self.rng.chance(1, 8) {
            return Fault::Halt {
                ms: 1 + self.rng.below(40) as u32,
            };
        }
        let connection = self.rng.below(connections);
        let direction = match self.rng.chance(1, 2) {
            true => Direction::ToNode,
            false => Direction::ToClient,
        };
        let rng = &mut self.rng;
        match rng.below(8) {
            0 => Fault::Split {
                connection,
                bytes: [0, 1, 7, 100][rng.below(4)],
            },
            1 => Fault::Coalesce {
                connection,
                messages: rng.below(6) as u32,
            },
            2 | 3 => Fault::Stall {
                connection,
                direction,
                messages: 1 + rng.below(20) as u32,
            },
            _ => Fault::Cut {
                connection,
                direction,
                messages: rng.below(4) as u32,
                bytes: match rng.chance(1, 2) {
                    true => 0,
                    false => 1 + rng.below(40) as u32,
                },
            },
        }
    }
}
