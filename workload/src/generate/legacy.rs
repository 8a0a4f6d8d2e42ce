//! What lanes do that speak the legacy protocol.

use crate::case::{Placed, Step};
use crate::rng::Rng;

use super::Shape;
use super::preferences::preferences;
use super::rounds::Rounds;
use super::steps::Steps;

/// A batch has so many records at most.
const BATCH: usize = 4;

/// What is done how often.
#[derive(Debug, Default)]
pub(super) struct Legacy {
    weights: Vec<(usize, Kind)>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Put,
    PutBatch,
    Get,
    Exists,
    Remove,
    GetAll,
    GetSize,
    GetChannels,
    RemoveChannel,
}

const WEIGHTS: &[(usize, Kind)] = &[
    (24, Kind::Put),
    (8, Kind::PutBatch),
    (20, Kind::Get),
    (10, Kind::Exists),
    (14, Kind::Remove),
    (8, Kind::GetAll),
    (4, Kind::GetSize),
    (2, Kind::GetChannels),
    (2, Kind::RemoveChannel),
];

impl Legacy {
    /// Some kinds of steps are left out, and others preferred.
    pub(super) fn new(rng: &mut Rng, shape: &Shape) -> Self {
        let weights = WEIGHTS
            .iter()
            .filter(|(_, kind)| *kind != Kind::RemoveChannel || shape.removes_channels);
        Self {
            weights: preferences(rng, weights.copied(), Kind::Put),
        }
    }
}

impl Steps {
    /// A whole operation of the legacy protocol.
    pub(super) fn legacy_operation(&mut self) -> Step {
        let kind = self.rng.pick(&self.legacy.weights).unwrap_or(Kind::Put);
        let (channel, key) = self.place();
        match kind {
            Kind::Put => Step::Put {
                channel,
                key,
                value: self.value(),
            },
            Kind::PutBatch => {
                let mut records = vec![(key, self.value())];
                for _ in 0..self.rng.below(BATCH) {
                    let (_, key) = self.place();
                    records.push((key, self.value()));
                }
                Step::PutBatch { channel, records }
            }
            Kind::Get => Step::Get { channel, key },
            Kind::Exists => Step::Exists { channel, key },
            Kind::Remove => Step::Remove { channel, key },
            Kind::GetAll => {
                let keys_only = self.rng.chance(1, 3);
                Step::GetAll {
                    channel,
                    keys_only,
                    // Keys cannot be filtered.
                    filter: match keys_only {
                        true => String::new(),
                        false => self.filter(),
                    },
                }
            }
            Kind::GetSize => Step::GetSize { channel },
            Kind::GetChannels => Step::GetChannels {},
            Kind::RemoveChannel => Step::RemoveChannel { channel },
        }
    }
}

/// A Listen that was begun.
#[derive(Debug)]
pub(super) struct Listening {
    name: String,
    lane: usize,
}

impl Rounds<'_> {
    /// A lane that speaks legacy and is free to do something; `None` if there is none.
    pub(super) fn legacy_lane(&mut self) -> Option<usize> {
        let free = self.free_legacy_lanes();
        let chosen = self.steps.rng.below(free.len());
        free.get(chosen).copied()
    }

    /// The lanes that speak legacy and do not listen.
    pub(super) fn free_legacy_lanes(&self) -> Vec<usize> {
        let first = self.shape.lanes.max(1);
        let lanes = first..first + self.shape.legacy;
        let listens = |lane: &usize| self.listening.iter().any(|open| open.lane == *lane);
        lanes.filter(|lane| !listens(lane)).collect()
    }

    /// Begins to listen, or looks at what was heard.
    pub(super) fn long_legacy(&mut self) {
        let begin = self.steps.rng.chance(1, 2);
        match (begin, self.legacy_lane()) {
            (true, Some(lane)) => {
                let stream = self.name("l");
                let step = Step::OpenListen {
                    stream: stream.clone(),
                    channel: self.steps.channel(),
                };
                self.listening.push(Listening { name: stream, lane });
                self.push(vec![Placed { lane, step }]);
            }
            _ => self.finish_listening(),
        }
    }

    /// Ends the Listen that was begun first, if there is one.
    pub(super) fn finish_listening(&mut self) {
        if self.listening.is_empty() {
            return;
        }
        let Listening { name: stream, .. } = self.listening.remove(0);
        // Who listens cannot ask what there is.
        let lane = self.steps.rng.below(self.shape.lanes.max(1));
        let step = Step::Finish { stream };
        self.push(vec![Placed { lane, step }]);
    }

    /// Looks at everything over the other port too.
    pub(super) fn legacy_epilogue(&mut self) {
        while !self.listening.is_empty() {
            self.finish_listening();
        }
        let Some(lane) = self.legacy_lane() else {
            return;
        };
        for channel in self.steps.channels() {
            let size = Step::GetSize {
                channel: channel.clone(),
            };
            let all = Step::GetAll {
                channel,
                keys_only: false,
                filter: String::new(),
            };
            for step in [size, all] {
                self.push(vec![Placed { lane, step }]);
            }
        }
    }
}
