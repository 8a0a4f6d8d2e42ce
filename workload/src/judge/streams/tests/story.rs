//! Recordings, written down one event after another.

use dht_model::Answer;
use dht_protocol::Key;

use super::simulation::names;
use crate::case::{At, Decision, Protocol, Step};
use crate::judge::streams::judge;
use crate::names::KeyName;
use crate::recording::{Entry, Recording, StreamRecord, Time};
use crate::value::Value;
use crate::world::{Control, Ending, Event};

/// A recording. Channel `c` unless another one is named, keys by number.
#[derive(Default)]
pub(super) struct Story {
    pub(super) recording: Recording,
    now: Time,
}

/// A key on the node.
pub(super) fn key(number: u32) -> Key {
    names().key(KeyName::Inside(number))
}

pub(super) fn record(number: u32, value: &str) -> Event {
    Event::Record(key(number), Value::new(value).bytes())
}

pub(super) fn updated(number: u32, value: &str) -> Event {
    Event::Updated(key(number), Value::new(value).bytes())
}

pub(super) fn refreshed(number: u32, value: &str) -> Event {
    Event::Refreshed(key(number), Value::new(value).bytes())
}

pub(super) fn deleted(number: u32) -> Event {
    Event::Deleted(key(number))
}

impl Story {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// The id of the rule that is broken.
    pub(super) fn fault(&self) -> Option<&'static str> {
        judge(&self.recording, &names()).map(|fault| fault.requirement.id)
    }

    /// A step begins.
    pub(super) fn begin(&mut self, step: Step) -> usize {
        let invoked = self.time();
        let entry = self.recording.entries.len();
        self.recording.entries.push(Entry {
            at: At {
                round: entry,
                step: 0,
            },
            lane: entry,
            protocol: Protocol::Neo,
            step,
            invoked,
            ended: None,
        });
        entry
    }

    pub(super) fn end(&mut self, entry: usize, ending: Ending) {
        let time = self.time();
        self.recording.entries[entry].ended = Some((time, ending));
    }

    pub(super) fn answer(&mut self, entry: usize, answer: Answer) {
        self.end(entry, Ending::Answer(answer));
    }

    pub(super) fn lost(&mut self, entry: usize) {
        self.end(entry, Ending::Unknown("the connection was lost".to_owned()));
    }

    /// A step begins and is answered.
    pub(super) fn done(&mut self, step: Step, answer: Answer) -> &mut Self {
        let entry = self.begin(step);
        self.answer(entry, answer);
        self
    }

    pub(super) fn put(&mut self, number: u32, value: &str) -> &mut Self {
        self.done(put("c", number, value), Answer::Stored)
    }

    pub(super) fn remove(&mut self, number: u32) -> &mut Self {
        self.done(remove(number), Answer::Removed(true))
    }

    pub(super) fn remove_channel(&mut self) -> &mut Self {
        let channel = "c".to_owned();
        self.done(Step::RemoveChannel { channel }, Answer::ChannelRemoved)
    }

    /// A GetAll that is watched begins.
    pub(super) fn get_all(&mut self, keys_only: bool, filter: &str) -> &mut Self {
        self.open(Step::OpenGetAll {
            stream: "s".to_owned(),
            channel: "c".to_owned(),
            keys_only,
            filter: filter.to_owned(),
        })
    }

    /// A Mirror begins.
    pub(super) fn mirror(&mut self, refresh: bool) -> &mut Self {
        self.open(Step::OpenMirror {
            stream: "s".to_owned(),
            channel: "c".to_owned(),
            refresh,
        })
    }

    /// A Listen begins.
    pub(super) fn listen(&mut self) -> &mut Self {
        self.open(Step::OpenListen {
            stream: "s".to_owned(),
            channel: "c".to_owned(),
        })
    }

    fn open(&mut self, step: Step) -> &mut Self {
        let entry = self.begin(step.clone());
        let Entry { at, invoked, .. } = self.recording.entries[entry];
        self.recording.streams.push(StreamRecord {
            at,
            step,
            invoked,
            told: Vec::new(),
            controlled: Vec::new(),
            disagrees: None,
        });
        self.tell(Event::Started);
        self.end(entry, Ending::Nothing("done".to_owned()));
        self
    }

    /// The stream tells something.
    pub(super) fn tell(&mut self, event: Event) -> &mut Self {
        let time = self.time();
        if let Some(stream) = self.recording.streams.last_mut() {
            stream.told.push((time, event));
        }
        self
    }

    pub(super) fn control(&mut self, control: Control) -> &mut Self {
        let time = self.time();
        if let Some(stream) = self.recording.streams.last_mut() {
            stream.controlled.push((time, control));
        }
        self
    }

    /// The Mirror is compared with the channel, and agrees.
    pub(super) fn agrees(&mut self) -> &mut Self {
        let entry = self.begin(finish());
        self.tell(Event::Stopped);
        self.end(entry, Ending::Nothing("done".to_owned()));
        self
    }

    /// The Mirror is compared with the channel, and does not agree when nothing happens any more.
    pub(super) fn disagrees(&mut self) -> &mut Self {
        let entry = self.begin(finish());
        self.end(entry, Ending::Nothing("the Mirror disagrees".to_owned()));
        if let Some(stream) = self.recording.streams.last_mut() {
            stream.disagrees = Some("something differs".to_owned());
        }
        self
    }

    fn time(&mut self) -> Time {
        self.now += 1;
        self.now
    }
}

fn finish() -> Step {
    Step::Finish {
        stream: "s".to_owned(),
    }
}

pub(super) fn put(channel: &str, number: u32, value: &str) -> Step {
    Step::Put {
        channel: channel.to_owned(),
        key: KeyName::Inside(number),
        value: Value::new(value),
    }
}

pub(super) fn remove(number: u32) -> Step {
    Step::Remove {
        channel: "c".to_owned(),
        key: KeyName::Inside(number),
    }
}

pub(super) fn update(number: u32, decision: Decision) -> Step {
    Step::Update {
        channel: "c".to_owned(),
        key: KeyName::Inside(number),
        decision,
    }
}
