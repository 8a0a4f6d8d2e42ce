//! Listen: what it tells. It is a weaker Mirror: only writes are told, in any order, as often as the node
//! likes, and with the value that the record has when it is told, an empty one if it is gone by then. So only
//! this is judged: that nothing is told that was not written, and that the last that is told of a record is
//! its value once nothing is written any more (`legacy.md` 12.1).

use bytes::Bytes;
use dht_protocol::Key;
use dht_requirements::{self as req, Requirement};

use super::changes::{Changes, Channel};
use super::mirror::shown;
use super::{fault, name};
use crate::case::{Protocol, Step};
use crate::judge::Fault;
use crate::recording::{Recording, StreamRecord, Time};
use crate::world::Event;

/// What is wrong with a Listen, if it is one, and something is.
pub(super) fn judge(
    stream: &StreamRecord,
    recording: &Recording,
    changes: &Changes<'_>,
) -> Option<Fault> {
    let Step::OpenListen {
        channel: called, ..
    } = &stream.step
    else {
        return None;
    };
    let nothing = Channel::default();
    let listening = Listening {
        stream,
        called,
        channel: changes.channel(called).unwrap_or(&nothing),
        changes,
    };
    for (time, event) in &stream.told {
        if changes.horizon.is_some_and(|horizon| *time >= horizon) {
            return None;
        }
        let wrong = match event {
            Event::Updated(key, value) => listening.value(*time, *key, value),
            Event::ChannelRemoved => listening.removed(*time),
            _ => None,
        };
        if wrong.is_some() {
            return wrong;
        }
    }
    listening.settled(recording)
}

struct Listening<'a> {
    stream: &'a StreamRecord,
    called: &'a str,
    channel: &'a Channel<'a>,
    changes: &'a Changes<'a>,
}

impl Listening<'_> {
    /// What is wrong with a record that is told.
    fn value(&self, time: Time, key: Key, value: &Bytes) -> Option<Fault> {
        let record = self.channel.records.get(&key);
        let came = format!(
            "record {} came with {} at {time}",
            name(self.channel, key),
            shown(value)
        );
        let since = self.stream.invoked;
        let written = record.is_some_and(|record| {
            let mut writes = record.writes();
            writes.any(|(write, _)| write.is_between(since, time))
        });
        let Some(record) = record.filter(|_| written) else {
            let elsewhere = self.changes.elsewhere(self.called, key, value);
            return Some(match (record, elsewhere) {
                (Some(record), _) if record.writes_of(value).next().is_some() => self.fault(
                    &req::LEG_LISTEN_NOT_BEFORE,
                    "what is written since the request began",
                    format!("{came}; it was not written since {since}"),
                ),
                (_, Some(other)) => self.fault(
                    &req::LEG_LISTEN_ONLY_CHANNEL,
                    "what is written to the channel",
                    format!("{came}; that was written to channel {other} alone"),
                ),
                _ => self.fault(
                    &req::LEG_LISTEN_ONLY_STORED,
                    "what is written to the channel",
                    format!("{came}; nobody had begun to write there"),
                ),
            });
        };
        if record.is_vague() {
            return None;
        }
        let writes = record.writes_of(value);
        let last = writes
            .filter(|write| write.began < time)
            .max_by_key(|write| write.ended);
        let Some(last) = last else {
            let gone = self.channel.removal_between(record, since, time).is_some();
            return (!(value.is_empty() && gone)).then(|| {
                self.fault(
                    &req::LEG_LISTEN_ONLY_STORED,
                    "a value that the record has had",
                    format!("{came}; nobody had begun to write that"),
                )
            });
        };
        let over = self.channel.last_before(record, since)?;
        (last.ended < over.began).then(|| {
            self.fault(
                &req::LEG_LISTEN_NOT_BEFORE,
                "values that the record had since the request began",
                format!("{came}, of {last}; but {over} came after that, and before {since}"),
            )
        })
    }

    /// What is wrong with the end of the channel.
    fn removed(&self, time: Time) -> Option<Fault> {
        let since = self.stream.invoked;
        let mut removals = self.channel.removals.iter();
        let removed = removals.any(|removal| removal.is_between(since, time));
        (!removed).then(|| {
            self.fault(
                &req::LEG_LISTEN_END,
                "the end when the channel is removed",
                format!(
                    "the end came at {time}; nobody had begun to remove the channel since {since}"
                ),
            )
        })
    }

    /// What is wrong when it was waited for and nothing happened any more.
    fn settled(&self, recording: &Recording) -> Option<Fault> {
        let disagrees = self.stream.disagrees.as_ref()?;
        let finishes = recording.entries.iter().filter(|entry| {
            matches!(entry.step, Step::Finish { .. })
                && entry.step.handle() == self.stream.step.handle()
                && entry.invoked > self.stream.invoked
        });
        let asked = finishes.map(|entry| entry.invoked).min()?;
        let lost = self
            .stream
            .told
            .iter()
            .any(|(_, event)| *event == Event::Disconnected);
        let vague = self
            .channel
            .records
            .values()
            .any(|record| record.is_vague());
        if self.changes.horizon.is_some()
            || lost
            || vague
            || self.channel.changes_between(asked, Time::MAX)
        {
            return None;
        }
        let mut removals = self.channel.removals.iter();
        let removal = removals.rfind(|removal| removal.began > self.stream.invoked);
        let requirement = match removal.map(|removal| removal.protocol()) {
            Some(Protocol::Neo) => &req::LEG_BOTH_LISTEN_END,
            Some(Protocol::Legacy) => &req::LEG_LISTEN_END,
            None => &req::LEG_LISTEN_SETTLES,
        };
        Some(self.fault(
            requirement,
            "the value of each record that was written, and the end of the channel",
            disagrees.clone(),
        ))
    }

    fn fault(&self, requirement: &'static Requirement, allowed: &str, observed: String) -> Fault {
        fault(
            requirement,
            self.stream.at,
            &self.stream.step,
            allowed,
            observed,
        )
    }
}
