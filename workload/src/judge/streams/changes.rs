//! What changed the records of each channel, and between which times.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use dht_model::Answer;
use dht_protocol::Key;

use crate::case::{Decision, Fault, Protocol, Step};
use crate::names::{KeyName, Names};
use crate::recording::{Entry, Recording, Time};
use crate::value::Value;
use crate::world::{Ending, Event};

/// What a step did to a record, or to all records of a channel, at one moment between two times.
#[derive(Clone, Debug)]
pub(super) struct Change<'a> {
    pub(super) effect: Effect,
    /// Not before this.
    pub(super) began: Time,
    /// Not after this; [`Time::MAX`] if nobody knows. Then it may also never happen.
    pub(super) ended: Time,
    entry: &'a Entry,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Effect {
    /// The record has this value.
    Write(Bytes),
    /// The record is gone.
    Removal,
    /// A Remove found no record. A Mirror may tell it as a removal.
    Miss,
}

/// What requests change records.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Put,
    Remove,
    Update,
    RemoveChannel,
    /// Whether it is told is left to the node.
    PutBatch,
}

/// What changed the records of one channel.
#[derive(Debug, Default)]
pub(super) struct Channel<'a> {
    pub(super) records: BTreeMap<Key, Record<'a>>,
    /// Removals of the channel itself.
    pub(super) removals: Vec<Change<'a>>,
}

/// What changed one record, apart from the removals of its channel.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) name: KeyName,
    pub(super) changes: Vec<Change<'a>>,
}

/// What changed any record.
#[derive(Debug, Default)]
pub(super) struct Changes<'a> {
    channels: BTreeMap<String, Channel<'a>>,
    /// From here on nobody knows what the node holds: it was killed.
    pub(super) horizon: Option<Time>,
    /// Connections were lost, and who uses them may have begun again without anybody noticing.
    pub(super) lossy: bool,
}

impl<'a> Changes<'a> {
    /// What the steps of a recording changed.
    pub(super) fn new(recording: &'a Recording, names: &Names) -> Self {
        let mut changes = Self {
            horizon: horizon(recording),
            lossy: lossy(recording),
            ..Self::default()
        };
        for entry in &recording.entries {
            changes.add(recording, names, entry);
        }
        changes
    }

    /// Those of one channel, if there are any.
    pub(super) fn channel(&self, name: &str) -> Option<&Channel<'a>> {
        self.channels.get(name)
    }

    /// Another channel in which the record of this key was given this value.
    pub(super) fn elsewhere(&self, not: &str, key: Key, value: &[u8]) -> Option<&str> {
        let mut channels = self.channels.iter();
        let found = channels.find(|(name, channel)| {
            let record = channel.records.get(&key);
            *name != not && record.is_some_and(|record| record.writes_of(value).next().is_some())
        });
        found.map(|(name, _)| name.as_str())
    }

    fn add(&mut self, recording: &Recording, names: &Names, entry: &'a Entry) {
        if let Step::PutBatch { channel, records } = &entry.step {
            return self.add_batch(names, entry, channel, records);
        }
        let Some((effect, certain)) = effect(entry) else {
            return;
        };
        let ended = match (&entry.ended, certain) {
            (Some((time, _)), true) => *time,
            _ => Time::MAX,
        };
        let change = Change {
            effect,
            began: entry.invoked,
            ended,
            entry,
        };
        if let Step::RemoveChannel { channel } = &entry.step {
            let channel = self.channels.entry(channel.clone()).or_default();
            // The client asks again when it has lost the connection. What it asked for first may come late.
            if self.lossy && certain {
                channel.removals.push(Change {
                    ended: Time::MAX,
                    ..change.clone()
                });
            }
            channel.removals.push(change);
        } else if let Some((channel, name)) = place(recording, entry) {
            let channel = self.channels.entry(channel.to_owned()).or_default();
            let record = channel.records.entry(names.key(name));
            let record = record.or_insert_with(|| Record {
                name,
                changes: Vec::new(),
            });
            record.changes.push(change);
        }
    }
}

impl<'a> Changes<'a> {
    /// Each record of a batch is stored at a moment of its own, up to the first empty value.
    fn add_batch(
        &mut self,
        names: &Names,
        entry: &'a Entry,
        channel: &str,
        records: &[(KeyName, Value)],
    ) {
        let ended = match &entry.ended {
            Some((time, Ending::Answer(Answer::Stored | Answer::EmptyValue))) => *time,
            Some((_, Ending::Nothing(_))) => return,
            // Nobody knows how many were stored.
            _ => Time::MAX,
        };
        let channel = self.channels.entry(channel.to_owned()).or_default();
        for (name, value) in records.iter().take_while(|(_, value)| !value.is_empty()) {
            let record = channel.records.entry(names.key(*name));
            let record = record.or_insert_with(|| Record {
                name: *name,
                changes: Vec::new(),
            });
            record.changes.push(Change {
                effect: Effect::Write(value.bytes()),
                began: entry.invoked,
                ended,
                entry,
            });
        }
    }
}

impl<'a> Channel<'a> {
    /// The last change that is certain to have been made to a record before this time; what was
    /// overwritten by then has not come back.
    pub(super) fn last_before<'b>(
        &'b self,
        record: &'b Record<'a>,
        time: Time,
    ) -> Option<&'b Change<'a>> {
        self.of(record)
            .filter(|change| change.effect != Effect::Miss && change.ended < time)
            .max_by_key(|change| change.began)
    }

    /// What may have made a record absent at some moment between these times.
    pub(super) fn removal_between<'b>(
        &'b self,
        record: &'b Record<'a>,
        from: Time,
        to: Time,
    ) -> Option<&'b Change<'a>> {
        self.of(record)
            .find(|change| change.effect == Effect::Removal && change.is_between(from, to))
    }

    /// May anything at all have changed between these times?
    pub(super) fn changes_between(&self, from: Time, to: Time) -> bool {
        let records = self.records.values().flat_map(|record| &record.changes);
        let mut all = records.chain(&self.removals);
        all.any(|change| change.effect != Effect::Miss && change.is_between(from, to))
    }

    /// May any record have been removed between these times?
    pub(super) fn removals_between(&self, from: Time, to: Time) -> bool {
        let mut records = self.records.values();
        records.any(|record| self.removal_between(record, from, to).is_some())
    }

    /// How many changes of single records there may have been between these times.
    pub(super) fn count_between(&self, from: Time, to: Time) -> usize {
        let records = self.records.values().flat_map(|record| &record.changes);
        records.filter(|change| change.is_between(from, to)).count()
    }

    fn of<'b>(&'b self, record: &'b Record<'a>) -> impl Iterator<Item = &'b Change<'a>> {
        record.changes.iter().chain(&self.removals)
    }
}

impl<'a> Record<'a> {
    /// Its writes.
    pub(super) fn writes(&self) -> impl Iterator<Item = (&Change<'a>, &Bytes)> {
        self.changes
            .iter()
            .filter_map(|change| match &change.effect {
                Effect::Write(value) => Some((change, value)),
                _ => None,
            })
    }

    /// The writes of this value; usually there is one.
    pub(super) fn writes_of(&self, value: &[u8]) -> impl Iterator<Item = &Change<'a>> {
        self.writes()
            .filter_map(move |(change, written)| (written == value).then_some(change))
    }

    /// What a Mirror may tell as a removal.
    pub(super) fn deletions(&self) -> impl Iterator<Item = &Change<'a>> {
        let changes = self.changes.iter();
        changes.filter(|change| !matches!(change.effect, Effect::Write(_)))
    }

    /// May it have changed between these times?
    pub(super) fn changes_between(&self, from: Time, to: Time) -> bool {
        let mut changes = self.changes.iter();
        changes.any(|change| change.effect != Effect::Miss && change.is_between(from, to))
    }

    /// May the empty value have been stored? What that means is left to the node.
    pub(super) fn is_vague(&self) -> bool {
        self.writes_of(b"").next().is_some()
    }
}

impl Change<'_> {
    /// Did it happen at all, beyond doubt?
    pub(super) fn is_certain(&self) -> bool {
        self.ended != Time::MAX
    }

    /// May it have happened between these times?
    pub(super) fn is_between(&self, from: Time, to: Time) -> bool {
        self.began < to && self.ended > from
    }

    /// The request that made it.
    pub(super) fn kind(&self) -> Kind {
        match &self.entry.step {
            Step::Put { .. } => Kind::Put,
            Step::Remove { .. } => Kind::Remove,
            Step::RemoveChannel { .. } => Kind::RemoveChannel,
            Step::PutBatch { .. } => Kind::PutBatch,
            _ => Kind::Update,
        }
    }

    /// Who made it spoke this.
    pub(super) fn protocol(&self) -> Protocol {
        self.entry.protocol
    }
}

impl fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.entry.step)?;
        match self.is_certain() {
            true => write!(f, "(at {} to {})", self.began, self.ended),
            false => write!(f, "(begun at {}, outcome unknown)", self.began),
        }
    }
}

/// What a step does to its record or its channel, and whether that is certain.
fn effect(entry: &Entry) -> Option<(Effect, bool)> {
    let certain = match &entry.ended {
        None | Some((_, Ending::Unknown(_))) => false,
        Some((_, Ending::Answer(answer))) => match answer {
            Answer::Stored | Answer::Updated { .. } | Answer::ChannelRemoved => true,
            // Whether there was one is not said, but there is none any more.
            Answer::Removed(true) | Answer::Gone => true,
            Answer::Removed(false) => return Some((Effect::Miss, true)),
            // The node may have failed before or after.
            Answer::Error | Answer::Unknown => false,
            _ => return None,
        },
        Some((_, Ending::Read(_) | Ending::Nothing(_))) => return None,
    };
    let effect = match &entry.step {
        // It is refused, whatever came of it.
        Step::Put { value, .. } if value.is_empty() && entry.protocol == Protocol::Legacy => {
            return None;
        }
        Step::Put { value, .. } => Effect::Write(value.bytes()),
        Step::Remove { .. } | Step::RemoveChannel { .. } => Effect::Removal,
        Step::Update { decision, .. } | Step::Decide { decision, .. } => match decision {
            Decision::Replace(value) => Effect::Write(value.bytes()),
            Decision::Delete => Effect::Removal,
            Decision::Leave => return None,
        },
        _ => return None,
    };
    Some((effect, certain))
}

/// Which record a step concerns. A decision concerns that of the Update that was read last under its name.
fn place<'a>(recording: &'a Recording, entry: &'a Entry) -> Option<(&'a str, KeyName)> {
    let Step::Decide { update, .. } = &entry.step else {
        return entry.record();
    };
    let read_at = |begun: &Entry| match (&begun.step, &begun.ended) {
        (Step::BeginUpdate { update: name, .. }, Some((time, Ending::Read(_)))) => {
            (name == update && *time < entry.invoked).then_some(*time)
        }
        _ => None,
    };
    let begun = recording.entries.iter();
    let begun = begun.filter_map(|begun| Some((read_at(begun)?, begun)));
    begun.max_by_key(|(time, _)| *time)?.1.record()
}

/// When the node was killed first.
fn horizon(recording: &Recording) -> Option<Time> {
    let entries = recording.entries.iter();
    let kills = entries.filter(|entry| matches!(entry.step, Step::Fault(Fault::Kill {})));
    kills.map(|entry| entry.invoked).min()
}

/// Is there a sign that a connection was lost?
fn lossy(recording: &Recording) -> bool {
    let cuts = |entry: &Entry| {
        matches!(entry.step, Step::Fault(Fault::Cut { .. } | Fault::Kill {}))
            || matches!(entry.ended, Some((_, Ending::Unknown(_))))
    };
    let mut told = recording.streams.iter().flat_map(|stream| &stream.told);
    recording.entries.iter().any(cuts) || told.any(|(_, event)| *event == Event::Disconnected)
}
