//! What the simulated node does with a GetAll or a Mirror.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use dht_model::Answer;

use super::{Simulation, names};
use crate::names::KeyName;
use crate::recording::Recording;
use crate::world::{Control, Event};

/// A GetAll or a Mirror.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) of: Of,
    pub(super) channel: usize,
    /// The channel that it began with, and what is left of it if that was removed.
    pub(super) number: usize,
    pub(super) remains: Option<BTreeMap<u32, Bytes>>,
    pub(super) started: bool,
    /// What is still to be sent: keys of a GetAll or a refresh, in their order.
    pub(super) keys: VecDeque<u32>,
    pub(super) notes: VecDeque<Note>,
    /// What was sent and has not arrived.
    pub(super) wire: VecDeque<Event>,
    pub(super) last: Option<u32>,
    pub(super) suspended: bool,
    pub(super) controlling: bool,
    pub(super) over: bool,
    /// Its updates carry what was written rather than what is there when they are sent.
    pub(super) early: bool,
    pub(super) collected: Vec<(u32, Bytes)>,
    pub(super) kind: Kind,
}

/// Whom a stream tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Of {
    Stream(usize),
    Lane(usize),
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    GetAll { keys_only: bool, filter: String },
    Mirror { refresh: bool },
}

#[derive(Clone, Debug)]
pub(super) enum Note {
    Changed(u32, Bytes),
    Deleted(u32),
    Gone,
}

impl Simulation {
    pub(super) fn open(&mut self, of: Of, channel: usize, kind: Kind) {
        self.streams.push(Running {
            of,
            channel,
            number: 0,
            remains: None,
            started: false,
            keys: VecDeque::new(),
            notes: VecDeque::new(),
            wire: VecDeque::new(),
            last: None,
            suspended: false,
            controlling: false,
            over: false,
            early: self.rng.chance(1, 3),
            collected: Vec::new(),
            kind,
        });
    }

    pub(super) fn write(&mut self, number: usize, key: u32, value: Bytes) {
        let contents = &mut self.contents[number];
        let known = contents.records.insert(key, value.clone());
        for stream in &mut self.streams {
            if !stream.is_of(number, contents.number) || !stream.started {
                continue;
            }
            match stream.kind {
                Kind::Mirror { .. } => stream.notes.push_back(Note::Changed(key, value.clone())),
                // What is added may be seen.
                Kind::GetAll { .. } => {
                    if known.is_none() && stream.last < Some(key) && self.rng.chance(1, 2) {
                        stream.keys.push_back(key);
                        stream.keys.make_contiguous().sort_unstable();
                    }
                }
            }
        }
    }

    pub(super) fn remove(&mut self, number: usize, key: u32) {
        let contents = &mut self.contents[number];
        contents.records.remove(&key);
        for stream in &mut self.streams {
            if stream.is_of(number, contents.number) && stream.started {
                match stream.kind {
                    Kind::Mirror { .. } => stream.notes.push_back(Note::Deleted(key)),
                    Kind::GetAll { .. } => stream.keys.retain(|other| *other != key),
                }
            }
        }
    }

    /// The node goes on with a stream.
    pub(super) fn send(&mut self, stream: usize) {
        let rng = &mut self.rng;
        let stream = &mut self.streams[stream];
        let contents = &self.contents[stream.channel];
        if stream.over {
            return;
        }
        if !stream.started {
            stream.started = true;
            stream.number = contents.number;
            stream.wire.push_back(Event::Started);
            let keys = contents.records.keys().copied();
            if !matches!(stream.kind, Kind::Mirror { refresh: false }) {
                stream.keys = keys.filter(|key| stream.last < Some(*key)).collect();
            }
            return;
        }
        if stream.suspended {
            return;
        }
        let records = stream.remains.as_ref().unwrap_or(&contents.records);
        let names = &self.names;
        let name = |key: u32| names.key(KeyName::Inside(key));
        let event = match &stream.kind {
            Kind::GetAll { keys_only, filter } => {
                let Some(key) = stream.keys.pop_front() else {
                    stream.over = true;
                    return stream.wire.push_back(Event::Finished);
                };
                let Some(value) = records.get(&key) else {
                    return;
                };
                stream.last = Some(key);
                let wanted = String::from_utf8_lossy(value).contains(filter.as_str());
                match (wanted, keys_only) {
                    (false, _) => return,
                    (true, true) => Event::Key(name(key)),
                    (true, false) => Event::Record(name(key), value.clone()),
                }
            }
            Kind::Mirror { .. } => {
                let refreshes = stream.notes.is_empty() || rng.chance(1, 2);
                if refreshes && let Some(key) = stream.keys.pop_front() {
                    match records.get(&key).cloned() {
                        Some(value) => Event::Refreshed(name(key), value),
                        None => return,
                    }
                } else {
                    match stream.notes.pop_front() {
                        None => return,
                        Some(Note::Deleted(key)) => Event::Deleted(name(key)),
                        Some(Note::Changed(key, value)) => match records.get(&key) {
                            None => return,
                            Some(now) => {
                                let value = if stream.early { value } else { now.clone() };
                                Event::Updated(name(key), value)
                            }
                        },
                        Some(Note::Gone) => {
                            stream.over = true;
                            Event::ChannelRemoved
                        }
                    }
                }
            }
        };
        stream.wire.push_back(event);
    }

    /// Something that was sent arrives.
    pub(super) fn deliver(&mut self, stream: usize) {
        self.now += 1;
        let stream = &mut self.streams[stream];
        let Some(event) = stream.wire.pop_front() else {
            return;
        };
        if matches!(event, Event::Suspended | Event::Resumed) {
            stream.controlling = false;
        }
        match stream.of {
            Of::Stream(record) => {
                let told = &mut self.recording.streams[record].told;
                if event == Event::Started && told.iter().any(|(_, told)| *told == event) {
                    return;
                }
                let gone = event == Event::ChannelRemoved;
                told.push((self.now, event));
                if gone {
                    self.now += 1;
                    told.push((self.now, Event::Finished));
                }
            }
            Of::Lane(lane) => {
                let Kind::GetAll { keys_only, .. } = stream.kind else {
                    return;
                };
                let key = |key| (0..100).find(|k| names().key(KeyName::Inside(*k)) == key);
                match event {
                    Event::Record(of, value) => stream.collected.push((key(of).unwrap(), value)),
                    Event::Key(of) => stream.collected.push((key(of).unwrap(), Bytes::new())),
                    Event::Finished => {
                        let collected = stream.collected.drain(..);
                        let named = collected
                            .map(|(key, value)| (self.names.key(KeyName::Inside(key)), value));
                        let answer = match keys_only {
                            true => Answer::Keys(named.map(|(key, _)| key).collect()),
                            false => Answer::Records(named.collect()),
                        };
                        if let Some(doing) = &mut self.lanes[lane] {
                            doing.answer = Some(answer);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// The connection of a stream is lost; it begins again.
    pub(super) fn lose(&mut self, stream: usize) {
        let told = |recording: &Recording, record: usize| {
            let told = &recording.streams[record].told;
            told.iter().rev().find_map(|(_, event)| match event {
                Event::Record(key, _) | Event::Key(key) => Some(*key),
                _ => None,
            })
        };
        let running = &mut self.streams[stream];
        if running.over || !running.started || running.controlling {
            return;
        }
        let names = &self.names;
        let number = |wanted| (0..100).find(|key| names.key(KeyName::Inside(*key)) == wanted);
        running.last = match running.of {
            Of::Stream(record) => told(&self.recording, record).and_then(number),
            Of::Lane(_) => running.collected.last().map(|(key, _)| *key),
        };
        running.wire.clear();
        running.notes.clear();
        running.keys.clear();
        running.remains = None;
        running.started = false;
        if let Kind::Mirror { .. } = running.kind {
            running.last = None;
        }
        if let Of::Stream(record) = running.of {
            self.now += 1;
            let told = &mut self.recording.streams[record].told;
            told.push((self.now, Event::Disconnected));
        }
    }

    /// A user suspends a stream, or resumes it.
    pub(super) fn control(&mut self, stream: usize) {
        let running = &mut self.streams[stream];
        let Of::Stream(record) = running.of else {
            return;
        };
        if running.over || !running.started || running.controlling {
            return;
        }
        self.now += 1;
        let (control, event) = match running.suspended {
            true => (Control::Resume, Event::Resumed),
            false => (Control::Suspend, Event::Suspended),
        };
        running.suspended = !running.suspended;
        running.controlling = true;
        running.wire.push_back(event);
        let controlled = &mut self.recording.streams[record].controlled;
        controlled.push((self.now, control));
    }
}

impl Running {
    pub(super) fn is_of(&self, channel: usize, number: usize) -> bool {
        self.channel == channel && self.number == number && self.remains.is_none()
    }
}
