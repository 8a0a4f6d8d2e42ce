//! Mirror: what it tells, one event after another.

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_model::Answer;
use dht_protocol::Key;
use dht_requirements::{self as req, Requirement};

use super::changes::{Change, Changes, Channel, Kind, Record};
use super::{fault, name, settled};
use crate::case::Step;
use crate::judge::Fault;
use crate::recording::{Recording, StreamRecord, Time};
use crate::world::{Control, Event};

/// So many updates every node keeps for a Mirror.
const CAPACITY: usize = 16_384;

/// What a Mirror has told.
#[derive(Debug)]
pub(super) struct Following<'a> {
    pub(super) stream: &'a StreamRecord,
    pub(super) channel: &'a Channel<'a>,
    /// All records were to be told at the start.
    pub(super) refreshes: bool,
    /// When it was known that the node had begun to report.
    pub(super) started: Option<Time>,
    pub(super) records: BTreeMap<Key, Told<'a>>,
    /// Something makes it impossible to say what is due: changes were lost, the channel was removed, the
    /// connection broke.
    pub(super) vague: bool,
    disconnected: bool,
    removed: Option<Time>,
}

/// What a Mirror has told of one record since the connection was made.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told<'a> {
    pub(super) updates: usize,
    pub(super) deletions: usize,
    /// The newest value of an update.
    pub(super) updated: Option<Latest<'a>>,
    /// The newest value of an update or a refresh.
    pub(super) shown: Option<Latest<'a>>,
    /// All values were written before this.
    pub(super) until: Time,
    /// What was told last; no value: that it was removed.
    pub(super) last: Option<(Time, Option<&'a Bytes>)>,
}

/// A value that was told, and the first of its writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Latest<'a> {
    pub(super) time: Time,
    pub(super) value: &'a Bytes,
    pub(super) write: &'a Change<'a>,
}

/// Whence a value came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum By {
    Update,
    Refresh,
}

/// What is wrong with a Mirror, if something is.
pub(super) fn judge(
    stream: &StreamRecord,
    recording: &Recording,
    changes: &Changes<'_>,
) -> Option<Fault> {
    let Step::OpenMirror {
        channel: called,
        refresh,
        ..
    } = &stream.step
    else {
        return None;
    };
    let nothing = Channel::default();
    let mut following = Following {
        stream,
        channel: changes.channel(called).unwrap_or(&nothing),
        refreshes: *refresh,
        started: None,
        records: BTreeMap::new(),
        vague: false,
        disconnected: false,
        removed: None,
    };
    for (time, event) in &stream.told {
        if changes.horizon.is_some_and(|horizon| *time >= horizon) {
            return None;
        }
        let wrong = following.told(*time, event, called, changes);
        if wrong.is_some() {
            return wrong;
        }
    }
    settled::judge(&following, recording, changes)
}

impl<'a> Following<'a> {
    /// What is wrong with one event.
    fn told(
        &mut self,
        time: Time,
        event: &'a Event,
        called: &str,
        changes: &Changes<'_>,
    ) -> Option<Fault> {
        match event {
            Event::Started => {
                self.started = Some(time);
                None
            }
            Event::Updated(key, value) => self
                .ended(time, *key)
                .or_else(|| self.value(time, *key, value, By::Update, called, changes)),
            Event::Refreshed(key, value) => self
                .ended(time, *key)
                .or_else(|| self.value(time, *key, value, By::Refresh, called, changes)),
            Event::Deleted(key) => self.ended(time, *key).or_else(|| self.deleted(time, *key)),
            Event::UpdatesLost => {
                self.vague = true;
                self.overflow(time)
            }
            Event::ChannelRemoved => {
                self.vague = true;
                self.removed = Some(time);
                self.channel_removed(time)
            }
            // The request begins again.
            Event::Disconnected => {
                self.vague = true;
                self.disconnected = true;
                self.removed = None;
                self.records.clear();
                None
            }
            Event::Finished => self.finished(time),
            _ => None,
        }
    }

    /// Nothing follows the removal of the channel.
    fn ended(&self, time: Time, key: Key) -> Option<Fault> {
        let removed = self.removed?;
        Some(self.fault(
            &req::MIRROR_REMOVED_DETACHED,
            "nothing after ChannelRemoved",
            format!(
                "ChannelRemoved came at {removed}, and something of record {} at {time}",
                name(self.channel, key)
            ),
        ))
    }

    /// What is wrong with a value that is told.
    fn value(
        &mut self,
        time: Time,
        key: Key,
        value: &'a Bytes,
        by: By,
        called: &str,
        changes: &Changes<'_>,
    ) -> Option<Fault> {
        let channel = self.channel;
        let came = match by {
            By::Update => format!("an update of record {}", name(channel, key)),
            By::Refresh => format!("a refresh of record {}", name(channel, key)),
        };
        let came = format!("{came} to {} came at {time}", shown(value));
        let record = channel.records.get(&key);
        let writes = record
            .into_iter()
            .flat_map(|record| record.writes_of(value));
        let writes: Vec<_> = writes.filter(|write| write.began < time).collect();
        let first = writes.iter().copied().min_by_key(|write| write.began);
        let last = writes.iter().copied().max_by_key(|write| write.ended);
        let (Some(record), Some(first), Some(last)) = (record, first, last) else {
            let vague = record.is_some_and(Record::is_vague) && value.is_empty();
            return (!vague).then(|| self.invented(key, value, by, called, changes, came));
        };
        if record.is_vague() {
            return None;
        }
        let wrong = self
            .outlived(record, last, by, &came)
            .or_else(|| self.detached(first.began, &format!("{came}, of {first}")));
        if wrong.is_some() {
            return wrong;
        }
        let mut told = self.records.get(&key).copied().unwrap_or_default();
        told.updates += usize::from(by == By::Update);
        let wrong = match by {
            By::Update => self.update(&told, record, last, time, &came),
            By::Refresh => self.refresh(&told, record, last, &came),
        };
        if wrong.is_some() {
            return wrong;
        }
        let latest = Latest {
            time,
            value,
            write: first,
        };
        let newer = |known: &Option<Latest<'_>>| {
            known.is_none_or(|known| known.write.began < latest.write.began)
        };
        if by == By::Update && newer(&told.updated) {
            told.updated = Some(latest);
        }
        if newer(&told.shown) {
            told.shown = Some(latest);
        }
        told.until = told.until.max(last.ended);
        told.last = Some((time, Some(value)));
        self.records.insert(key, told);
        None
    }

    /// A value that had been replaced before the request began was never there to be read.
    fn outlived(
        &self,
        record: &Record<'_>,
        last: &Change<'_>,
        by: By,
        came: &str,
    ) -> Option<Fault> {
        let over = self.channel.last_before(record, self.stream.invoked)?;
        if last.ended >= over.began {
            return None;
        }
        let requirement = match (over.kind(), by) {
            (Kind::RemoveChannel, _) => &req::RMCHANNEL_STARTS_EMPTY,
            (Kind::Remove, _) => &req::REMOVE_GONE,
            (_, By::Update) => &req::MIRROR_CHANGED_VALUE,
            (_, By::Refresh) => &req::MIRROR_REFRESH_VALUES,
        };
        Some(self.fault(
            requirement,
            "values that the record had since the request began",
            format!(
                "{came}, of {last}; but {over} came after that, and was over when this began at {}",
                self.stream.invoked
            ),
        ))
    }

    /// The channel that the request began with has been removed; another one has its name since.
    pub(super) fn detached(&self, began: Time, what: &str) -> Option<Fault> {
        let started = self.started.filter(|_| !self.disconnected)?;
        let mut removals = self.channel.removals.iter();
        let removal = removals.find(|removal| removal.began > started && removal.ended < began)?;
        Some(self.fault(
            &req::MIRROR_REMOVED_DETACHED,
            "nothing of a channel that was created after the removal of the channel",
            format!("{what}, after {removal}; this had started at {started}"),
        ))
    }

    fn overflow(&self, time: Time) -> Option<Fault> {
        let pending = self.channel.count_between(self.stream.invoked, time);
        (pending <= CAPACITY).then(|| {
            let told: usize = self
                .records
                .values()
                .map(|told| told.updates + told.deletions)
                .sum();
            let requirement = match told >= pending {
                true => &req::MIRROR_OVERFLOW_NOT_INVENTED,
                false => &req::MIRROR_QUEUE_CAPACITY,
            };
            self.fault(
                requirement,
                "no update lost as long as 16384 are kept",
                format!(
                    "updates were lost at {time}; at most {pending} changes had been made since the \
                     request at {}",
                    self.stream.invoked
                ),
            )
        })
    }

    fn channel_removed(&self, time: Time) -> Option<Fault> {
        let mut removals = self.channel.removals.iter();
        let removal = removals.find(|removal| removal.is_between(self.stream.invoked, time));
        removal.is_none().then(|| {
            self.fault(
                &req::MIRROR_REMOVED_IDLE,
                "ChannelRemoved when the channel is removed",
                format!(
                    "ChannelRemoved came at {time}; nobody had begun to remove the channel since the \
                     request at {}",
                    self.stream.invoked
                ),
            )
        })
    }

    /// Nothing but the removal of its channel ends a Mirror that is not stopped.
    fn finished(&self, time: Time) -> Option<Fault> {
        let controls = self.stream.controlled.iter();
        let mut controls = controls.map(|(_, control)| *control);
        if self.removed.is_some() || self.disconnected || controls.clone().any(is_stop) {
            return None;
        }
        controls.next()?;
        Some(self.fault(
            &req::CTL_SUSPENSIONS_HARMLESS,
            "a Mirror that goes on",
            format!("it ended at {time}, and nobody had stopped it or removed its channel"),
        ))
    }

    /// Says where a value comes from that the record never had.
    fn invented(
        &self,
        key: Key,
        value: &Bytes,
        by: By,
        called: &str,
        changes: &Changes<'_>,
        came: String,
    ) -> Fault {
        let elsewhere = changes.elsewhere(called, key, value);
        let requirement = match (elsewhere, by) {
            (Some(_), _) => match self.channel.removals.is_empty() {
                true => &req::MIRROR_ONLY_CHANNEL,
                false => &req::MIRROR_NO_LEAK,
            },
            (None, By::Update) => &req::MIRROR_CHANGED_VALUE,
            (None, By::Refresh) => &req::MIRROR_REFRESH_VALUES,
        };
        let observed = match elsewhere {
            Some(other) => format!("{came}; that was written to channel {other} alone"),
            None => format!("{came}; nobody had begun to write that there"),
        };
        self.fault(requirement, "what was written to the record", observed)
    }

    pub(super) fn fault(
        &self,
        requirement: &'static Requirement,
        allowed: &str,
        observed: String,
    ) -> Fault {
        let StreamRecord { at, step, .. } = self.stream;
        fault(requirement, *at, step, allowed, observed)
    }
}

fn is_stop(control: Control) -> bool {
    control == Control::Stop
}

pub(super) fn shown(value: &Bytes) -> Answer {
    Answer::Value(value.clone())
}
