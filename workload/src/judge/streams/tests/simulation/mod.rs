//! A small node that keeps the rules, under clients that overlap at random: what it leads to is right.
//!
//! Everything takes effect at a random moment within its time. Whatever a node may choose is chosen at
//! random: when a value is read and sent, whether a GetAll sees what was added meanwhile, whether it goes
//! on with what a removed channel held.

mod streams;

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_model::Answer;
use dht_protocol::HashRange;

use crate::case::{At, Decision, Direction, Fault, Protocol, Step};
use crate::names::{KeyName, Names};
use crate::recording::{Entry, Recording, StreamRecord, Time};
use crate::rng::Rng;
use crate::value::Value;
use crate::world::{Ending, Event};
use streams::{Kind, Note, Of, Running};

const CHANNELS: usize = 2;
const LANES: usize = 4;
const ACTIONS: usize = 160;

/// What may happen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weather {
    /// Connections are lost.
    pub(super) lossy: bool,
    /// Channels are removed.
    pub(super) removals: bool,
}

pub(super) fn names() -> Names {
    Names::new("x_", HashRange::FULL, true)
}

/// What happened under this seed.
pub(super) fn run(seed: u64, weather: Weather) -> Recording {
    let mut rng = Rng::new(seed);
    let keys = 1 + rng.below(5) as u32;
    let mut simulation = Simulation {
        weather,
        keys,
        names: names(),
        now: 0,
        values: 0,
        recording: Recording::default(),
        contents: vec![Contents::default(); CHANNELS],
        removed: 0,
        lanes: vec![None; LANES],
        late: Vec::new(),
        streams: Vec::new(),
        rng,
    };
    simulation.run();
    simulation.recording
}

struct Simulation {
    weather: Weather,
    keys: u32,
    rng: Rng,
    names: Names,
    now: Time,
    values: u64,
    recording: Recording,
    contents: Vec<Contents>,
    /// How many channels were removed so far.
    removed: usize,
    lanes: Vec<Option<Doing>>,
    /// Steps whose connection is lost, and which may still take effect.
    late: Vec<Step>,
    streams: Vec<Running>,
}

/// A channel, until it is removed.
#[derive(Clone, Debug, Default)]
struct Contents {
    number: usize,
    records: BTreeMap<u32, Bytes>,
}

#[derive(Clone, Debug)]
struct Doing {
    entry: usize,
    /// What it did, once it has.
    answer: Option<Answer>,
    /// It is a GetAll, which does not happen at one moment.
    walks: bool,
}

impl Simulation {
    fn run(&mut self) {
        if self.weather.lossy {
            let fault = Fault::Cut {
                connection: 0,
                direction: Direction::ToNode,
                messages: 1,
                bytes: 0,
            };
            let entry = self.begin(0, Step::Fault(fault));
            self.end(entry, Ending::Nothing("done".to_owned()));
        }
        for _ in 0..ACTIONS {
            self.act();
        }
        let busy: Vec<_> = (0..CHANNELS)
            .map(|channel| self.is_written(channel))
            .collect();
        let finishing = self.finish();
        self.drain();
        for (stream, entry) in finishing {
            let busy = busy[self.streams[stream].channel];
            self.compare(stream, entry, busy);
        }
    }

    fn act(&mut self) {
        match self.rng.below(10) {
            0..4 => {
                let lane = self.rng.below(LANES);
                self.lane(lane);
            }
            4 => {
                if let Some(step) = pick(&mut self.rng, &mut self.late)
                    && self.rng.chance(1, 2)
                {
                    self.apply(&step);
                }
            }
            5..9 if !self.streams.is_empty() => {
                let stream = self.rng.below(self.streams.len());
                match self.rng.chance(1, 2) {
                    true => self.send(stream),
                    false => self.deliver(stream),
                }
            }
            _ if !self.streams.is_empty() => {
                let stream = self.rng.below(self.streams.len());
                match self.weather.lossy && self.rng.chance(1, 4) {
                    true => self.lose(stream),
                    false => self.control(stream),
                }
            }
            _ => {}
        }
    }

    /// A lane begins something, it takes effect, or it ends.
    fn lane(&mut self, lane: usize) {
        let Some(doing) = self.lanes[lane].clone() else {
            return self.step(lane);
        };
        if doing.walks && doing.answer.is_none() {
            return;
        }
        if self.weather.lossy && !doing.walks && self.rng.chance(1, 8) {
            if doing.answer.is_none() {
                let step = self.recording.entries[doing.entry].step.clone();
                self.late.push(step);
            }
            self.end(doing.entry, Ending::Unknown("lost".to_owned()));
            self.lanes[lane] = None;
            return;
        }
        match doing.answer {
            None => {
                let step = self.recording.entries[doing.entry].step.clone();
                let answer = self.apply(&step);
                self.lanes[lane] = Some(Doing {
                    answer: Some(answer),
                    ..doing
                });
            }
            Some(answer) => {
                self.end(doing.entry, Ending::Answer(answer));
                self.lanes[lane] = None;
            }
        }
    }

    fn step(&mut self, lane: usize) {
        let number = self.rng.below(CHANNELS);
        let channel = format!("c{number}");
        let key = KeyName::Inside(self.rng.below(self.keys as usize) as u32);
        let stream = format!("s{}", self.recording.streams.len());
        let removals = usize::from(self.weather.removals);
        let choices = [
            (10, 0),
            (4, 1),
            (4, 2),
            (removals, 3),
            (2, 4),
            (1, 5),
            (1, 6),
        ];
        let step = match self.rng.pick(&choices).unwrap() {
            0 => Step::Put {
                channel,
                key,
                value: self.value(),
            },
            1 => Step::Remove { channel, key },
            2 => Step::Update {
                channel,
                key,
                decision: match self.rng.below(4) {
                    0 => Decision::Leave,
                    1 => Decision::Delete,
                    _ => Decision::Replace(self.value()),
                },
            },
            3 => Step::RemoveChannel { channel },
            4 => Step::GetAll {
                channel,
                keys_only: self.rng.chance(1, 3),
                filter: self.filter(),
            },
            5 => Step::OpenGetAll {
                stream,
                channel,
                keys_only: self.rng.chance(1, 3),
                filter: self.filter(),
            },
            _ => Step::OpenMirror {
                stream,
                channel,
                refresh: self.rng.chance(1, 2),
            },
        };
        let kind = match &step {
            Step::GetAll {
                keys_only, filter, ..
            }
            | Step::OpenGetAll {
                keys_only, filter, ..
            } => Some(Kind::GetAll {
                keys_only: *keys_only,
                filter: filter.clone(),
            }),
            Step::OpenMirror { refresh, .. } => Some(Kind::Mirror { refresh: *refresh }),
            _ => None,
        };
        let entry = self.begin(lane, step.clone());
        let whole = matches!(step, Step::GetAll { .. });
        if let Some(kind) = kind {
            let of = match whole {
                true => Of::Lane(lane),
                false => Of::Stream(self.recording.streams.len()),
            };
            self.open(of, number, kind);
        }
        if !whole && matches!(step, Step::OpenGetAll { .. } | Step::OpenMirror { .. }) {
            let Entry { at, invoked, .. } = self.recording.entries[entry];
            self.recording.streams.push(StreamRecord {
                at,
                step,
                invoked,
                told: Vec::new(),
                controlled: Vec::new(),
                disagrees: None,
            });
            return self.end(entry, Ending::Nothing("done".to_owned()));
        }
        self.lanes[lane] = Some(Doing {
            entry,
            answer: None,
            walks: whole,
        });
    }

    /// A step takes effect.
    fn apply(&mut self, step: &Step) -> Answer {
        let number = match step.channel() {
            Some("c0") => 0,
            _ => 1,
        };
        let key = match step.key() {
            Some(KeyName::Inside(key)) => key,
            _ => 0,
        };
        let known = self.contents[number].records.get(&key).cloned();
        match step {
            Step::Put { value, .. } => {
                self.write(number, key, value.bytes());
                Answer::Stored
            }
            Step::Remove { .. } => {
                if known.is_some() || self.rng.chance(1, 2) {
                    self.remove(number, key);
                }
                Answer::Removed(known.is_some())
            }
            Step::Update { decision, .. } => {
                let Some(read) = known else {
                    return Answer::NoRecord;
                };
                match decision {
                    Decision::Replace(value) => self.write(number, key, value.bytes()),
                    Decision::Delete => self.remove(number, key),
                    Decision::Leave => {}
                }
                Answer::Updated { read }
            }
            _ => {
                self.removed += 1;
                let contents = Contents {
                    number: self.removed,
                    ..Contents::default()
                };
                let removed = std::mem::replace(&mut self.contents[number], contents);
                for stream in &mut self.streams {
                    if stream.is_of(number, removed.number) && stream.started {
                        let stays = self.rng.chance(1, 2);
                        let remains = stays.then(|| removed.records.clone());
                        stream.remains = Some(remains.unwrap_or_default());
                        stream.notes.push_back(Note::Gone);
                    }
                }
                Answer::ChannelRemoved
            }
        }
    }

    /// Mirrors are compared with their channels from here on.
    fn finish(&mut self) -> Vec<(usize, usize)> {
        let mut finishing = Vec::new();
        for stream in 0..self.streams.len() {
            let running = &self.streams[stream];
            if let (Of::Stream(record), Kind::Mirror { .. }) = (running.of, &running.kind) {
                let finish = Step::Finish {
                    stream: format!("s{record}"),
                };
                finishing.push((stream, self.begin(0, finish)));
            }
        }
        finishing
    }

    /// Is there something that may still be stored in the channel?
    fn is_written(&self, channel: usize) -> bool {
        let lanes = self.lanes.iter().flatten();
        let lanes = lanes.map(|doing| &self.recording.entries[doing.entry].step);
        let mut steps = lanes.chain(&self.late);
        let name = format!("c{channel}");
        steps.any(|step| matches!(step, Step::Put { channel, .. } if *channel == name))
    }

    fn compare(&mut self, stream: usize, entry: usize, busy: bool) {
        let running = &self.streams[stream];
        let Of::Stream(record) = running.of else {
            return;
        };
        if running.over || (running.suspended && !running.notes.is_empty()) {
            return;
        }
        if busy && self.rng.chance(1, 2) {
            // It cannot agree with what the channel held while others were writing.
            self.recording.streams[record].disagrees = Some("others were writing".to_owned());
            return self.end(entry, Ending::Nothing("the Mirror disagrees".to_owned()));
        }
        if running.suspended {
            return;
        }
        self.now += 1;
        let told = &mut self.recording.streams[record].told;
        told.push((self.now, Event::Stopped));
        self.end(entry, Ending::Nothing("done".to_owned()));
    }

    /// Everything goes on until nothing more happens.
    fn drain(&mut self) {
        while let Some(step) = pick(&mut self.rng, &mut self.late) {
            if self.rng.chance(1, 2) {
                self.apply(&step);
            }
        }
        for _ in 0..400 {
            for lane in 0..LANES {
                if self.lanes[lane].is_some() {
                    self.lane(lane);
                }
            }
            while let Some(step) = self.late.pop() {
                self.apply(&step);
            }
            for stream in 0..self.streams.len() {
                self.send(stream);
                self.deliver(stream);
            }
        }
    }

    fn begin(&mut self, lane: usize, step: Step) -> usize {
        self.now += 1;
        let entry = self.recording.entries.len();
        self.recording.entries.push(Entry {
            at: At {
                round: entry,
                step: 0,
            },
            lane,
            protocol: Protocol::Neo,
            step,
            invoked: self.now,
            ended: None,
        });
        entry
    }

    fn end(&mut self, entry: usize, ending: Ending) {
        self.now += 1;
        self.recording.entries[entry].ended = Some((self.now, ending));
    }

    fn value(&mut self) -> Value {
        self.values += 1;
        Value::new(format!("v{}", self.values))
    }

    fn filter(&mut self) -> String {
        match self.rng.chance(1, 3) {
            true => self.rng.below(10).to_string(),
            false => String::new(),
        }
    }
}

fn pick<T>(rng: &mut Rng, of: &mut Vec<T>) -> Option<T> {
    let index = rng.below(of.len());
    (index < of.len()).then(|| of.swap_remove(index))
}
